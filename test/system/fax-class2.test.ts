/** Fax from end to end over modems that do T.30 themselves: the class that the configuration fixes, with ECM and MMR. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { chart, differences } from '../fax-modem/pages.ts'
import { describeWith } from '../requirements.ts'
import { type FaxRig, startFaxRig, until } from './fax-rig.ts'
import { items } from './inbound-rig.ts'

let rig: FaxRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

describeWith(['spandsp', 'libtiff-tools', 'ghostscript'], 'a line of a fixed class', () => {
  test.each(['2', '2.0'] as const)(
    'Class %s: out and in, corrected, row for row',
    {
      timeout: 90_000,
    },
    async (own) => {
      const soft = { class: own, ecm: true, codings: 'MMR', ringEvery: 1 } as const
      rig = await startFaxRig(soft, `, class: "${own}"`)
      const { box, modem, directory } = rig
      const [line] = await items(box, '/api/v1/lines')
      expect(line).toMatchObject({ state: 'ready', fax: { class: own } })
      const file = chart(join(directory, 'two.tif'), { pages: 2, rows: 250 })
      await rig.settled(await rig.send(file), 'sent')
      const out = await modem.next('far-end')
      expect(out).toMatchObject({ ok: true, received: 2, ecm: true, coding: 'MMR', badRows: 0 })
      expect(differences(file, out.file ?? '')).toEqual([])

      modem.ring('0301234', file)
      await until(async () => (await items(box, '/api/v1/inbox')).length === 1, 'a fax in the inbox', 40_000)
      const [entry] = await items(box, '/api/v1/inbox')
      expect(entry).toMatchObject({ from: '0301234', complete: true, fax: { pages: 2 } })
      expect(await modem.next('far-end')).toMatchObject({ ok: true, sent: 2, ecm: true })
    },
  )
})

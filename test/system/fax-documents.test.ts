/** A PDF from end to end: pages by Ghostscript, a line above each, over the soft modem. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { pagesIn, pagesPdf } from '../fax/documents/rig.ts'
import { pagesOf } from '../fax-modem/pages.ts'
import { describeWith } from '../requirements.ts'
import { until } from './appliance.ts'
import { type FaxRig, startFaxRig } from './fax-rig.ts'

const HEADER_BYTES = 16 * 216

let rig: FaxRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

describeWith(['spandsp', 'libtiff-tools', 'ghostscript'], 'documents, end to end', () => {
  test('a PDF arrives as the pages that were kept of it, below a line with page n/m', {
    timeout: 90_000,
  }, async () => {
    rig = await startFaxRig({}, ', header: true, resolution: standard')
    const file = join(rig.directory, 'two.pdf')
    writeFileSync(file, pagesPdf(2))
    expect(await rig.settled(await rig.send(file), 'sent')).toMatchObject({ confirmed: 2, attempts: 1 })
    const end = await rig.modem.next('far-end')
    expect(end).toMatchObject({ ok: true, received: 2 })
    const directory = join(rig.directory, 'box', 'data', 'documents')
    const tiffs = () =>
      readdirSync(directory).filter(
        (name) => readFileSync(join(directory, name)).subarray(0, 2).toString() === 'II',
      )
    // What was made for the call alone is gone with it.
    await until(() => tiffs().length === 1, 'the pages alone are kept')
    const kept = pagesIn(join(directory, tiffs()[0] ?? ''))
    const received = pagesOf(end.file ?? '')
    expect(received).toHaveLength(2)
    received.forEach(({ bits }, page) => {
      expect(
        Buffer.from(bits)
          .subarray(HEADER_BYTES)
          .equals(kept[page]?.bitmap.data ?? Buffer.alloc(0)),
      ).toBe(true)
      expect(
        Buffer.from(bits)
          .subarray(0, HEADER_BYTES)
          .some((byte) => byte !== 0),
      ).toBe(true)
    })
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

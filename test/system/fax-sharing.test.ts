/** One telephone line for faxes and for people: who is answered, what is seen of each call, and when it does not dial. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { chart } from '../fax-modem/pages.ts'
import { describeWith } from '../requirements.ts'
import { type FaxRig, startFaxRig, until } from './fax-rig.ts'
import { items } from './inbound-rig.ts'

let rig: FaxRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

interface LineView {
  busy?: boolean
  fax?: { progress?: string; lastCall?: { from: string; result: string; text: string; at: string } }
}

async function line(): Promise<LineView> {
  const [first] = rig ? await items(rig.box, '/api/v1/lines') : []
  return first ?? {}
}

describeWith(['spandsp', 'libtiff-tools', 'ghostscript'], 'a shared line', () => {
  test('rings on for people, answers its callers, and is idle again after whoever is no fax', {
    timeout: 120_000,
  }, async () => {
    rig = await startFaxRig({ ringEvery: 0.4 }, ', answer: { rings: 2, callers: ["030*"] }')
    const { modem, box } = rig
    modem.ring('089123')
    await until(
      async () => (await line()).fax?.progress === '089123 is calling',
      'the caller is shown',
      20_000,
    )
    expect((await line()).busy).toBe(true)
    await modem.next('not-answered')
    await until(async () => (await line()).fax?.lastCall?.result === 'left', 'the call is kept', 30_000)
    expect((await line()).fax?.lastCall).toMatchObject({ from: '089123' })
    expect(await line()).toMatchObject({ busy: false })

    // Somebody who talks, from a number that is answered.
    modem.ring('030555')
    await until(async () => (await line()).fax?.lastCall?.result === 'no-fax', 'it was no fax', 60_000)
    expect((await line()).fax?.lastCall).toMatchObject({ from: '030555' })
    await until(async () => (await line()).busy === false, 'the line is idle')
    expect(await items(box, '/api/v1/inbox')).toEqual([])

    modem.ring('030777', chart(join(rig.directory, 'in.tif'), { rows: 150 }))
    await until(async () => (await items(box, '/api/v1/inbox')).length === 1, 'a fax in the inbox', 40_000)
    expect((await items(box, '/api/v1/inbox'))[0]).toMatchObject({ from: '030777', line: 'fax0' })
    expect((await line()).fax?.lastCall).toMatchObject({ from: '030777', result: 'received' })

    // What was seen of a call outlives the program.
    await box.kill('SIGKILL')
    await rig.restart()
    await until(async () => (await line()).fax?.lastCall?.from === '030777', 'the call is remembered')
  })

  test('does not dial in its hours and says when it will, but for what is urgent', {
    timeout: 60_000,
  }, async () => {
    const hours = '{ from: "00:00", until: "23:59", zone: UTC, except: 0 }'
    const last = '{ from: "23:59", until: "00:00", zone: UTC, except: 0 }'
    rig = await startFaxRig({}, `, doNotDial: [${hours}, ${last}]`)
    const file = chart(join(rig.directory, 'page.tif'), { rows: 100 })
    const id = await rig.send(file)
    const held = async () => (await rig?.delivery(id))?.reason?.code === 'do-not-dial'
    await until(held, 'it is held', 20_000)
    const waiting = await rig.delivery(id)
    expect(waiting).toMatchObject({ state: 'queued', attempts: 0 })
    expect(waiting.reason?.text).toMatch(/dials again at (23:59|00:00) \(UTC\)/)
    expect(waiting.timeline.at(-1)?.reason?.code).toBe('do-not-dial')
    expect(new Date(waiting.due).toISOString()).toMatch(/T(23:59|00:00):00/)
    expect((await line()).fax?.progress).toContain('does not dial')
    const urgent = await rig.send(file, { priority: '0' })
    await rig.settled(urgent, 'sent')
    expect((await rig.delivery(id)).state).toBe('queued')
  })
})

/** A pair with a broker and a PLC: only the active one takes and watches, and a takeover loses and repeats nothing. */
import { expect, onTestFinished, test } from 'vitest'
import { modem, pairOf } from '../../pair/boxes.ts'
import { describeWith } from '../../requirements.ts'
import { until } from '../../system/appliance.ts'
import { startPlc } from '../modbus/rig.ts'
import { startListener, startMosquitto } from './rig.ts'

describeWith(['mosquitto'], 'a pair with a broker and a PLC', () => {
  test('every message and alert once, whoever is active when it comes', { timeout: 120_000 }, async () => {
    const broker = await startMosquitto()
    onTestFinished(() => broker.remove())
    const other = await startListener(broker.port)
    onTestFinished(() => other.stop())
    const plc = await startPlc()
    onTestFinished(() => plc.stop())
    const modems = [await modem('20'), await modem('20')] as const
    const texts = () => modems.flatMap((one) => one.texts())
    const intake = `intake:
  mqtt: { url: "mqtt://127.0.0.1:${broker.port}", to: ["+4915112345"] }
  modbus: { poll: [{ id: ups, url: "tcp://127.0.0.1:${plc.port}", register: 40021, when: "> 45", clear: "< 40", every: 100ms, to: ["+4915112345"] }] }
`
    const plan = (n: 0 | 1) => ({
      lines: [`{ id: gsm0, kind: gsm, port: '${modems[n].address}', reports: false }`],
      more: intake,
    })
    const [a, b] = await pairOf(plan(0), plan(1))
    await a.line('gsm0', 'ready')
    await until(
      () => other.on('twinline/node/box-b/role').at(-1) === 'STANDBY',
      'b says that it is on standby',
    )

    await other.publish('twinline/send', '{"id":"one","text":"one"}')
    plc.registers.set(20, 50)
    await until(() => texts().length === 2, 'one and the alert')
    expect(texts().sort()).toEqual(['one', 'ups: 50'])
    await a.inStepWith('box-b')

    await a.kill()
    // Nobody is active now: the broker keeps these, and the register is back to normal when somebody looks again.
    for (const text of ['two', 'three', 'four']) await other.publish('twinline/send', text)
    plc.registers.set(20, 30)
    await b.is('active')
    await until(() => texts().length >= 6, 'all that came meanwhile', 60_000)
    const all = ['four', 'one', 'three', 'two', 'ups: 30, back to normal', 'ups: 50']
    expect(texts().sort()).toEqual(all)
    expect(other.on('twinline/node/box-a/status').at(-1)).toBe('offline')

    await a.start()
    await Promise.all([a.is('standby'), a.inStepWith('box-b')])
    await other.publish('twinline/send', 'five')
    plc.registers.set(20, 60)
    await until(() => texts().length >= 8, 'what came after the return', 60_000)
    expect(texts().sort()).toEqual([...all, 'five', 'ups: 60'].sort())
  })
})

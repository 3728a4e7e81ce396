/**
 * From a register that crosses its limit to AT+CMGS at the modem: a PLC (modbus-serial's server, in this process), an
 * appliance that asks it over TCP, and simulated modems. Crossings fall anywhere between two questions. Both times are
 * of the machine's one monotonic clock: the PLC's when the register gets its value, the modem's when the command came.
 */
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { ServerTCP } from 'modbus-serial'
import { until } from '../../system/appliance.ts'
import { type Bench, startRig } from '../bench.ts'
import { quantiles } from '../measure.ts'

const EVERY_MS = 200
const CROSSINGS = 60
const ADDRESS = 20

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

export async function modbusCrossing(bench: Bench): Promise<void> {
  const port = await freePort()
  let value = 0
  const plc = new ServerTCP(
    { getHoldingRegister: (address: number) => (address === ADDRESS ? value : 0) },
    { host: '127.0.0.1', port, unitID: 1 },
  )
  plc.on('socketError', () => {})
  await new Promise<void>((resolve) => plc.on('initialized', () => resolve()))
  const poll = `{ id: ups, url: "tcp://127.0.0.1:${port}", register: 40021, when: "> 45", clear: "< 40", every: ${EVERY_MS}ms, to: ["+491710001"] }`
  const rig = await startRig(bench, {
    lines: 1,
    networkMs: 0,
    more: `intake: { modbus: { poll: [${poll}] } }\n`,
  })
  try {
    const crossedAt: number[] = []
    for (let n = 0; n < CROSSINGS; n += 1) {
      for (const next of [50, 30]) {
        await pause(Math.random() * EVERY_MS)
        const before = await rig.modems.count()
        if (next > 45) crossedAt.push(Number(process.hrtime.bigint()))
        value = next
        await until(async () => (await rig.modems.count()) > before, 'a message at the modem')
      }
    }
    const { record } = await rig.modems.record()
    // The even ones are alerts, the odd ones all-clears.
    const alerts = record.filter((_, n) => n % 2 === 0)
    if (record.length !== CROSSINGS * 2)
      throw new Error(`${record.length} messages for ${CROSSINGS} crossings`)
    const beyond = alerts.map(({ commandAt }, n) => (commandAt - (crossedAt[n] ?? 0)) / 1e6)
    const { p50, p99, max } = quantiles(beyond)
    bench.print({
      figure: 'Modbus value crosses its limit to AT+CMGS',
      value: { p50, p99, max },
      unit: 'ms',
      under: { pollMs: EVERY_MS, crossings: CROSSINGS },
      reach: `<= ${EVERY_MS} + 100 ms`,
    })
  } finally {
    await rig.stop()
    await new Promise<void>((resolve) => plc.close(() => resolve()))
  }
}

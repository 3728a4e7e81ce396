/** Drives modems that somebody else provides (`--port`), and measures from the gateway's side of the wire. */
import { setTimeout as pause } from 'node:timers/promises'
import { startAppliance } from '../system/appliance.ts'
import type { Bench } from './bench.ts'
import { alert, postMessages } from './load.ts'
import { usage } from './measure.ts'

export async function driveForeignModems(bench: Bench): Promise<void> {
  const ports = bench.foreignPorts.map((port) =>
    port.includes('://') ? port : `serial://${port}?baud=115200`,
  )
  const box = await startAppliance({ directory: bench.directory(), ports })
  try {
    await box.ready(ports.length)
    const count = Math.min(100_000, 2_000 * bench.seconds)
    const token = await box.token()
    const before = usage([box.pid])
    const start = performance.now()
    const options = { connections: 8, count, withinMs: bench.seconds * 1_000, body: alert }
    const { accepted } = await postMessages(box.address, token, options)
    let sent = 0
    while (sent < accepted && performance.now() - start < bench.seconds * 1_000) {
      await pause(200)
      const { body } = await box.call('GET', '/api/v1/totals')
      const rows = Array.isArray(body['items']) ? body['items'] : []
      sent = rows.reduce((sum, row) => sum + Number(row.sent ?? 0), 0)
    }
    const wallS = (performance.now() - start) / 1_000
    const cpuS = usage([box.pid]).cpuS - before.cpuS
    const under = { lines: ports.length, accepted, sent }
    bench.print({ figure: 'messages over foreign modems', value: sent / wallS, unit: '1/s', under })
    bench.print({
      figure: 'CPU per 1,000 messages',
      value: (cpuS / Math.max(1, sent)) * 1_000,
      unit: 's',
      under,
    })
  } finally {
    await box.kill('SIGTERM')
  }
}

/**
 * The process that holds the simulated modems of a benchmark, so that their cost is not the gateway's. Started by
 * modems.ts with an IPC channel; ends when that closes.
 *
 * Arguments: directory of the device links, number of modems, options as `name=value`.
 */
import { join } from 'node:path'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { servePty } from '#simulator/serve.ts'

const [directory = '', lines = '1', ...settings] = process.argv.slice(2)
const options = Object.fromEntries(settings.map((setting) => setting.split('=', 2)))
const network = new SimulatedNetwork()
const ports: string[] = []
for (let line = 0; line < Number(lines); line++) {
  const parsed = parseModemOptions(options, line)
  if (isProblem(parsed)) throw new Error(`${parsed.problem}; allowed: ${parsed.allowed}`)
  const link = join(directory, `line${line}`)
  await servePty(new SimulatedModem(parsed, undefined, network, `line${line}`), link)
  ports.push(link)
}

process.on('message', (question) => {
  if (question === 'count')
    process.send?.({
      count: network.submissions.filter(({ answeredAt }) => answeredAt > 0).length,
    })
  if (question === 'record')
    process.send?.({
      record: network.submissions,
      violations: network.violations,
    })
})
process.on('disconnect', () => process.exit())
process.send?.({ ports })

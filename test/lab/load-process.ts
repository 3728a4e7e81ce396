/**
 * Posts messages from the client's namespace as fast as they are accepted. Arguments: URL, token, connections, count,
 * bound in ms; prints what came of it as JSON.
 */
import { alert, postMessages } from '../bench/load.ts'

const [url = '', token = '', connections = '1', count = '1', withinMs = '1000'] = process.argv.slice(2)
const load = await postMessages(url, token, {
  connections: Number(connections),
  count: Number(count),
  withinMs: Number(withinMs),
  body: alert,
})
const sorted = [...load.latencies].sort((a, b) => a - b)
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
const { accepted, refused, wallS } = load
console.log(
  JSON.stringify({ accepted, refused, perSecond: accepted / wallS, p50: at(0.5), p99: at(0.99), max: at(1) }),
)

/**
 * What replication costs, one JSON line a figure: node test/pair/replication/bench.ts
 *
 * Two members in one process share one event loop and one disk, so the figures are pessimistic: an appliance has both
 * for itself.
 */
import { cpus } from 'node:os'
import { acceptance, RealPair } from './real-pair.ts'

const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version }

function percentiles(values: number[]): Record<string, number> {
  values.sort((a, b) => a - b)
  const at = (share: number) => Math.round((values[Math.floor(values.length * share)] ?? 0) * 100) / 100
  return { p50: at(0.5), p99: at(0.99), most: at(0.9999) }
}

const pair = await RealPair.make(['a', 'b'])
const a = pair.member('a')
while (!a.replication.available()) await new Promise((resolve) => setTimeout(resolve, 20))

async function run(callers: number, ms: number): Promise<void> {
  const whole: number[] = []
  const remote: number[] = []
  let missed = 0
  const started = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() - started < ms) {
      const begun = performance.now()
      await a.store.accept([acceptance('Cold store 7: door open for 15 minutes')])
      const local = performance.now()
      if (!(await a.replication.acknowledged(a.store.logged(), 5_000))) missed += 1
      whole.push(performance.now() - begun)
      remote.push(performance.now() - local)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const perSecond = Math.round((whole.length * 1_000) / (performance.now() - started))
  console.log(
    JSON.stringify({
      bench: 'replication',
      callers,
      perSecond,
      missed,
      acceptedOnTwoDisksMs: percentiles(whole),
      acknowledgedAfterOwnDiskMs: percentiles(remote),
      ...machine,
    }),
  )
}

try {
  await run(1, 1_000)
  await run(1, 5_000)
  await run(64, 10_000)
} finally {
  await pair.end()
}

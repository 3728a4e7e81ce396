/**
 * A process that starts and stops an appliance again and again, and counts what is left: prints as JSON what there is
 * more of, by one for each time or more. One of its own, because every other thing in it would be counted too, and because a member of a pair
 * starts its guard by the name of its program.
 */
import { EventEmitter } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { loadConfig } from '#config/load.ts'
import { silent } from '#core/log.ts'
import { startAppliance } from '../../src/app.ts'

const WARM = 2
const SETTLES_WITHIN_MS = 40_000

const Timer = setTimeout(() => {}, 0).constructor as new () => NodeJS.Timeout

/** Collects what can be collected first. Where a name is absent afterwards there is none. */
function things(): Record<string, number> {
  const counts: Record<string, number> = {}
  const count = (name: string, more = 1) => {
    counts[name] = (counts[name] ?? 0) + more
  }
  for (const kind of [EventEmitter, Map, Set, AbortSignal, Timer])
    count(kind.name, queryObjects(kind, { format: 'count' }))
  for (const name of process.eventNames()) count(`process.on ${String(name)}`, process.listenerCount(name))
  for (const kind of process.getActiveResourcesInfo()) count(kind)
  count('open files', readdirSync('/proc/self/fd').length)
  count('threads', readdirSync('/proc/self/task').length)
  return counts
}

/** Started, asked once, and stopped. */
async function live(file: string): Promise<void> {
  const appliance = await startAppliance(loadConfig(file), {
    log: silent,
    setLevel() {},
    recent: () => [],
    restart() {},
    onFailure(error) {
      throw error
    },
    file,
  })
  const answer = await fetch(`${appliance.addresses[0]}/api/v1/session`, { headers: { connection: 'close' } })
  await answer.text()
  await appliance.stop()
}

/** What there is more of by one for each time, or more. */
const left = (before: Record<string, number>, after: Record<string, number>, times: number) =>
  Object.entries(after).filter(([name, count]) => count - (before[name] ?? 0) >= times)

const [, , file = '', times = '0'] = process.argv
if (file === 'guard') await import('../../src/main.ts')
else {
  for (let n = 0; n < WARM; n += 1) await live(file)
  const before = things()
  for (let n = 0; n < Number(times); n += 1) await live(file)
  // Deadlines of what was stopped may still run; they end by themselves.
  const until = performance.now() + SETTLES_WITHIN_MS
  let after = things()
  while (left(before, after, Number(times)).length > 0 && performance.now() < until) {
    await pause(500)
    after = things()
  }
  console.log(JSON.stringify(left(before, after, Number(times))))
  process.exit()
}

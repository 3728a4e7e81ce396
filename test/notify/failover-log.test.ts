/** One file a day, lines of every member in order of time, bounded and kept for a bounded time. Real files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { silent } from '#core/log.ts'
import type { Operation } from '#messages/operation.ts'
import { createFailoverLog, dayOf, type FailoverLine, KEPT_DAYS } from '#notify/failover-log.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

const DAY_MS = 86_400_000
/** Local noon, so that no zone of the machine that tests changes the day. */
const noon = new Date(2026, 10, 21, 12, 0, 0, 7).getTime()

function open({ now = noon, failing = false, stored = [] as FailoverLine[] } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'tw-failover-'))
  directories.push(directory)
  const operations: Operation[] = []
  const time = { now }
  const failover = createFailoverLog({
    directory,
    node: 'box-a',
    clock: { now: () => time.now, monotonic: () => 0, trusted: () => true },
    log: silent,
    store: {
      async operate(operation) {
        if (failing) throw new Error('no room')
        operations.push(operation)
        return true
      },
      failover: async (since) => stored.filter(({ at }) => at >= since),
    },
  })
  return { failover, operations, time, folder: join(directory, 'failover') }
}

it('writes own lines with their time to the ms, and gives them to every member', async () => {
  const { failover, operations, time, folder } = open()
  failover.write('error detected, count = 1')
  time.now += 1_234
  failover.write('takes over\nas box-a')
  await failover.settled()
  expect(readFileSync(join(folder, 'FT_REPORT_261121.txt'), 'utf8')).toBe(
    '12:00:00.007 box-a error detected, count = 1\n12:00:01.241 box-a takes over as box-a\n',
  )
  expect(statSync(join(folder, 'FT_REPORT_261121.txt')).mode & 0o777).toBe(0o600)
  expect(operations).toEqual([
    { op: 'failover', text: 'error detected, count = 1' },
    { op: 'failover', text: 'takes over as box-a' },
  ])
})

it('shows the lines of all members in order of time, by day, also those that came with a snapshot', async () => {
  const stored = [
    { origin: 'box-a', at: noon + 1, text: 'own, with the time of the store' },
    { origin: 'box-b', at: noon + 2, text: 'came by merging' },
    { origin: 'box-c', at: noon + 3, text: 'came with a snapshot' },
    { origin: 'box-c', at: noon + DAY_MS, text: 'tomorrow' },
  ]
  const { failover, time } = open({ stored })
  failover.write('first')
  time.now += 10
  failover.write('last')
  failover.merged(stored.slice(0, 2))
  failover.merged([{ origin: 'box-b', at: noon - DAY_MS, text: 'yesterday' }])
  expect(await failover.day('2026-11-21')).toEqual([
    '12:00:00.007 box-a first',
    '12:00:00.009 box-b came by merging',
    '12:00:00.010 box-c came with a snapshot',
    '12:00:00.017 box-a last',
  ])
  expect(await failover.day('2026-11-20')).toEqual(['12:00:00.007 box-b yesterday'])
  expect(await failover.days()).toEqual(['2026-11-21', '2026-11-20'])
})

it('goes on when the store refuses, and counts what came too fast', async () => {
  const { failover } = open({ failing: true })
  for (let n = 0; n < 2_500; n += 1) failover.write(`line ${n}`)
  await failover.settled()
  const lines = await failover.day('2026-11-21')
  expect(lines).toHaveLength(2_001)
  expect(lines.at(-1)).toBe('12:00:00.007 box-a 500 lines came too fast and are not in this log')
})

it('removes the file of a day that is too long ago, and nothing else', async () => {
  const { failover, time, folder } = open()
  failover.write('long ago')
  await failover.settled()
  writeFileSync(join(folder, 'notes.txt'), 'of the operator')
  time.now += (KEPT_DAYS - 1) * DAY_MS
  failover.write('almost too long')
  await failover.settled()
  expect(readdirSync(folder)).toHaveLength(3)
  time.now += 2 * DAY_MS
  failover.write('now')
  await failover.settled()
  expect(await failover.days()).toEqual([dayOf(time.now), dayOf(time.now - 2 * DAY_MS)])
  expect(readdirSync(folder)).toContain('notes.txt')
})

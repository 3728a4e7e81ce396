/** The last success of a line outlives the process, and a busy line does not wear the disk out. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Log } from '#core/log.ts'
import { LastSuccess } from '#lines/last-success.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const silent = (): void => undefined
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }

test('a thousand messages in a minute are one write; the newest time counts after a restart', async () => {
  const written: string[] = []
  const memory = {
    recall: async () => written.at(-1),
    remember: async (_name: string, value: string) => void written.push(value),
  }
  const before = new LastSuccess(memory, 'x', log)
  for (let at = 1; at <= 1_000; at += 1) before.note(at)
  expect(written).toEqual([])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(written).toEqual(['1000'])
  await before.keep()
  expect(written).toHaveLength(1)
  before.note(2_000)
  await before.keep()
  const after = new LastSuccess(memory, 'x', log)
  await after.recall()
  expect(after.at).toBe(2_000)
})

test('nothing kept is nothing known, and what happens while it is looked up counts', async () => {
  const none = new LastSuccess({ recall: async () => undefined, remember: async () => undefined }, 'x', log)
  await none.recall()
  expect(none.at).toBeUndefined()
  const late = new LastSuccess({ recall: async () => '5', remember: async () => undefined }, 'x', log)
  const recalled = late.recall()
  late.note(9)
  await recalled
  expect(late.at).toBe(9)
})

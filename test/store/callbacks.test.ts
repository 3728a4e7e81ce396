/** Messages whose clients want to be told: found in the order in which they came, on every member, until settled. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, because, change, START } from './fixtures.ts'
import { Member } from './members.ts'

const DAY = 86_400_000
const callback = { api: 'kannel' as const, url: 'http://x/', values: { mask: '31' } }

let directory: string
let store: Store & OperationLog
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'callbacks-'))
  store = await openStore({ directory, node: 'a' })
})
afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

async function accept(wish: Parameters<typeof acceptance>[0] = {}): Promise<string> {
  const made = acceptance(wish)
  await store.accept([made])
  return made.message.id
}

test('only those with a callback, in order, each with what was told', async () => {
  const one = await accept({ callback })
  await accept({ text: 'no "callback":{ here' })
  const two = await accept({ callback })
  await store.remember(`callback:${one}`, '{"0":["8"]}')
  const { items, next } = await store.callbacks(0, 'done')
  expect(items).toEqual([{ id: one, told: '{"0":["8"]}' }, { id: two }])
  expect(await store.callbacks(next ?? 0, 'done')).toEqual({ items: [] })
  const three = await accept({ callback })
  expect((await store.callbacks(next ?? 0, 'done')).items).toEqual([{ id: three }])
})

test('a settled one is passed over, and the rest is found behind it', async () => {
  const ids: string[] = []
  for (let n = 0; n < 502; n += 1) ids.push(await accept({ callback, at: START + n }))
  for (const id of ids.slice(0, 501)) await store.remember(`callback:${id}`, 'done')
  const first = await store.callbacks(0, 'done')
  expect(first.items).toEqual([])
  expect((await store.callbacks(first.next ?? 0, 'done')).items).toEqual([{ id: ids[501] }])
})

test('the index of step 3 serves the question', async () => {
  await store.close()
  const db = new DatabaseSync(join(directory, 'twinline.db'))
  const plan = db
    .prepare(
      `EXPLAIN QUERY PLAN SELECT position FROM messages WHERE instr(document, '"callback":{') > 0 AND position > 7 ORDER BY position LIMIT 5`,
    )
    .all()
  db.close()
  expect(JSON.stringify(plan)).toContain('messages_callback')
  store = await openStore({ directory, node: 'a' })
})

test('what was told leaves with its message', async () => {
  const id = await accept({ callback })
  await store.remember(`callback:${id}`, 'done')
  await store.record([change(`${id}.0`, { event: 'cancel', reason: because('test') })])
  await store.sweep(START + 10 * DAY, { queue: DAY, archive: 20 * DAY }, 10)
  expect(await store.recall(`callback:${id}`)).toBe('done')
  await store.sweep(START + 30 * DAY, { queue: DAY, archive: 20 * DAY }, 10)
  expect(await store.message(id)).toBeUndefined()
  expect(await store.recall(`callback:${id}`)).toBeUndefined()
})

test('another member finds them with what was told', () => {
  const a = new Member('a')
  const b = new Member('b')
  const made = acceptance({ callback })
  a.call('openIncarnation')
  b.call('openIncarnation')
  a.call('accept', [made], null)
  const name = `callback:${made.message.id}`
  a.call('operate', { op: 'remember', name, value: '{"0":["8"]}' }, START)
  b.catchUp(a)
  expect(b.call('callbacks', 0, 'done').items).toEqual([{ id: made.message.id, told: '{"0":["8"]}' }])
})

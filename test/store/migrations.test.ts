/** Data of every version that ever shipped opens, and data of a version that is too new is left alone. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, type Step, steps } from '#store/migrations.ts'
import { openStore } from '#store/sqlite.ts'
import { buildVersion1, messageOfVersion1 } from './version-1.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-'))
})
afterEach(() => rm(directory, { recursive: true }))

const path = () => join(directory, 'twinline.db')
const change = (sql: string) => {
  const db = new DatabaseSync(path())
  db.exec(sql)
  db.close()
}
const tables = (db: DatabaseSync) =>
  db
    .prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name')
    .all()
    .map(({ name, sql }) => `${name}: ${String(sql).replace(/\s+/g, ' ')}`)

test('the data of version 1 opens and works on', async () => {
  buildVersion1(path())
  const store = await openStore({ directory, node: 'a' })
  const { id } = messageOfVersion1.message
  expect(await store.message(id)).toEqual(messageOfVersion1)
  expect(await store.depth()).toMatchObject({ queued: 1 })
  const now = messageOfVersion1.message.at
  const claim = await store.claim({ limit: 9, now, until: now, term: { counter: 1, node: 'a' } })
  expect(claim.claims).toHaveLength(1)
  await store.close()
})

test('what the release before writes into the tables of this one is read, logs that it began included', async () => {
  const store = await openStore({ directory, node: 'a' })
  await store.remember('before', 'x')
  await store.close()
  const at = messageOfVersion1.message.at
  const operation = (name: string) => JSON.stringify({ op: 'remember', name, value: 'y' })
  const db = new DatabaseSync(path())
  const log = Number(db.prepare("SELECT id FROM logs WHERE origin = 'a'").get()?.['id'])
  const write = db.prepare('INSERT INTO log (place, at, counter, node, operation) VALUES (?, ?, ?, ?, ?)')
  write.run(log * 2 ** 40 + 2, at, 1, 'a', operation('one'))
  db.prepare("INSERT INTO logs (origin, incarnation) VALUES ('other', 'begun by it')").run()
  write.run((log + 1) * 2 ** 40 + 1, at, 1, 'other', operation('two'))
  db.exec(
    `INSERT INTO archive_messages SELECT * FROM messages; INSERT INTO archive_deliveries SELECT * FROM deliveries`,
  )
  db.close()
  const again = await openStore({ directory, node: 'a' })
  expect(again.logged().sequence).toBe(2)
  expect(await again.positions()).toMatchObject([
    { origin: 'a', sequence: 2 },
    { origin: 'other', incarnation: 'begun by it', sequence: 1 },
  ])
  await again.remember('after', 'z')
  expect((await again.entries('a', 0, 9)).map(({ clock }) => clock)).toEqual([1, 2, 3])
  await again.close()
})

test('whatever version the data has, it ends with the same tables as new data', () => {
  buildVersion1(path())
  const old = new DatabaseSync(path())
  migrate(old)
  const fresh = new DatabaseSync(':memory:')
  migrate(fresh)
  expect(tables(old)).toEqual(tables(fresh))
  old.close()
  fresh.close()
})

test('steps are numbered from 1 without gaps, and no step forgets who can read it', () => {
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_, n) => n + 1))
  for (const { number, readableFrom } of steps) expect(readableFrom).toBeLessThanOrEqual(number)
})

const added: Step[] = [
  ...steps,
  { number: steps.length + 1, readableFrom: 1, statements: 'CREATE TABLE more (x)' },
]
const broken: Step[] = [
  ...steps,
  {
    number: steps.length + 1,
    readableFrom: steps.length + 1,
    statements: 'CREATE TABLE more (x); DROP TABLE messages',
  },
]

test('data of the next version opens as long as that version only added', async () => {
  buildVersion1(path())
  const db = new DatabaseSync(path())
  migrate(db, added)
  db.close()
  const store = await openStore({ directory, node: 'a' })
  expect(await store.depth()).toMatchObject({ queued: 1 })
  await store.close()
})

test('data that only a newer version can work with is refused untouched', async () => {
  buildVersion1(path())
  const db = new DatabaseSync(path())
  migrate(db, broken)
  db.close()
  await expect(openStore({ directory, node: 'a' })).rejects.toMatchObject({ code: 'data-newer' })
  change('INSERT INTO more VALUES (1)')
  await expect(openStore({ directory, node: 'a' })).rejects.toMatchObject({ code: 'data-newer' })
})

test('a step that fails leaves the version before it', () => {
  const db = new DatabaseSync(':memory:')
  migrate(db)
  const failing = { number: steps.length + 1, readableFrom: 1, statements: 'CREATE TABLE more (x); NONSENSE' }
  expect(() => migrate(db, [...steps, failing])).toThrow()
  expect(tables(db).some((table) => table.startsWith('more:'))).toBe(false)
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: steps.length })
  migrate(db, added)
  db.close()
})

/** Snapshots between real stores, and what is kept of logs that nobody needs any more. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, because, change, intend, part, START } from './fixtures.ts'
import { DAY } from './held.ts'

type Both = Store & OperationLog

let directory: string
const opened: Both[] = []
async function open(node: string, reserve?: number): Promise<Both> {
  const limit = reserve === undefined ? {} : { reserve }
  const store = await openStore({ directory: join(directory, node), node, now: () => START, ...limit })
  opened.push(store)
  return store
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-snapshot-'))
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(directory, { recursive: true })
})

async function pagesOf(store: Both) {
  const view = await store.snapshot()
  const pages: string[] = []
  for (let page = await view.next(); page !== undefined; page = await view.next()) pages.push(page)
  await view.close()
  return { pages, positions: view.positions }
}
async function load(from: Both, to: Both): Promise<void> {
  const { pages, positions } = await pagesOf(from)
  const writer = await to.loadSnapshot()
  for (const page of pages) await writer.add(page)
  await writer.finish(positions)
}
async function catchUp(to: Both, from: Both): Promise<void> {
  for (const { incarnation } of await from.positions()) {
    for (;;) {
      const known = (await to.positions()).find((one) => one.incarnation === incarnation)?.sequence ?? 0
      const batch = await from.read(incarnation, known, 100_000)
      if (batch === undefined) break
      if (batch === 'trimmed') throw new Error('trimmed')
      await to.merge(batch)
    }
  }
}
async function acceptOne(store: Both, ...wish: Parameters<typeof acceptance>): Promise<string> {
  const one = acceptance(...wish)
  await store.accept([one])
  return one.deliveries[0]?.id ?? ''
}
const deliveryOf = async (store: Both, id: string) =>
  (await store.message(id.slice(0, id.lastIndexOf('.'))))?.deliveries.find((one) => one.id === id)

const everything = async (store: Both) => ({
  messages: (await store.messages({ limit: 1_000 })).items.sort((a, b) =>
    a.message.id < b.message.id ? -1 : 1,
  ),
  depth: await store.depth(),
  totals: await store.totals(0),
  inbox: (await store.inbox({ limit: 100 })).items,
  tokens: await store.tokens(),
  users: await store.users(),
  sessions: await store.sessions(),
  fact: await store.recall('fact'),
  members: await store.members(),
  revisions: await store.revisions(),
  settled: await store.settledConflicts(),
  audit: await store.audit({ limit: 100 }),
  failover: await store.failover(0, 100),
})

const ann = {
  name: 'ann',
  role: 'admin' as const,
  password: 'hash',
  createdAt: START,
  createdBy: 'setup',
}

async function live(store: Both): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < 40; n++)
    ids.push(await acceptOne(store, { text: 'x'.repeat(5_000), to: ['+491701', '+492'] }))
  const [sent = '', waiting = '', held = ''] = ids
  await store.record([change(sent, intend()), change(sent, accepted(1))])
  await store.record([change(waiting, intend()), change(waiting, accepted(2, START + 90))])
  await store.record([change(held, intend()), change(held, { event: 'hold', reason: because('silence') })])
  await store.receive(part({ text: 'hello' }))
  await store.receive(part({ number: 1, total: 2, reference: 9 }))
  await store.remember('fact', 'yes')
  const token = { id: 't', name: 'ops', hash: 'h', scopes: ['send' as const], createdAt: START }
  await store.createToken(token)
  await store.createToken({ ...token, id: 'gone' })
  await store.revokeToken('gone')
  await store.saveUser(ann)
  await store.saveUser({ ...ann, name: 'gone' })
  await store.removeUser('gone')
  await store.saveSession({ id: 's', user: 'ann', createdAt: START, usedAt: START })
  await store.saveSession({ id: 'over', user: 'ann', createdAt: START, usedAt: START })
  await store.endSession('over', START)
  const member = { node: 'b', fingerprint: 'f', guard: [], log: [], priority: 1 }
  await store.operate({ op: 'member', member })
  await store.operate({ op: 'revision', revision: { id: 'r', author: 'x', at: START, changes: [] } })
  await store.operate({ op: 'conflictSettle', revision: 'r', path: 'p' })
  const record = { number: 0, hash: '', at: START, who: 'x', what: 'y', text: 'z' }
  await store.operate({ op: 'audit', record })
  await store.operate({ op: 'failover', text: 'line' })
  return ids
}

describe('a snapshot', () => {
  test('brings everything, in pages, and the logs go on from it', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const [sent = '', waiting = ''] = await live(a)
    const archived = await acceptOne(a, { at: START - 9 * DAY })
    await a.record([
      change(archived, intend(), START - 9 * DAY),
      change(archived, accepted(5), START - 9 * DAY),
    ])
    await a.sweep(START, { queue: 7 * DAY, archive: 30 * DAY }, 10)
    const { pages } = await pagesOf(a)
    expect(pages.length).toBeGreaterThan(4)
    for (const page of pages) expect(page.length).toBeLessThan(80_000)
    await load(a, b)
    expect(await everything(b)).toEqual(await everything(a))
    expect(b.complete()).toBe(true)
    expect(await b.positions()).toEqual([{ ...a.logged(), first: a.logged().sequence + 1 }])
    await a.record([change(waiting, { event: 'report', part: 0 })])
    await acceptOne(a)
    await catchUp(b, a)
    expect(await everything(b)).toEqual(await everything(a))
    // What comes after it has an order above all in it.
    expect(await b.record([change(sent, { event: 'report', part: 0 })])).toEqual([true])
    await catchUp(a, b)
    expect(await deliveryOf(a, sent)).toEqual(await deliveryOf(b, sent))
    expect(
      await b.matchReport({ node: 'a', line: 'gsm0', reference: 2, to: '+491701', at: START }),
    ).toBeUndefined()
  })

  test('is of one moment, whatever is written meanwhile', async () => {
    const [a, b] = [await open('a'), await open('b')]
    for (let n = 0; n < 30; n++) await acceptOne(a, { text: 'x'.repeat(9_000) })
    const before = await everything(a)
    const view = await a.snapshot()
    const writer = await b.loadSnapshot()
    for (let page = await view.next(); page !== undefined; page = await view.next()) {
      await writer.add(page)
      await acceptOne(a)
    }
    await writer.finish(view.positions)
    await view.close()
    expect(await everything(b)).toEqual(before)
    await catchUp(b, a)
    expect(await everything(b)).toEqual(await everything(a))
  })

  test('undoes nothing that this member did and nobody knows yet', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const [one, two] = [await acceptOne(a), await acceptOne(a)]
    const early = await acceptOne(a, { key: { key: 'k', bodyHash: 'h' } })
    await catchUp(b, a)
    await b.record([change(one, intend('gsm0', 0, 'b')), change(one, accepted(3))])
    const own = await acceptOne(b)
    await a.observe({ counter: 5, node: 'a' })
    await a.record([change(one, { event: 'cancel', reason: because('asked') })])
    await a.record([change(two, { event: 'cancel', reason: because('asked') })])
    await a.record([change(early, intend()), change(early, accepted(4))])
    const waiting = (await b.positions()).find(({ origin }) => origin === 'b')
    await load(a, b)
    expect(await deliveryOf(b, one)).toMatchObject({ state: 'sent' })
    expect(await deliveryOf(b, two)).toMatchObject({ state: 'cancelled' })
    expect(await deliveryOf(b, own)).toMatchObject({ state: 'queued' })
    expect(await b.positions()).toContainEqual(waiting)
    await catchUp(a, b)
    for (const id of [one, two, own, early]) {
      expect((await deliveryOf(a, id))?.state).toBe((await deliveryOf(b, id))?.state)
    }
    expect(await b.totals(0)).toEqual(await a.totals(0))
  })

  test('finds messages that carry one key on both sides', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    const key = { key: 'k', bodyHash: 'h' }
    const lower = await acceptOne(a, { key })
    await b.remember('later', 'than a')
    const higher = await acceptOne(b, { key })
    await load(a, b)
    expect(await deliveryOf(b, higher)).toMatchObject({ state: 'cancelled', reason: { code: 'duplicate' } })
    expect(await deliveryOf(b, lower)).toMatchObject({ state: 'queued', possibleDuplicate: false })
    await c.remember('x', 'y')
    await c.remember('x', 'z')
    const highest = await acceptOne(c, { key })
    await load(b, c)
    expect(await deliveryOf(c, highest)).toMatchObject({ state: 'cancelled' })
    expect(await deliveryOf(c, higher)).toMatchObject({ state: 'cancelled', possibleDuplicate: false })
    expect(await deliveryOf(c, lower)).toMatchObject({ state: 'queued' })
  })

  test('that was not finished leaves the store incomplete, over a restart too', async () => {
    const [a, b] = [await open('a'), await open('b')]
    await live(a)
    const { pages } = await pagesOf(a)
    const writer = await b.loadSnapshot()
    expect(b.complete()).toBe(false)
    for (const page of pages.slice(0, -3)) await writer.add(page)
    await b.close()
    const again = await open('b')
    expect(again.complete()).toBe(false)
    expect(await again.positions()).toMatchObject([{ origin: 'a', sequence: 0 }])
    await (await again.loadSnapshot()).abandon()
    expect(again.complete()).toBe(false)
    await load(a, again)
    expect(again.complete()).toBe(true)
    expect(await everything(again)).toEqual(await everything(a))
    await again.close()
    expect((await open('b')).complete()).toBe(true)
  })

  test('that is no snapshot is refused', async () => {
    const b = await open('b')
    const writer = await b.loadSnapshot()
    await expect(writer.add('[')).rejects.toMatchObject({ code: 'log-malformed' })
    await expect(writer.add('{"kind":"fact","rows":[["a","b",null]]}')).rejects.toMatchObject({
      code: 'log-malformed',
    })
    await writer.add('{"head":{"positions":[],"term":{"counter":1,"node":"a"},"clock":1}}')
    await expect(writer.add('{"kind":"fact","rows":[[1]]}')).rejects.toMatchObject({ code: 'log-malformed' })
    await writer.add('{"kind":"of a later version","rows":[[1]]}')
    await writer.add('{"kind":"fact","rows":[["a","b",null]]}')
    await writer.finish([])
    expect(await b.recall('a')).toBe('b')
  })

  test('view that was closed says so; of many the oldest gives way', async () => {
    const a = await open('a')
    await live(a)
    const views = []
    for (let n = 0; n < 5; n++) views.push(await a.snapshot())
    await expect(views[0]?.next()).rejects.toMatchObject({ code: 'snapshot-over' })
    expect(await views[1]?.next()).toContain('"head"')
    for (const view of views) await view.close()
  })
})

describe('trimming', () => {
  const retention = { queue: 7 * DAY, archive: 30 * DAY }
  const first = async (store: Both, incarnation: string) =>
    (await store.positions()).find((one) => one.incarnation === incarnation)?.first

  test('drops entries of more than a day, but not those that somebody lacks, for a week', async () => {
    const a = await open('a')
    for (let n = 0; n < 10; n++) await a.remember('n', String(n))
    const { incarnation } = a.logged()
    await a.sweep(START + DAY, retention, 10)
    expect(await first(a, incarnation)).toBe(1)
    a.retain(new Map([[incarnation, 3]]))
    await a.sweep(START + DAY + 1, retention, 10)
    expect(await first(a, incarnation)).toBe(4)
    expect(await a.read(incarnation, 2, 1_000)).toBe('trimmed')
    expect(await a.read(incarnation, 3, 100)).toMatchObject({ from: 4 })
    await a.sweep(START + 7 * DAY + 1, retention, 10)
    expect(await first(a, incarnation)).toBe(10)
    expect(a.logged().sequence).toBe(10)
  })

  test('keeps for others only what the disk has room for', async () => {
    const a = await open('a', Number.MAX_SAFE_INTEGER)
    for (let n = 0; n < 5; n++) await a.remember('n', String(n))
    const { incarnation } = a.logged()
    a.retain(new Map([[incarnation, 0]]))
    await a.sweep(START + DAY + 1, retention, 10)
    expect(await first(a, incarnation)).toBe(5)
  })

  test('leaves positions, term and clock, and gives numbers of logs to others', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const names: string[] = []
    await a.observe({ counter: 9, node: 'a' })
    for (let n = 0; n < 4; n++) {
      await a.openIncarnation()
      await a.remember('n', String(n))
      names.push(a.logged().incarnation)
    }
    await catchUp(b, a)
    await b.sweep(START + DAY + 1, retention, 10)
    await a.sweep(START + DAY + 1, retention, 10)
    for (const store of [a, b]) {
      expect((await store.positions()).map(({ incarnation, sequence }) => [incarnation, sequence])).toEqual(
        names.map((name) => [name, 1]),
      )
    }
    expect(await b.read(names[0] ?? '', 0, 1_000)).toBe('trimmed')
    await b.close()
    const again = await open('b')
    await again.remember('x', 'y')
    // Four entries, each after a leap over what the log before may have lost.
    const clock = 4 * (2 ** 24 + 1) + 1
    expect((await again.entries('b', 0, 1))[0]).toMatchObject({ clock, term: { counter: 9 } })
    await again.close()
    const db = new DatabaseSync(join(directory, 'b', 'twinline.db'), { readOnly: true })
    const numbers = db.prepare('SELECT id, origin FROM logs ORDER BY id').all()
    db.close()
    expect(numbers.map((row) => `${row['id']} ${row['origin']}`)).toEqual(['1 b', '4 a'])
  })

  test('an event whose delivery has lost its beginning is taken on top, flagged', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    const id = await acceptOne(a)
    await a.remember('the last entry', 'is always kept')
    for (const store of [b, c]) await catchUp(store, a)
    await b.record([change(id, intend('gsm0', 0, 'b'))])
    await c.observe({ counter: 4, node: 'c' })
    await c.record([change(id, { event: 'cancel', reason: because('asked') }, START + DAY)])
    await catchUp(a, c)
    await a.sweep(START + DAY + 1, retention, 10)
    await catchUp(a, b)
    expect(await deliveryOf(a, id)).toMatchObject({ state: 'cancelled', possibleDuplicate: true })
  })
})

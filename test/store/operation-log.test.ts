/** The logs beneath the SQLite engine, as replication uses them: real stores in directories of their own. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogBatch, Merged, OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, because, change, intend, START, term } from './fixtures.ts'

type Both = Store & OperationLog

/** By how much the clock of a log is ahead when a new incarnation of it begins. */
const leap = 2 ** 24

let directory: string
const opened: Both[] = []
async function open(node: string): Promise<Both> {
  const store = await openStore({ directory: join(directory, node), node, now: () => START })
  opened.push(store)
  return store
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-log-'))
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(directory, { recursive: true })
})

async function readOne(store: Both, after = 0, incarnation = store.logged().incarnation): Promise<LogBatch> {
  const batch = await store.read(incarnation, after, 1_000_000)
  if (batch === undefined || batch === 'trimmed') throw new Error(`nothing to read: ${batch}`)
  return batch
}
const acceptOne = async (store: Both, ...wish: Parameters<typeof acceptance>): Promise<string> => {
  const one = acceptance(...wish)
  await store.accept([one])
  return one.deliveries[0]?.id ?? ''
}
const deliveryOf = async (store: Both, id: string) =>
  (await store.message(id.slice(0, id.lastIndexOf('.'))))?.deliveries.find((one) => one.id === id)

/** A batch as another member might send it. */
const batchOf = (entries: unknown[], rest: Partial<LogBatch> = {}): LogBatch => ({
  origin: 'x',
  incarnation: 'x1',
  from: 1,
  count: entries.length,
  entries: JSON.stringify(entries),
  ...rest,
})
const entry = (clock: number, operation: unknown) => ({ term, clock, at: START, operation })

describe('the own log', () => {
  test('is told as it reaches the disk, before the promise of the write settles', async () => {
    const store = await open('a')
    await store.remember('before', 'it is listened to')
    const seen: string[] = []
    const batches: LogBatch[] = []
    store.onLogged((batch) => {
      batches.push(batch)
      seen.push(`logged ${batch.from + batch.count - 1}, is ${store.logged().sequence}`)
    })
    await store.depth()
    await Promise.all([
      store.accept([acceptance()]).then(() => seen.push('accepted')),
      store.remember('a', 'b').then(() => seen.push('remembered')),
    ])
    expect(seen).toEqual(['logged 3, is 3', 'accepted', 'remembered'])
    await store.record([change('nothing.0', intend())])
    expect(batches).toEqual([await readOne(store, 1)])
  })

  test('goes on under a new name from an incarnation on, with its clock and term', async () => {
    const store = await open('a')
    await store.remember('a', '1')
    const old = store.logged()
    const fresh = await store.openIncarnation()
    expect(store.logged()).toEqual(fresh)
    expect(fresh).toMatchObject({ origin: 'a', sequence: 0 })
    await store.observe({ counter: 7, node: 'b' })
    await store.observe({ counter: 3, node: 'b' })
    await store.remember('a', '2')
    expect(store.logged()).toEqual({ ...fresh, sequence: 1 })
    expect(await store.positions()).toEqual([
      { ...old, first: 1 },
      { ...fresh, sequence: 1, first: 1 },
    ])
    const entries = await store.entries('a', 0, 10)
    expect(entries.map(({ clock, term: { counter } }) => [clock, counter])).toEqual([
      [1, 1],
      [leap + 2, 7],
    ])
    await store.close()
    const again = await open('a')
    expect(again.logged()).toEqual({ ...fresh, sequence: 1 })
    await again.remember('a', '3')
    expect((await again.entries('a', 1, 10)).at(-1)).toMatchObject({ clock: leap + 3, term: { counter: 7 } })
  })

  test('of starts that wrote nothing nothing is kept', async () => {
    const store = await open('a')
    for (let n = 0; n < 5; n++) await store.openIncarnation()
    await store.remember('a', '1')
    expect(await store.positions()).toHaveLength(1)
  })

  test('is read in pieces, and to its end', async () => {
    const store = await open('a')
    for (let n = 0; n < 5; n++) await store.remember('a', String(n))
    const { incarnation } = store.logged()
    const piece = await store.read(incarnation, 1, 1)
    expect(piece).toMatchObject({ from: 2, count: 1, incarnation, origin: 'a' })
    expect(await store.read(incarnation, 1, 300)).toMatchObject({ from: 2, count: 2 })
    expect(await store.read(incarnation, 5, 200)).toBeUndefined()
    expect(await store.read('unheard of', 0, 200)).toBeUndefined()
  })
})

describe('the failover log', () => {
  test('tells its newest line of a kind', async () => {
    const store = await open('a')
    for (const text of [
      'to b: it fails',
      'to a: it fails',
      'to b: nobody was there',
      'b is LIVE',
      'to c: alone',
    ])
      await store.operate({ op: 'failover', text })
    expect(await store.newestFailover('to ', [])).toMatchObject({ origin: 'a', text: 'to c: alone' })
    const line = await store.newestFailover('to ', ['nobody was there', ': alone'])
    expect(line).toEqual({ origin: 'a', at: START, text: 'to a: it fails' })
    expect(await store.newestFailover('to ', ['s', 'e'])).toBeUndefined()
  })
})

describe('merging', () => {
  test('brings everything over, once, and says what changed', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const merged: Merged[] = []
    b.onMerged((change) => merged.push(change))
    const id = await acceptOne(a)
    await a.record([change(id, intend()), change(id, accepted(7, START + 90))])
    await a.createToken({ id: 't', name: 'ops', hash: 'h', scopes: ['send'], createdAt: START })
    await a.operate({ op: 'failover', text: 'b is LIVE' })
    const batch = await readOne(a)
    const position = { ...a.logged() }
    expect(await b.merge(batch)).toEqual({ result: 'merged', position })
    expect(await b.merge(batch)).toEqual({ result: 'merged', position })
    expect(merged).toEqual([
      {
        queue: true,
        tokens: true,
        users: false,
        members: false,
        revisions: false,
        inbox: false,
        facts: false,
        audit: false,
        failover: [{ origin: 'a', at: START, text: 'b is LIVE' }],
      },
    ])
    expect(await deliveryOf(b, id)).toEqual(await deliveryOf(a, id))
    expect(await b.totals(0)).toEqual(await a.totals(0))
    expect(await b.tokens()).toHaveLength(1)
    expect(
      await b.matchReport({ node: 'a', line: 'gsm0', reference: 7, to: '01701234567', at: START }),
    ).toEqual({
      delivery: id,
      part: 0,
    })
    // What b writes then comes after all of it, wherever it is read.
    await b.remember('x', 'y')
    expect((await b.entries('b', 0, 1))[0]?.clock).toBe(6)
    await b.close()
    expect(await (await open('b')).positions()).toContainEqual({ ...position, first: 1 })
  })

  test('tells a gap, and overlapping batches fit', async () => {
    const [a, b] = [await open('a'), await open('b')]
    for (let n = 0; n < 4; n++) await a.remember('n', String(n))
    const { incarnation } = a.logged()
    const empty = { origin: 'a', incarnation, sequence: 0 }
    expect(await b.merge(await readOne(a, 2))).toEqual({ result: 'gap', position: empty })
    expect(await b.recall('n')).toBeUndefined()
    const front = await a.read(incarnation, 0, 1)
    if (front === undefined || front === 'trimmed') throw new Error('it is there')
    await b.merge(front)
    expect(await b.merge(await readOne(a))).toMatchObject({ position: { sequence: 4 } })
    expect(await b.recall('n')).toBe('3')
    expect(await readOne(b, 0, incarnation)).toEqual(await readOne(a))
  })

  test('passes on what it does not understand, and does the rest', async () => {
    const [b, c] = [await open('b'), await open('c')]
    const strange = [
      entry(1, { op: 'teleport', to: 'moon' }),
      entry(2, { op: 'delivery', delivery: 'x.0', event: { event: 'teleported' } }),
      entry(3, { op: 'accept', message: { id: 'half' } }),
      entry(4, { op: 'remember', name: 1, value: 2 }),
      'no entry at all',
      null,
      { term: 'none', clock: -1, at: 'now', operation: { op: 'remember', name: 'a', value: 'b' } },
      entry(5, { op: 'remember', name: 'known', value: 'yes' }),
    ]
    for (const [from, to] of [
      [undefined, b],
      [b, c],
    ] as const) {
      const batch = from ? await readOne(from, 0, 'x1') : batchOf(strange)
      expect(await to.merge(batch)).toMatchObject({
        result: 'merged',
        position: { sequence: strange.length },
      })
      expect(await to.recall('known')).toBe('yes')
      expect(await to.recall('a')).toBeUndefined()
    }
    const [first] = await c.entries('x', 0, 1)
    expect(first).toMatchObject({ clock: 1, operation: { op: 'teleport', to: 'moon' } })
  })

  test('refuses a batch that is not what it says, whole', async () => {
    const b = await open('b')
    const good = batchOf([entry(1, { op: 'remember', name: 'a', value: 'b' })])
    await expect(b.merge({ ...good, entries: '[{' })).rejects.toMatchObject({ code: 'log-malformed' })
    await expect(b.merge({ ...good, count: 2 })).rejects.toMatchObject({ code: 'log-malformed' })
    expect(await b.recall('a')).toBeUndefined()
    expect(await b.positions()).toEqual([])
    expect(await b.merge(good)).toMatchObject({ result: 'merged' })
  })

  test('gives a member back what its disk has lost, and the member goes on', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const id = await acceptOne(a)
    await b.merge(await readOne(a))
    await a.close()
    await rm(join(directory, 'a'), { recursive: true })
    const again = await open('a')
    for (const known of await b.positions()) {
      if (known.origin === 'a') await again.merge(await readOne(b, 0, known.incarnation))
    }
    await again.openIncarnation()
    expect(await again.record([change(id, intend())])).toEqual([true])
    expect(await b.merge(await readOne(again))).toMatchObject({ result: 'merged' })
    expect(await deliveryOf(b, id)).toMatchObject({ state: 'submitting' })
  })

  test('sorts what a member wrote before it got its lost tail back after that tail, everywhere', async () => {
    const [first, b] = [await open('a'), await open('b')]
    await first.remember('x', 'kept')
    await first.close()
    const [disk, backup] = [join(directory, 'a'), join(directory, 'backup')]
    await cp(disk, backup, { recursive: true })
    const second = await open('a')
    await second.remember('x', 'lost')
    await b.merge(await readOne(second))
    const { incarnation } = second.logged()
    await second.close()
    await rm(disk, { recursive: true })
    await cp(backup, disk, { recursive: true })
    const again = await open('a')
    await again.openIncarnation()
    await again.remember('x', 'newest')
    await again.merge(await readOne(b, 1, incarnation))
    await b.merge(await readOne(again))
    expect([await again.recall('x'), await b.recall('x')]).toEqual(['newest', 'newest'])
  })

  test('keeps an event whose acceptance is not here yet, over a restart', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    const id = await acceptOne(a)
    await b.merge(await readOne(a))
    await b.record([change(id, intend('gsm0', 0, 'b')), change(id, accepted(1))])
    await c.merge(await readOne(b))
    await c.close()
    const later = await open('c')
    expect(await deliveryOf(later, id)).toBeUndefined()
    await later.merge(await readOne(a))
    expect(await deliveryOf(later, id)).toEqual(await deliveryOf(b, id))
    expect(await later.totals(0)).toEqual(await b.totals(0))
  })

  test('counts a message once that two members sent apart, and flags it', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const id = await acceptOne(a)
    await b.merge(await readOne(a))
    await a.record([change(id, intend('gsm0', 0, 'a')), change(id, accepted(1))])
    await b.observe({ counter: 2, node: 'b' })
    await b.record([change(id, intend('gsm0', 0, 'b')), change(id, accepted(2))])
    await a.merge(await readOne(b))
    await b.merge(await readOne(a))
    const [here, there] = [await deliveryOf(a, id), await deliveryOf(b, id)]
    expect(here).toEqual(there)
    expect(here).toMatchObject({ state: 'sent', possibleDuplicate: true, node: 'a' })
    expect(await a.totals(0)).toEqual(await b.totals(0))
    expect(await a.totals(0)).toMatchObject([
      { node: 'a', line: 'gsm0', sent: 1 },
      { node: 'b', line: 'gsm0', sent: 1 },
    ])
  })

  test('of two messages with one key the earlier one stands', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const key = { key: 'k', bodyHash: 'h' }
    const [one, two] = [await acceptOne(a, { key }), await acceptOne(b, { key })]
    const other = await acceptOne(b, { key: { key: 'k2', bodyHash: 'h' } })
    await a.merge(await readOne(b))
    await b.merge(await readOne(a))
    for (const store of [a, b]) {
      expect(await deliveryOf(store, one)).toMatchObject({ state: 'queued', possibleDuplicate: false })
      expect(await deliveryOf(store, two)).toMatchObject({
        state: 'cancelled',
        reason: { code: 'duplicate' },
      })
      expect(await deliveryOf(store, other)).toMatchObject({ state: 'queued' })
    }
  })

  test('a duplicate that had begun goes on, flagged; another body is another message', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const key = { key: 'k', bodyHash: 'h' }
    await acceptOne(a, { key })
    const begun = await acceptOne(b, { key })
    await b.record([change(begun, intend('gsm0', 0, 'b'))])
    await acceptOne(a, { key: { key: 'k3', bodyHash: 'one' } })
    const differs = await acceptOne(b, { key: { key: 'k3', bodyHash: 'two' } })
    await a.merge(await readOne(b))
    await b.merge(await readOne(a))
    for (const store of [a, b]) {
      expect(await deliveryOf(store, begun)).toMatchObject({ state: 'submitting', possibleDuplicate: true })
      expect(await deliveryOf(store, differs)).toMatchObject({ state: 'queued' })
    }
  })
})

describe('owners', () => {
  const mine = (node: string, active = false) => ({
    limit: 9,
    now: START,
    until: START,
    term,
    owner: { node, active },
  })
  const accept = async (store: Both, owner: string): Promise<string> => {
    const one = acceptance()
    one.deliveries = one.deliveries.map((delivery) => ({ ...delivery, owner }))
    await store.accept([one])
    return one.deliveries[0]?.id ?? ''
  }

  test('change by handing over and by adopting what a member accepted up to a position', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const adopted = await accept(a, 'a')
    const handed = await accept(a, 'a')
    expect(await a.operate({ op: 'hand', delivery: handed, to: 'c' })).toBe(true)
    expect(await a.operate({ op: 'hand', delivery: handed, to: 'c' })).toBe(false)
    await b.merge(await readOne(a))
    const later = await accept(a, 'a')
    const { incarnation } = a.logged()
    expect(await b.operate({ op: 'adopt', origin: 'a', incarnation, position: 3, term })).toBe(true)
    await b.merge(await readOne(a))
    await a.merge(await readOne(b))
    for (const store of [a, b]) {
      expect(await deliveryOf(store, adopted)).toMatchObject({ owner: 'b' })
      expect(await deliveryOf(store, handed)).toMatchObject({ owner: 'c' })
      expect(await deliveryOf(store, later)).toMatchObject({ owner: 'a' })
    }
    expect((await b.claim(mine('b'))).claims).toMatchObject([{ delivery: { id: adopted } }])
    expect((await a.claim(mine('a', true))).claims).toMatchObject([{ delivery: { id: later } }])
  })

  test('what is over has none, so that whoever is active sends it again when asked to', async () => {
    const a = await open('a')
    const id = await accept(a, 'gone')
    await a.record([change(id, { event: 'fail', reason: because('barred') })])
    expect((await deliveryOf(a, id))?.owner).toBeUndefined()
    await a.record([change(id, { event: 'retry', reason: because('asked'), due: START, expires: START + 9 })])
    expect((await a.claim(mine('a', true))).claims).toHaveLength(1)
  })

  test('a corrected clock moves what its member accepted, everywhere, and nothing else', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const [here, there] = [await acceptOne(a), await acceptOne(b)]
    await a.merge(await readOne(b))
    await b.merge(await readOne(a))
    await a.shiftTimes(START, 1_000)
    await b.merge(await readOne(a, 1))
    for (const store of [a, b]) {
      expect(await deliveryOf(store, here)).toMatchObject({ due: START + 1_000 })
      expect(await deliveryOf(store, there)).toMatchObject({ due: START })
    }
  })
})

describe('what members know together', () => {
  test('members, revisions, settled conflicts, audit and failover log', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const member = { node: 'b', fingerprint: 'f', guard: ['h:1'], log: ['h:2'], priority: 9 }
    await a.operate({ op: 'member', member })
    await a.operate({ op: 'member', member: { ...member, node: 'c' } })
    await a.operate({ op: 'memberRemove', node: 'c' })
    const revision = { id: 'r1', author: 'ops', at: START, changes: [{ path: 'x', after: 1 }] }
    expect(await a.operate({ op: 'revision', revision })).toBe(true)
    expect(await a.operate({ op: 'revision', revision })).toBe(false)
    await a.operate({ op: 'conflictSettle', revision: 'r1', path: 'x' })
    const record = { number: 0, hash: '', at: START, who: 'ops', what: 'joined', text: 'b joined' }
    await a.operate({ op: 'audit', record })
    await a.operate({ op: 'audit', record })
    await a.operate({ op: 'failover', text: 'line' })
    await b.merge(await readOne(a))
    for (const store of [a, b]) {
      expect(await store.members()).toEqual([member])
      expect(await store.revisions()).toEqual([{ ...revision, term, clock: 4, origin: 'a' }])
      expect(await store.settledConflicts()).toEqual(['r1 x'])
      const audit = await store.audit({ limit: 9 })
      expect(audit).toMatchObject([
        { number: 1, origin: 'a', text: 'b joined' },
        { number: 2, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ])
      expect(await store.audit({ origin: 'a', after: 1, limit: 9 })).toEqual(audit.slice(1))
      expect(await store.audit({ origin: 'b', limit: 9 })).toEqual([])
      expect(await store.failover(START, 9)).toEqual([{ origin: 'a', at: START, text: 'line' }])
      expect(await store.failover(START + 1, 9)).toEqual([])
    }
  })

  test('a token that was revoked stays so, whatever comes first', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    await a.createToken({ id: 't', name: 'ops', hash: 'h', scopes: ['send'], createdAt: START })
    await b.merge(await readOne(a))
    await b.revokeToken('t')
    await c.merge(await readOne(b))
    await c.merge(await readOne(a))
    expect(await c.tokens()).toEqual([])
  })

  test('of a user the newer word stands, and a session that was ended stays so, whatever comes first', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    const ann = { name: 'ann', role: 'viewer' as const, password: 'x', createdAt: START, createdBy: 'bob' }
    const session = { id: 's', user: 'ann', createdAt: START, usedAt: START }
    await a.saveUser(ann)
    await a.saveSession(session)
    await b.merge(await readOne(a))
    await b.saveUser({ ...ann, role: 'admin' })
    await b.endSession('s', START)
    await a.saveSession({ ...session, usedAt: START + 1 })
    const merged: Merged[] = []
    c.onMerged((change) => merged.push(change))
    await c.merge(await readOne(b))
    await c.merge(await readOne(a))
    expect(await c.users()).toEqual([{ ...ann, role: 'admin' }])
    expect(await c.sessions()).toEqual([])
    expect(merged.some(({ users }) => users)).toBe(true)
  })
})

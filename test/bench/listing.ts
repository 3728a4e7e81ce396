/**
 * What a page of a long queue costs, one JSON line a question. Run on a quiet machine: node test/bench/listing.ts
 *
 * 100,000 messages wait; among them, far from each other, some have failed and some were delivered.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#core/ids.ts'
import { type Message, newDelivery } from '#messages/message.ts'
import type { Acceptance, Change, ListQuery, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'

const WAITING = Number(process.env['QUEUED'] ?? 100_000)
const EVERY = 1_000
const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-listing-'))
const begun = Date.now() - WAITING

function make(n: number): Acceptance {
  const at = begun + n
  const message: Message = {
    id: newId(at),
    at,
    node: 'a',
    source: n % 2 === 0 ? 'http:monitoring' : 'smtp:doors',
    text: `Cold store ${n}: door open for 15 minutes`,
    priority: 2,
    validity: 86_400_000,
    onUnknown: 'resend',
    flash: false,
    ...(n % EVERY === 7 ? { tag: 'rare' } : {}),
  }
  return { message, deliveries: [newDelivery(message, 0, `+49170${1_000_000 + n}`, 'sms', 1)] }
}

function ending(n: number, delivery: string): Change[] {
  const at = begun + n
  const intend = { event: 'intend', node: 'a', line: 'gsm0', part: 0, concatenation: 1 } as const
  const reason = { code: 'number-refused', text: 'The network does not know this number.' }
  if (n % EVERY === 0) return [{ delivery, at, event: { event: 'fail', reason } }]
  if (n % EVERY !== 500) return []
  return [
    intend,
    { event: 'accepted', reference: 1, reportBy: at + 1 } as const,
    { event: 'report', part: 0 } as const,
  ].map((event) => ({ delivery, at, event }))
}

async function fill(store: Store): Promise<void> {
  for (let n = 0; n < WAITING; n += 200) {
    const batch = Array.from({ length: 200 }, (_, i) => make(n + i))
    await store.accept(batch)
    await store.record(batch.flatMap(({ deliveries }, i) => ending(n + i, deliveries[0]?.id ?? '')))
  }
}

async function measure(store: Store, figure: string, query: Omit<ListQuery, 'limit'>): Promise<void> {
  const times: number[] = []
  let after: string | undefined
  let items = 0
  for (let page = 0; page < 20; page += 1) {
    const start = performance.now()
    const found = await store.messages({ ...query, limit: 50, ...(after === undefined ? {} : { after }) })
    times.push(performance.now() - start)
    items += found.items.length
    after = found.next
    if (after === undefined) break
  }
  times.sort((a, b) => a - b)
  const ms = {
    p50: Math.round((times[times.length >> 1] ?? 0) * 100) / 100,
    most: Math.round((times.at(-1) ?? 0) * 100) / 100,
  }
  console.log(
    JSON.stringify({ bench: 'listing', figure, ms, pages: times.length, items, cpu: cpus()[0]?.model }),
  )
}

const store = await openStore({ directory, node: 'a' })
try {
  await fill(store)
  await measure(store, 'newest first', {})
  await measure(store, 'queued', { state: 'queued' })
  await measure(store, 'failed', { state: ['failed', 'expired', 'cancelled'] })
  await measure(store, 'delivered', { state: 'delivered' })
  await measure(store, 'one hour of it', { since: begun + WAITING / 4, until: begun + WAITING / 2 })
  await measure(store, 'one source', { source: 'smtp:*' })
  await measure(store, 'a rare tag', { tag: 'rare' })
  await measure(store, 'one number', { to: '+491701000003' })
  await measure(store, 'a text that is nowhere', { search: 'nowhere' })
  const start = performance.now()
  const counts = await store.stateCounts()
  console.log(
    JSON.stringify({ bench: 'listing', figure: 'counts by state', ms: performance.now() - start, counts }),
  )
} finally {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}

/** Looking through queue and archive as one: filters together, cursors that stand, jobs of thousands. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ListQuery, OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, because, change, intend, START, type Wish } from './fixtures.ts'

describe('a listing', () => {
  let directory: string
  let store: Store & OperationLog

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'listing-'))
    store = await openStore({ directory, node: 'a', reserve: 0, now: () => START })
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })

  async function accept(wish: Wish = {}) {
    const one = acceptance(wish)
    await store.accept([one])
    return one.message.id
  }
  const record = (delivery: string, ...events: Parameters<typeof change>[1][]) =>
    store.record(events.map((event) => change(delivery, event)))
  const fail = { event: 'fail', reason: because('no-such-number') } as const
  const archive = (at: number) => store.sweep(at, { queue: 1, archive: 1e12 }, 1_000)

  async function all(query: Omit<ListQuery, 'limit'>, limit = 2): Promise<string[]> {
    const ids: string[] = []
    let after: string | undefined
    for (let pages = 0; pages < 100; pages += 1) {
      const found = await store.messages({ ...query, limit, ...(after === undefined ? {} : { after }) })
      ids.push(...found.items.map(({ message }) => message.id))
      after = found.next
      if (after === undefined) return ids
    }
    throw new Error('it never ends')
  }

  test('finds every state in the queue and in the archive, newest first, page by page', async () => {
    const failed: string[] = []
    const delivered: string[] = []
    for (let n = 0; n < 9; n += 1) {
      const id = await accept({ at: START + n })
      if (n % 3 === 0) {
        await record(`${id}.0`, fail)
        failed.unshift(id)
      } else if (n % 3 === 1) {
        await record(`${id}.0`, intend(), accepted(n, START + 60_000), { event: 'report', part: 0 })
        delivered.unshift(id)
      }
      if (n === 5) await archive(START + 10_000)
    }
    expect(await all({ state: 'failed' })).toEqual(failed)
    expect(await all({ state: 'delivered' })).toEqual(delivered)
    expect(await all({ state: ['failed', 'delivered'] })).toEqual([...failed, ...delivered].sort().reverse())
    expect(await all({ state: 'failed', archived: true })).toEqual(failed.slice(1))
    expect(await all({ state: 'failed', archived: false })).toEqual(failed.slice(0, 1))
    expect((await all({ archived: true })).length).toBe(4)
    expect(await all({ state: 'queued' })).toHaveLength(3)
    expect(await store.stateCounts()).toEqual({ queued: 3, failed: 1, delivered: 1 })
  })

  test('sent is found whether a report is awaited or not', async () => {
    const awaiting = await accept({ at: START })
    await record(`${awaiting}.0`, intend(), accepted(1, START + 60_000))
    const without = await accept({ at: START + 1 })
    await record(`${without}.0`, intend(), accepted(2))
    expect(await all({ state: 'sent' }, 1)).toEqual([without, awaiting])
    expect(await store.stateCounts()).toEqual({ sent: 2 })
  })

  test('filters hold together: line, member, source, channel, time', async () => {
    const one = await accept({ at: START, source: 'http:monitoring' })
    await record(`${one}.0`, intend('gsm1', 0, 'b'), fail)
    const two = await accept({ at: START + 1_000, source: 'http:door' })
    await record(`${two}.0`, intend('gsm1'), fail)
    const three = await accept({ at: START + 2_000, source: 'smtp:door' })
    expect(await all({ line: 'gsm1' })).toEqual([two, one])
    expect(await all({ line: 'b/gsm1' })).toEqual([one])
    expect(await all({ line: 'gsm' })).toEqual([])
    expect(await all({ source: 'http:*' })).toEqual([two, one])
    expect(await all({ source: 'smtp:door' })).toEqual([three])
    expect(await all({ channel: 'sms' })).toEqual([three, two, one])
    expect(await all({ channel: 'fax' })).toEqual([])
    expect(await all({ since: START + 1_000 })).toEqual([three, two])
    expect(await all({ until: START + 1_000 })).toEqual([one])
    expect(await all({ since: START + 1, until: START + 2_000, state: 'failed', source: 'http:*' })).toEqual([
      two,
    ])
    expect(await all({ until: START - 1 })).toEqual([])
    expect(await all({ since: START + 9_000 })).toEqual([])
  })

  test('what came late is in its time all the same', async () => {
    const late = await accept({ at: START + 5_000 })
    const early = await accept({ at: START })
    const now = await accept({ at: START + 9_000 })
    expect(await all({ until: START + 1_000 })).toEqual([early])
    expect(await all({ since: START + 4_000 })).toEqual([now, late])
  })

  test('a page stays where it was when newer messages come and older ones go to the archive', async () => {
    const ids: string[] = []
    for (let n = 0; n < 6; n += 1) ids.unshift(await accept({ at: START + n }))
    for (const id of ids) await record(`${id}.0`, fail)
    const first = await store.messages({ limit: 2, state: 'failed' })
    const newer = await accept({ at: START + 50 })
    await record(`${newer}.0`, fail)
    await archive(START + 10_000)
    const rest = await store.messages({ limit: 9, state: 'failed', after: first.next ?? '' })
    expect([...first.items, ...rest.items].map(({ message }) => message.id)).toEqual(ids)
  })

  test('in a job of thousands one recipient is found, and the job is shown once', async () => {
    const numbers = Array.from({ length: 22_000 }, (_, n) => `+49170${String(1_000_000 + n)}`)
    const below = await accept({ at: START, to: ['+491701000003'] })
    const job = await accept({ at: START + 1, to: numbers })
    expect(await all({ to: '01701000003' })).toEqual([job, below])
    expect(await all({ state: 'queued' })).toEqual([job, below])
    expect(await all({ to: '+4915112345678' })).toEqual([])
  })
})

/** The SQLite engine: the contract, and what is its own (files, lock, log, failures). */
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { conformance } from './conformance.ts'
import { acceptance, accepted, change, intend, START, term } from './fixtures.ts'

conformance('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'))
  let store = await openStore({ directory, node: 'a', now: () => START })
  return {
    store,
    async reopen() {
      await store.close()
      store = await openStore({ directory, node: 'a', now: () => START })
      return store
    },
    async dispose() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
})

describe('on SQLite', () => {
  let directory: string
  const opened: Store[] = []
  const open = async (more: Partial<Parameters<typeof openStore>[0]> = {}): Promise<Store & OperationLog> => {
    const store = await openStore({
      directory: join(directory, 'data'),
      node: 'a',
      now: () => START,
      ...more,
    })
    opened.push(store)
    return store
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'store-'))
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await rm(directory, { recursive: true })
  })

  test('nobody else may read its files', async () => {
    const store = await open()
    await store.accept([acceptance()])
    const mode = async (name: string) =>
      ((await stat(join(directory, 'data', name))).mode & 0o777).toString(8)
    expect(await mode('.')).toBe('700')
    for (const name of ['twinline.db', 'twinline.db-wal', 'twinline.db-shm', 'lock.db']) {
      expect(await mode(name)).toBe('600')
    }
    expect(await readdir(join(directory, 'data'))).toHaveLength(4)
  })

  test('a second store on the directory is refused, until the first is closed', async () => {
    const store = await open()
    await expect(open()).rejects.toMatchObject({ code: 'data-in-use' })
    await store.close()
    await expect(open()).resolves.toBeDefined()
  })

  test('every change is in the log, in order and without gaps, and nothing else is', async () => {
    const store = await open()
    const one = acceptance({ key: { key: 'k', bodyHash: 'h' } })
    const id = one.deliveries[0]?.id ?? ''
    await store.accept([one, acceptance({ key: { key: 'k', bodyHash: 'x' } })])
    await store.claim({ limit: 1, now: START, until: START, term: { counter: 3, node: 'b' } })
    await store.record([change(id, accepted(1)), change(id, intend(), START + 5)])
    await store.remember('a', 'b')
    const entries = await store.entries('a', 0, 10)
    const { incarnation, sequence } = store.logged()
    expect(sequence).toBe(3)
    expect(entries).toMatchObject([
      { origin: 'a', incarnation, sequence: 1, at: START, term, operation: { op: 'accept', ...one } },
      { sequence: 2, at: START + 5, term: { counter: 3, node: 'b' }, operation: { op: 'delivery' } },
      { sequence: 3, operation: { op: 'remember', name: 'a', value: 'b' } },
    ])
    expect(await store.entries('a', 2, 10)).toEqual(entries.slice(2))
    expect(await store.entries('a', 0, 1)).toEqual(entries.slice(0, 1))
    expect(await store.entries('b', 0, 10)).toEqual([])
    await store.close()
    const again = await open()
    expect(again.logged()).toEqual({ origin: 'a', incarnation, sequence: 3 })
  })

  test('an acceptance that was made before is refused and harms no other', async () => {
    const store = await open()
    const one = acceptance()
    await store.accept([one])
    const settled = await Promise.allSettled([
      store.accept([acceptance()]),
      store.accept([one]),
      store.depth(),
    ])
    expect(settled).toMatchObject([
      { status: 'fulfilled', value: [{ result: 'accepted' }] },
      { status: 'rejected', reason: { code: 'message-known' } },
      { status: 'fulfilled', value: { queued: 2 } },
    ])
  })

  test('below the reserve nothing is accepted, and everything else goes on', async () => {
    const store = await open()
    const one = acceptance()
    await store.accept([one])
    await store.close()
    const tight = await open({ reserve: Number.MAX_SAFE_INTEGER })
    expect(await tight.accept([acceptance(), acceptance()])).toEqual([{ result: 'full' }, { result: 'full' }])
    expect(await tight.record([change(one.deliveries[0]?.id ?? '', intend())])).toEqual([true])
    expect((await tight.depth()).queued).toBe(0)
  })

  test('a flood beyond what may wait is answered full, and what was taken is stored', async () => {
    const store = await open()
    const to = Array.from({ length: 30_000 }, (_, n) => `+49170${n}`)
    const answers = await Promise.all(Array.from({ length: 5 }, () => store.accept([acceptance({ to })])))
    const results = answers.flat().map(({ result }) => result)
    expect(results).toEqual(['accepted', 'accepted', 'accepted', 'accepted', 'full'])
    expect((await store.depth()).queued).toBe(120_000)
  })

  test('an unreadable database and an impossible directory are said to be so', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    await expect(open({ directory: join(file, 'data') })).rejects.toMatchObject({ code: 'data-unusable' })
    const store = await open()
    await store.close()
    await writeFile(join(directory, 'data', 'twinline.db'), 'this is no database'.repeat(1_000))
    await expect(open()).rejects.toMatchObject({ code: 'data-unusable' })
  })

  test('a worker that dies rejects what was asked, and the owner is told once', async () => {
    const started = once(process, 'worker')
    const failures: string[] = []
    const store = await open({ onFailure: (error) => failures.push(error.code) })
    const [worker] = (await started) as [Worker]
    const asked = Promise.allSettled([store.depth(), store.accept([acceptance()])])
    await worker.terminate()
    for (const outcome of await asked) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'store-failed' })
    }
    await expect(store.depth()).rejects.toMatchObject({ code: 'store-failed' })
    await store.close()
    expect(failures).toEqual(['store-failed'])
    const again = await open()
    await expect(again.depth()).resolves.toBeDefined()
  })

  test('the write-ahead log stays bounded under a flood', async () => {
    const store = await open()
    for (let n = 0; n < 40; n++) {
      await store.accept(Array.from({ length: 100 }, () => acceptance({ text: 'x'.repeat(2_000) })))
    }
    const { size } = await stat(join(directory, 'data', 'twinline.db-wal'))
    expect(size).toBeLessThan(12 * 1_048_576)
  })
})

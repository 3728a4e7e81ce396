/** kill -9 at random moments: what was acknowledged is there, and the directory is free at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import type { DeliveryState } from '#messages/states.ts'
import { openStore } from '#store/sqlite.ts'

const ROUNDS = 6
const rank: Partial<Record<DeliveryState, number>> = { queued: 0, submitting: 1, sent: 2 }
const words = ['accepted', 'intended', 'sent']

test('everything acknowledged survives kill -9', { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-crash-'))
  const reached = new Map<string, number>()
  const received = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'writer.ts'), directory, String(round)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const ended = once(child, 'exit')
    // A count of acknowledgements, not a time, so that every round gets somewhere on a busy machine.
    let left = 20 + Math.floor(Math.random() * 400)
    for await (const line of createInterface({ input: child.stdout })) {
      const [word = '', id = ''] = line.split(' ')
      const state = words.indexOf(word)
      if (state >= 0) reached.set(id, state)
      if (word === 'received') received.add(id)
      if (--left === 0) child.kill('SIGKILL')
    }
    await ended
    const store = await openStore({ directory, node: 'a' })
    for (const [id, least] of reached) {
      const view = await store.message(id.slice(0, id.lastIndexOf('.')))
      expect(rank[view?.deliveries[0]?.state ?? 'failed'] ?? -1, id).toBeGreaterThanOrEqual(least)
    }
    const inbox = new Set<string>()
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await store.inbox({ limit: 500, ...(after === undefined ? {} : { after }) })
      for (const { text } of page.items) inbox.add(text)
      after = page.next
    }
    expect([...received].filter((id) => !inbox.has(id))).toEqual([])
    const { sequence } = store.logged()
    const entries = await store.entries('a', 0, 1_000_000)
    expect(entries.map((entry) => entry.sequence)).toEqual(Array.from({ length: sequence }, (_, n) => n + 1))
    await store.close()
  }
  expect(reached.size).toBeGreaterThan(ROUNDS)
  await rm(directory, { recursive: true })
})

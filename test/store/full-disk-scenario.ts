/**
 * Runs as root of a mount namespace of its own (full-disk.test.ts starts it): a real file system of 12 MB is filled
 * to the last byte under a store. Prints `ok` at the end; a failed assertion ends it with a message.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '#store/sqlite.ts'
import { acceptance, change, intend, START } from './fixtures.ts'

const [mountPoint = ''] = process.argv.slice(2)
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', mountPoint], {
  stdio: 'inherit',
})
assert.equal(mounted.status, 0)

const directory = join(mountPoint, 'data')
const ballast = join(mountPoint, 'ballast')
const free = () => statfsSync(mountPoint).bavail * statfsSync(mountPoint).bsize

function fillUp(): void {
  // In steps that get smaller, so that not one page is left.
  for (let n = 0, size = free() + 4_096; size >= 4_096; n++) {
    try {
      writeFileSync(`${ballast}${n}`, Buffer.alloc(size))
    } catch {
      size = Math.floor(size / 2)
    }
  }
  assert.equal(free(), 0)
}
function makeRoom(): void {
  for (let n = 0; n < 100; n++) rmSync(`${ballast}${n}`, { force: true })
}

let failed = false
const reserve = 524_288
let store = await openStore({ directory, node: 'a', reserve, onFailure: () => (failed = true) })

// Until the reserve: each answer is accepted or full, and exactly the accepted ones are there.
const taken: string[] = []
let results: string[] = []
do {
  const batch = Array.from({ length: 20 }, () => acceptance({ text: 'x'.repeat(4_000) }))
  results = (await store.accept(batch)).map(({ result }) => result)
  for (const [n, result] of results.entries()) {
    if (result === 'accepted') taken.push(batch[n]?.deliveries[0]?.id ?? '')
  }
} while (!results.includes('full'))
assert.ok(taken.length >= 100, 'accepted until the reserve')
assert.equal((await store.depth()).queued, taken.length)

// What was accepted goes on, out of the reserve.
const [one = '', two = '', three = ''] = taken
assert.deepEqual(await store.record([change(one, intend())]), [true])

// Without any room at all: answers, not silence, and nothing half stored.
await store.close()
store = await openStore({ directory, node: 'a', reserve: 0, onFailure: () => (failed = true) })
fillUp()
const outcomes: string[] = []
for (let n = 0; n < 40; n++) {
  const text = 'y'.repeat(40_000)
  const settled = await Promise.allSettled([
    store.accept([acceptance({ text }), acceptance({ text })]),
    store.remember(`fact ${n}`, 'z'.repeat(40_000)),
    store.depth(),
  ])
  const [accepting, remembering, reading] = settled
  assert.equal(accepting.status, 'fulfilled')
  assert.equal(reading.status, 'fulfilled')
  outcomes.push(...accepting.value.map(({ result }) => result))
  if (remembering.status === 'rejected') outcomes.push(remembering.reason.code)
}
assert.ok(outcomes.includes('full') && outcomes.includes('disk-full'), outcomes.join())
assert.deepEqual(
  [...new Set(outcomes)].filter((o) => !['accepted', 'full', 'disk-full'].includes(o)),
  [],
)
const full = outcomes.filter((outcome) => outcome === 'accepted').length
assert.equal((await store.depth()).queued, taken.length - 1 + full)

// Entries of another member: all of a batch or nothing, and the refusal says why.
const entries = Array.from({ length: 300 }, (_, n) => ({
  term: { counter: 1, node: 'b' },
  clock: n + 1,
  at: START,
  operation: { op: 'remember', name: `of b ${n}`, value: 'w'.repeat(40_000) },
}))
const batch = {
  origin: 'b',
  incarnation: 'b1',
  from: 1,
  count: entries.length,
  entries: JSON.stringify(entries),
}
await assert.rejects(store.merge(batch), { code: 'disk-full' })
assert.equal(await store.recall('of b 0'), undefined)
assert.equal(
  (await store.positions()).find(({ origin }) => origin === 'b'),
  undefined,
)

// Room again: everything goes on.
makeRoom()
const fewer = { ...batch, count: 2, entries: JSON.stringify(entries.slice(0, 2)) }
assert.equal((await store.merge(fewer)).position.sequence, 2)
assert.deepEqual(await store.record([change(two, intend())]), [true])
assert.deepEqual(await store.accept([acceptance()]), [{ result: 'accepted' }])
const claims = await store.claim({ limit: 1, now: START, until: START, term: { counter: 1, node: 'a' } })
assert.equal(claims.claims[0]?.delivery.id, three)
await store.close()
store = await openStore({ directory, node: 'a', reserve: 0 })
assert.deepEqual(await store.depth().then(({ queued, submitting }) => [queued, submitting]), [
  taken.length - 2 + full + 1,
  2,
])
for (const id of taken) assert.ok(await store.message(id.slice(0, id.lastIndexOf('.'))), id)
const { sequence } = store.logged()
assert.equal((await store.entries('a', 0, 1_000_000)).length, sequence)
await store.close()
assert.equal(failed, false)
process.stdout.write('ok\n')

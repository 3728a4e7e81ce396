/** Audit log, failover log and totals on real stores of two members whose logs are exchanged. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { silent } from '#core/log.ts'
import { createAudit } from '#notify/audit.ts'
import { type AuditHead, checkAudit, heldHeads } from '#notify/audit-check.ts'
import { createFailoverLog, dayOf } from '#notify/failover-log.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { databasePath } from '#store/files.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, change, intend, START } from '../store/fixtures.ts'

type Both = Store & OperationLog
interface Member {
  node: string
  directory: string
  store: Both
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const clock = { now: () => START, monotonic: () => 0, trusted: () => true }

async function member(node: string): Promise<Member> {
  const directory = mkdtempSync(join(tmpdir(), 'tw-records-'))
  ends.push(() => rmSync(directory, { recursive: true, force: true }))
  const store = await openStore({ directory, node, now: clock.now })
  ends.push(() => store.close())
  await store.openIncarnation()
  return { node, directory, store }
}

/** Everything that one member has and the other lacks. */
async function bring(from: Both, to: Both): Promise<void> {
  for (const { incarnation } of await from.positions()) {
    let after = (await to.positions()).find((log) => log.incarnation === incarnation)?.sequence ?? 0
    for (;;) {
      const batch = await from.read(incarnation, after, 65_536)
      if (batch === undefined || batch === 'trimmed') break
      await to.merge(batch)
      after = batch.from + batch.count - 1
    }
  }
}

const ask = (other: Member) => async (heads: readonly AuditHead[]) => ({
  held: new Map([[other.node, await heldHeads(other.store, heads)]]),
  silent: [],
})

it('chains what each member writes, copies it, and finds a record that was changed in a file', async () => {
  const [a, b] = [await member('box-a'), await member('box-b')]
  for (const { store, node } of [a, b]) {
    const audit = createAudit({ store, node, clock, log: silent })
    for (let n = 1; n <= 20; n += 1) audit.write('cli', 'token-created', `token ${n}`)
    await audit.settled()
  }
  await bring(a.store, b.store)
  await bring(b.store, a.store)
  expect(await checkAudit(a.store, 'box-a', ask(b))).toEqual({
    whole: true,
    chains: [
      { node: 'box-a', records: 20, copies: [{ member: 'box-b', records: 20, agrees: true }] },
      { node: 'box-b', records: 20, copies: [{ member: 'box-b', records: 20, agrees: true }] },
    ],
    silent: [],
  })

  await b.store.close()
  const file = new DatabaseSync(databasePath(b.directory))
  const { changes } = file
    .prepare("UPDATE audit SET document = replace(document, 'token 7\"', 'nothing\"') WHERE origin = 'box-a'")
    .run()
  file.close()
  expect(Number(changes)).toBeGreaterThan(0)
  const again = await openStore({ directory: b.directory, node: 'box-b', now: clock.now })
  ends.push(() => again.close())
  const report = await checkAudit(again, 'box-b', ask(a))
  expect(report.whole).toBe(false)
  expect(report.chains.find(({ node }) => node === 'box-a')?.fault).toEqual({ number: 7, fault: 'altered' })
})

it('brings the lines of the failover log to the other member', async () => {
  const [a, b] = [await member('box-a'), await member('box-b')]
  const logOf = ({ directory, store, node }: Member) =>
    createFailoverLog({ directory, store, node, clock, log: silent })
  const [first, second] = [logOf(a), logOf(b)]
  b.store.onMerged(({ failover }) => second.merged(failover))
  first.write('error detected, count = 1')
  first.write('SWITCH THIS SERVER TO ACTIVE')
  // The log reaches the disk in the order of the calls.
  await a.store.remember('after', 'the lines')
  await bring(a.store, b.store)
  const day = dayOf(START)
  const lines = await second.day(day)
  expect(lines.map((line) => line.slice(13))).toEqual([
    'box-a error detected, count = 1',
    'box-a SWITCH THIS SERVER TO ACTIVE',
  ])
  expect(await first.day(day)).toEqual(lines)
})

it('counts the traffic of both members on both', async () => {
  const [a, b] = [await member('box-a'), await member('box-b')]
  for (const { store, node } of [a, b]) {
    const one = acceptance()
    await store.accept([one])
    const id = one.deliveries[0]?.id ?? ''
    await store.record([change(id, intend('gsm0', 0, node))])
    await store.record([change(id, accepted(5))])
  }
  await bring(a.store, b.store)
  await bring(b.store, a.store)
  const expected = ['box-a', 'box-b'].map((node) => ({ node, line: 'gsm0', sent: 1 }))
  for (const { store } of [a, b]) {
    const rows = await store.totals(0)
    expect(rows.map(({ node, line, sent }) => ({ node, line, sent }))).toEqual(expected)
  }
})

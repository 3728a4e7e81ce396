/** The audit chain: numbers never fork, every change is found, copies are compared over the exchange. */
import { describe, expect, it } from 'vitest'
import { silent } from '#core/log.ts'
import { auditHash } from '#messages/audit.ts'
import type { AuditRecord, Operation } from '#messages/operation.ts'
import { createAudit } from '#notify/audit.ts'
import {
  type AuditHead,
  auditHeads,
  checkAudit,
  type HeldHead,
  heldHeads,
  newest,
} from '#notify/audit-check.ts'
import { answerHeads, askHeads } from '#notify/audit-exchange.ts'
import type { LogPosition, OperationLog } from '#store/contract.ts'

type Stored = AuditRecord & { origin: string }
const clock = { now: () => 1_700_000_000_000, monotonic: () => 0, trusted: () => true }

/** What of a store the audit log uses: it chains its own records, and finds records after a number. */
class Records {
  readonly all: Stored[] = []
  readonly node: string
  failing = false
  queries = 0
  constructor(node: string) {
    this.node = node
  }
  audit: OperationLog['audit'] = async ({ origin, after = 0, limit }) => {
    this.queries += 1
    return this.all
      .filter((record) => (origin === undefined || record.origin === origin) && record.number > after)
      .sort((a, b) => a.number - b.number)
      .slice(0, limit)
  }
  operate = async (operation: Operation): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failing) throw new Error('no room')
    if (operation.op !== 'audit') return false
    const own = this.all.filter(({ origin }) => origin === this.node).at(-1)
    const { number: _number, hash: _hash, ...fields } = operation.record
    const record = { number: (own?.number ?? 0) + 1, ...fields }
    this.all.push({ ...record, hash: auditHash(own?.hash ?? '', record), origin: this.node })
    return true
  }
  positions = async (): Promise<(LogPosition & { first: number })[]> =>
    [...new Set([this.node, ...this.all.map(({ origin }) => origin)])].map((origin) => ({
      origin,
      incarnation: origin,
      sequence: 1,
      first: 1,
    }))
  copyTo(other: Records): void {
    for (const record of this.all) if (record.origin === this.node) other.all.push({ ...record })
  }
}

/** @param count at most 500 */
async function written(node: string, count: number): Promise<Records> {
  const records = new Records(node)
  const audit = createAudit({ store: records, node, clock, log: silent })
  for (let n = 1; n <= count; n += 1) audit.write('cli', 'token-created', `token ${n}`)
  await audit.settled()
  return records
}

const alone = async () => ({ held: new Map<string, HeldHead[]>(), silent: [] })
const faultsOf = async (records: Records) =>
  (await checkAudit(records, records.node, alone)).chains.map(({ node, fault }) => [
    node,
    fault?.number,
    fault?.fault,
  ])

describe('the writer', () => {
  it('says what the disk refused and goes on', async () => {
    const records = await written('box-a', 2)
    const audit = createAudit({ store: records, node: 'box-a', clock, log: silent })
    records.failing = true
    audit.write('cli', 'token-created', 'lost')
    await audit.settled()
    records.failing = false
    audit.write('cli', 'token-created', 'kept')
    await audit.settled()
    expect(records.all.map(({ number, text }) => `${number} ${text}`)).toEqual([
      '1 token 1',
      '2 token 2',
      '3 kept',
    ])
    expect(await faultsOf(records)).toEqual([['box-a', undefined, undefined]])
  })

  it('holds a bounded number of records while the disk is slow, and counts the rest', async () => {
    const records = new Records('box-a')
    const audit = createAudit({ store: records, node: 'box-a', clock, log: silent })
    for (let n = 1; n <= 700; n += 1) audit.write('cli', 'token-created', `token ${n}`)
    await audit.settled()
    expect(records.all).toHaveLength(500)
    audit.write('cli', 'token-created', 'later')
    await audit.settled()
    expect(records.all.slice(500).map(({ what, text }) => `${what}: ${text}`)).toEqual([
      'audit-dropped: 200 records came faster than the disk took them',
      'token-created: later',
    ])
    expect(await faultsOf(records)).toEqual([['box-a', undefined, undefined]])
  })

  it('finds the end of a long chain in a few questions', async () => {
    const records = new Records('box-a')
    let hash = ''
    for (let number = 1; number <= 100_000; number += 1) {
      const fields = { number, at: 0, who: 'x', what: 'y', text: 'z' }
      hash = number > 99_990 ? auditHash(hash, fields) : String(number)
      records.all.push({ ...fields, hash, origin: 'box-a' })
    }
    expect((await newest(records, 'box-a')).number).toBe(100_000)
    expect(records.queries).toBeLessThan(60)
  })
})

describe('verification', () => {
  it('finds an altered, a removed and a first record, across pages', async () => {
    const altered = await written('box-a', 400)
    const more = createAudit({ store: altered, node: 'box-a', clock, log: silent })
    for (let n = 401; n <= 800; n += 1) more.write('cli', 'token-created', `token ${n}`)
    await more.settled()
    expect(await faultsOf(altered)).toEqual([['box-a', undefined, undefined]])
    const victim = altered.all[499]
    if (victim) victim.text = 'nothing happened'
    expect(await faultsOf(altered)).toEqual([['box-a', 500, 'altered']])

    const removed = await written('box-a', 10)
    removed.all.splice(4, 1)
    expect(await faultsOf(removed)).toEqual([['box-a', 5, 'missing']])

    const beheaded = await written('box-a', 10)
    beheaded.all.splice(0, 3)
    expect(await faultsOf(beheaded)).toEqual([['box-a', 1, 'missing']])
  })

  it('agrees with a copy that is behind, and finds a member that made its past anew', async () => {
    const a = await written('box-a', 10)
    const b = await written('box-b', 3)
    a.copyTo(b)
    b.all.pop()
    const ask = (from: Records) => async (heads: readonly AuditHead[]) => ({
      held: new Map([[from.node, await heldHeads(from, heads)]]),
      silent: [],
    })
    expect(await checkAudit(a, 'box-a', ask(b))).toEqual({
      whole: true,
      chains: [
        { node: 'box-a', records: 10, copies: [{ member: 'box-b', records: 9, agrees: true }] },
        { node: 'box-b', records: 0, copies: [{ member: 'box-b', records: 3, agrees: true }] },
      ],
      silent: [],
    })
    const forged = await written('box-a', 0)
    const anew = createAudit({ store: forged, node: 'box-a', clock, log: silent })
    for (let n = 0; n < 10; n += 1) anew.write('cli', 'token-created', 'another past')
    await anew.settled()
    const report = await checkAudit(forged, 'box-a', ask(b))
    expect(report.whole).toBe(false)
    expect(report.chains[0]).toEqual({
      node: 'box-a',
      records: 10,
      copies: [{ member: 'box-b', records: 9, agrees: false }],
    })
    // The other way round as well: the copy is the longer chain, or as long.
    expect((await checkAudit(b, 'box-b', ask(forged))).whole).toBe(false)
  })
})

describe('a member that cut its own end off', () => {
  it('is found out by a copy', async () => {
    const a = await written('box-a', 6)
    const b = await written('box-b', 0)
    a.copyTo(b)
    a.all.splice(4, 2)
    const report = await checkAudit(a, 'box-a', async (heads) => ({
      held: new Map([['box-b', await heldHeads(b, heads)]]),
      silent: [],
    }))
    expect(report.whole).toBe(false)
    expect(report.chains[0]?.fault).toEqual({ number: 5, fault: 'missing' })
  })
})

describe('the exchange', () => {
  it('asks every member, and names those that do not answer or make no sense', async () => {
    const a = await written('box-a', 4)
    const b = await written('box-b', 4)
    a.copyTo(b)
    const answer = answerHeads(b)
    const asked: string[] = []
    const { held, silent: quiet } = await askHeads(
      ['box-b', 'box-c', 'box-d'],
      {
        async request(to, topic, body) {
          asked.push(`${to} ${topic}`)
          if (to === 'box-b') return answer('box-a', body)
          if (to === 'box-c') return { result: 'failed', code: 'request-timeout', text: 'late' }
          return { result: 'answered', body: '{"v":1,"heads":[{}]}' }
        },
      },
      await auditHeads(a),
    )
    expect(asked).toEqual(['box-b audit-heads', 'box-c audit-heads', 'box-d audit-heads'])
    expect(quiet).toEqual(['box-c', 'box-d'])
    expect(held.get('box-b')?.find(({ node }) => node === 'box-a')?.asked).toEqual([a.all[3]?.hash])
  })

  it('refuses a question that it does not understand', async () => {
    const answer = answerHeads(await written('box-a', 1))
    for (const rubbish of [
      '',
      '{',
      'null',
      '{"v":2,"heads":[]}',
      '{"v":1,"heads":{}}',
      '{"v":1,"heads":[1]}',
    ]) {
      expect(await answer('box-b', rubbish)).toMatchObject({ result: 'failed', code: 'request-malformed' })
    }
  })
})

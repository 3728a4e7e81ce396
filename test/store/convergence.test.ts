/**
 * Two to four members, each doing what it likes on what it knows, logs passed on in any order, twice, by third parties:
 * at the end all hold the same state. fast-check prints the seed and the shortest history when they do not.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyChain } from '#messages/audit.ts'
import { roles } from '#messages/operation.ts'
import type { DeliveryEvent } from '#messages/states.ts'
import { acceptance, accepted, because, intend, part, START } from './fixtures.ts'
import { Member } from './members.ts'

const names = ['a', 'b', 'c', 'd']
const who = fc.nat({ max: 3 })
const which = fc.nat({ max: 5 })
const at = fc.integer({ min: START, max: START + 50 })

const intended = (part: number, node: string) =>
  ({ event: 'intend', node, line: 'fax0', part, concatenation: 0 }) as const

const event = (node: string) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.nat({ max: 1 }).map((n): DeliveryEvent => intend('gsm0', n, node)) },
    fc.nat({ max: 1 }).map((n): DeliveryEvent => ({ ...intended(n, node), postPage: true })),
    fc
      .record({ part: fc.nat({ max: 1 }), reference: fc.nat({ max: 3 }) })
      .map((e): DeliveryEvent => ({ event: 'confirm', ...e })),
    fc.nat({ max: 3 }).map((reference): DeliveryEvent => accepted(reference, START + 20)),
    fc.nat({ max: 3 }).map((reference): DeliveryEvent => accepted(reference)),
    at.map((due): DeliveryEvent => ({ event: 'defer', reason: because('x'), due, failure: true, node })),
    at.map((due): DeliveryEvent => ({ event: 'resend', reason: because('x'), due })),
    at.map((due): DeliveryEvent => ({ event: 'retry', reason: because('x'), due, expires: due + 9 })),
    fc.nat({ max: 1 }).map((n): DeliveryEvent => ({ event: 'report', part: n })),
    fc.nat({ max: 1 }).map((n): DeliveryEvent => ({ event: 'reportFailed', part: n, reason: because('x') })),
    fc
      .constantFrom('hold' as const, 'fail' as const)
      .map((name): DeliveryEvent => ({ event: name, reason: because('x'), node })),
    fc
      .constantFrom('expire' as const, 'cancel' as const, 'reportTimeout' as const, 'acknowledge' as const)
      .map((name): DeliveryEvent => ({ event: name, reason: because('x') })),
  )

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      who,
      key: fc.nat({ max: 3 }),
      parts: fc.integer({ min: 1, max: 2 }),
      channel: fc.constantFrom('sms' as const, 'fax' as const),
      recipients: fc.integer({ min: 1, max: 2 }),
      owned: fc.boolean(),
      at,
    }),
  },
  {
    weight: 16,
    arbitrary: who.chain((one) =>
      fc.record({
        do: fc.constant('record' as const),
        who: fc.constant(one),
        which,
        event: event(names[one] ?? 'a'),
        at,
      }),
    ),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('pull' as const),
      who,
      from: who,
      log: fc.nat({ max: 7 }),
      back: fc.constantFrom(0, 0, 0, 1, 3),
      bytes: fc.constantFrom(1, 500, 5_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      who,
      line: fc.constantFrom('a', 'b'),
      number: fc.integer({ min: 1, max: 3 }),
      day: fc.nat({ max: 1 }),
      at,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fax' as const),
      who,
      call: fc.constantFrom('x', 'y'),
      pages: fc.integer({ min: 1, max: 3 }),
      complete: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('partials' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remember' as const), who, value: fc.string() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('token' as const), who, id: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), who, id: fc.nat({ max: 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('user' as const), who, role: fc.constantFrom(...roles, 'gone') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('session' as const),
      who,
      used: fc.integer({ min: 0, max: 3 }),
      ends: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('shift' as const), who, by: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand' as const), who, which, to: who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('adopt' as const), who, log: fc.nat({ max: 7 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('member' as const), who, node: who, leaves: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('records' as const), who, n: fc.nat({ max: 2 }), at }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('term' as const), who, counter: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), who }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const deliveries = (member: Member): string[] =>
  member
    .rows(`SELECT document ->> '$.id' AS id FROM deliveries ORDER BY 1`)
    .map((row) => String(Object(row).id))

function follow(members: readonly Member[], steps: readonly Step[]): void {
  const pick = (n: number): Member => {
    const one = members[n % members.length]
    if (!one) throw new Error('there is always a member')
    return one
  }
  for (const one of steps) {
    const member = pick(one.who)
    switch (one.do) {
      case 'accept': {
        const to = Array.from({ length: one.recipients }, (_, n) => `+49170123456${n}`)
        const key = one.key === 0 ? {} : { key: { key: `k${one.key}`, bodyHash: 'h' } }
        const made = acceptance({ to, parts: one.parts, channel: one.channel, at: one.at, ...key })
        if (one.owned) made.deliveries = made.deliveries.map((each) => ({ ...each, owner: member.node }))
        member.call('accept', [made], null)
        break
      }
      case 'record': {
        const known = deliveries(member)
        const delivery = known[one.which % Math.max(known.length, 1)]
        if (delivery !== undefined) member.call('record', [{ delivery, event: one.event, at: one.at }])
        break
      }
      case 'pull': {
        const from = pick(one.from)
        const logs = from.call('positions')
        const log = logs[one.log % Math.max(logs.length, 1)]
        if (!log || from === member) break
        const after = Math.max(0, member.known(log.incarnation) - one.back)
        member.pull(from, log.incarnation, after, one.bytes)
        break
      }
      case 'receive':
        member.call(
          'receive',
          part({
            node: one.line,
            number: one.number,
            total: 3,
            at: one.at,
            sentAt: START + one.day * 86_400_000 * 2,
          }),
        )
        break
      case 'fax': {
        const { call, pages, complete } = one
        const document = { hash: 'ab'.repeat(32), type: 'tiff', name: 'f.tif', bytes: 1, pages } as const
        const fax = { pages, complete, document }
        member.call('receive', part({ fingerprint: `fax:${call}:${pages}:${complete}`, call, text: '', fax }))
        break
      }
      case 'partials':
        member.call('completePartials', START + 100, START + 100)
        break
      case 'remember':
        member.call('operate', { op: 'remember', name: 'fact', value: one.value }, START)
        break
      case 'token': {
        const token = {
          id: `t${one.id}`,
          name: 'ops',
          hash: 'ab',
          scopes: ['send' as const],
          createdAt: START,
        }
        if (member.call('tokens').length === 0) member.call('operate', { op: 'tokenCreate', token }, START)
        break
      }
      case 'revoke':
        member.call('operate', { op: 'tokenRevoke', id: `t${one.id}` }, START)
        break
      case 'user':
        if (one.role === 'gone') member.call('operate', { op: 'userRemove', name: 'ann' }, START)
        else {
          const user = { name: 'ann', role: one.role, password: 'x', createdAt: START, createdBy: 'local' }
          member.call('operate', { op: 'userSave', user }, START)
        }
        break
      case 'session': {
        const session = { id: 's', user: 'ann', createdAt: START, usedAt: START + one.used }
        if (one.ends) member.call('operate', { op: 'sessionEnd', id: 's', at: session.usedAt }, START)
        else member.call('operate', { op: 'sessionSave', session }, START)
        break
      }
      case 'shift':
        member.call('operate', { op: 'shiftTimes', since: START, byMs: one.by }, START)
        break
      case 'hand': {
        const known = deliveries(member)
        const delivery = known[one.which % Math.max(known.length, 1)]
        if (delivery) member.call('operate', { op: 'hand', delivery, to: names[one.to] ?? 'a' }, START)
        break
      }
      case 'adopt': {
        const logs = member.call('positions')
        const log = logs[one.log % Math.max(logs.length, 1)]
        if (!log || log.origin === member.node) break
        const { origin, incarnation, sequence: position } = log
        const term = { counter: 1, node: member.node }
        member.call('operate', { op: 'adopt', origin, incarnation, position, term }, START)
        break
      }
      case 'member': {
        const node = names[one.node] ?? 'a'
        const added = { node, fingerprint: 'f', guard: [], log: [], priority: one.who }
        if (one.leaves) member.call('operate', { op: 'memberRemove', node }, START)
        else member.call('operate', { op: 'member', member: added }, START)
        break
      }
      case 'records': {
        const number = 0
        const record = { number, hash: '', at: one.at, who: member.node, what: 'x', text: 'y' }
        const id = `${member.node}${one.n}`
        member.call('operate', { op: 'audit', record }, one.at)
        member.call('operate', { op: 'failover', text: `line ${one.n}` }, one.at)
        member.call(
          'operate',
          { op: 'revision', revision: { id, author: 'x', at: one.at, changes: [] } },
          one.at,
        )
        member.call('operate', { op: 'conflictSettle', revision: id, path: 'p' }, one.at)
        break
      }
      case 'term':
        member.call('observe', { counter: one.counter, node: member.node })
        break
      case 'restart':
        member.call('openIncarnation')
        break
    }
  }
}

test('whatever the order in which logs come, members end alike', { timeout: 110_000 }, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
      (count, steps) => {
        const members = names.slice(0, count).map((name) => new Member(name))
        const late = new Member('z')
        try {
          follow(members, steps)
          for (const member of members) for (const from of members) member.catchUp(from)
          for (const member of [...members].reverse()) late.catchUp(member)
          const [first, ...others] = [...members, late]
          for (const other of others) expect(other.state()).toEqual(first?.state())
          expectWhole(late)
        } finally {
          for (const member of [...members, late]) member.close()
        }
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 60), interruptAfterTimeLimit: 90_000 },
  )
})

/** What holds of any state: one message for a key stands, counts are counts, chains are whole. */
function expectWhole(member: Member): void {
  const stands = member.rows(
    'SELECT key, count(*) AS n FROM messages WHERE key IS NOT NULL AND superseded IS NULL GROUP BY key HAVING n > 1',
  )
  expect(stands).toEqual([])
  const begun = member.rows(
    `SELECT d.document FROM messages m JOIN deliveries d ON d.position >= m.position AND d.position < m.position + m.count
     WHERE m.superseded = 1 AND d.document ->> '$.state' = 'queued' AND d.document ->> '$.attempts' = 0
     AND d.document ->> '$.timeline[#-1].event' = 'accept'`,
  )
  expect(begun).toEqual([])
  expect(member.rows('SELECT * FROM pending')).toEqual([])
  expect(
    member.rows('SELECT * FROM totals WHERE min(sent, delivered, failed, unknown, received) < 0'),
  ).toEqual([])
  for (const origin of names) {
    expect(verifyChain(member.call('audit', { origin, limit: 1_000 }))).toEqual([])
  }
}

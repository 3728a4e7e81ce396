import { describe, expect, test } from 'vitest'
import { type InboundRule, inboundDefaults } from '#config/inbound.ts'
import { actionId, laneOf, open, parseActionId, pauseAfter, readPlan } from '#intake/inbound/plan.ts'
import { fromMatches, planFor } from '#intake/inbound/rules.ts'
import type { InboxEntry } from '#messages/inbound.ts'

const NOW = Date.UTC(2026, 0, 1)
const PHONE = '+491702222222'

const entry = (text: string, from = PHONE): InboxEntry => ({
  id: '01940000-0000-7000-8000-000000000001',
  node: 'a',
  line: 'gsm0',
  from,
  sentAt: NOW,
  at: NOW,
  text,
  complete: true,
  parts: { total: 1, received: 1 },
  revision: 0,
})

const rule = (more: Partial<InboundRule>): InboundRule => ({
  from: '*',
  mail: [],
  mqtt: false,
  sms: [],
  ...more,
})

const plan = (
  text: string,
  settings: Partial<ReturnType<typeof inboundDefaults>>,
  from = PHONE,
  replies = 0,
) => planFor(entry(text, from), { ...inboundDefaults(), ...settings }, { repliesTo: () => replies }, NOW)

const kinds = (...given: Parameters<typeof plan>) => plan(...given).actions.map(({ kind }) => kind)

describe('senders', () => {
  test.each([
    ['*', 'ADAC', true],
    ['+49*', PHONE, true],
    ['+43*', PHONE, false],
    [PHONE, PHONE, true],
    [PHONE, '01702222222', true],
    ['01702222222', PHONE, true],
    [PHONE, '+491702222223', false],
    ['2222', '+49170222222', false],
    ['adac', 'ADAC', true],
    ['AD*', 'Adac', true],
    ['ADAC', 'ADAC2', false],
    ['12345', '12345', true],
    ['12345', '912345', false],
  ])('%s and %s: %s', (pattern, from, fits) => expect(fromMatches(pattern, from)).toBe(fits))
})

describe('keywords', () => {
  const rules = [rule({ keyword: 'Größe', mqtt: true })]
  test.each([
    ['größe 4', ['mqtt']],
    ['  "GRÖSSE"', ['mqtt']],
    ['GRÖßE, bitte', ['mqtt']],
    ['größen', []],
    ['die größe', []],
    ['', []],
  ])('%j', (text, wanted) => expect(kinds(text, { rules })).toEqual(wanted))

  test('every rule that fits acts, one action for each mail address and kind', () => {
    const rules = [
      rule({ mail: ['a@x.org', 'b@x.org'], webhook: true, sms: ['ops', PHONE] }),
      rule({ from: '+49*', webhook: 'https://x.org/', mqtt: true, reply: 'first' }),
      rule({ reply: 'second' }),
    ]
    const { actions } = plan('hello', { rules })
    expect(actions.map(({ kind, to }) => [kind, to])).toEqual([
      ['mail', ['a@x.org']],
      ['mail', ['b@x.org']],
      ['webhook', undefined],
      ['sms', ['ops', PHONE]],
      ['webhook', ['https://x.org/']],
      ['mqtt', undefined],
      ['reply', [PHONE]],
    ])
    expect(actions[3]?.text).toBe(`${PHONE}: hello`)
    expect(actions.at(-1)).toMatchObject({ text: 'first', state: 'open', due: NOW, attempts: 0 })
  })
})

describe('words', () => {
  test.each([
    ['ACK 4f5e', 'acknowledge', '4f5e'],
    ['ack: 4F5E.', 'acknowledge', '4f5e'],
    ['ACK', 'acknowledge', ''],
    ['ACK 019aa4f0-5c1e-7d0c-9a55-0d1c2b3a4f5e', 'acknowledge', '019aa4f0-5c1e-7d0c-9a55-0d1c2b3a4f5e'],
    ['Stop', 'stop', undefined],
    ['"START"', 'start', undefined],
  ])('%j', (text, kind, code) => {
    expect(plan(text, {}).actions).toEqual([expect.objectContaining({ kind, state: 'open' })])
    expect(plan(text, {}).actions[0]?.code).toBe(code)
  })

  test.each(['ACK 4f', 'ACK please', 'acknowledged', 'stop it', 'stopp', 'restart', ''])(
    '%j is text',
    (text) => expect(kinds(text, {})).toEqual([]),
  )

  test('can be turned off, are told by rules, and get no reply', () => {
    expect(kinds('STOP', { stop: false })).toEqual([])
    expect(kinds('ACK 4f5e', { acknowledge: false })).toEqual([])
    expect(kinds('STOP', { rules: [rule({ mqtt: true, reply: 'why?' })] })).toEqual(['stop', 'mqtt'])
  })

  test('nothing is done for the blacklist, whatever it says', () => {
    expect(plan('STOP', { blacklist: ['+49*'], rules: [rule({ mqtt: true })] })).toEqual({
      at: NOW,
      actions: [],
      skipped: 'blacklisted',
    })
  })
})

describe('replies', () => {
  const rules = [rule({ reply: 'We are told.' })]
  test.each([
    ['a short code', '72777', 'hi', 0],
    ['a name', 'ADAC', 'hi', 0],
    ['an own number', '01709999999', 'hi', 0],
    ['a reply of a rule', PHONE, ' We are told. ', 0],
    ['one who had enough', PHONE, 'hi', 3],
  ])('are withheld from %s', (_who, from, text, replies) => {
    const [reply] = plan(text, { rules, own: ['+491709999999'] }, from, replies).actions
    expect(reply).toMatchObject({ kind: 'reply', state: 'done', result: { code: 'reply-withheld' } })
  })

  test('are given otherwise', () => {
    expect(plan('hi', { rules }, PHONE, 2).actions[0]).toMatchObject({ kind: 'reply', state: 'open' })
  })
})

describe('what is kept', () => {
  test('is read again, and what cannot be is left alone', () => {
    const made = plan('STOP', { rules: [rule({ mqtt: true })] })
    expect(readPlan(JSON.stringify(made))).toEqual(made)
    for (const text of ['', 'null', '{}', '[]', '{"at":1,"actions":[{"kind":"carrier-pigeon"}]}']) {
      expect(readPlan(text)).toBeUndefined()
    }
  })

  test('ids name an action', () => {
    const id = actionId(entry('').id, 12)
    expect(parseActionId(id)).toEqual({ entry: entry('').id, n: 12 })
    for (const wrong of ['', 'x.1', `${entry('').id}`, `${entry('').id}.x`])
      expect(parseActionId(wrong)).toBeUndefined()
  })

  test('lanes part what has nothing to do with each other', () => {
    const action = { kind: 'webhook', rule: '*', ...open(NOW) } as const
    expect(laneOf(action)).toBe(laneOf({ ...action, due: 1, attempts: 4 }))
    const others = [
      { ...action, rule: '+49*' },
      { ...action, to: ['https://x'] },
      { ...action, kind: 'mqtt' as const },
    ]
    expect(new Set([action, ...others].map(laneOf)).size).toBe(4)
  })

  test('pauses grow to five minutes', () => {
    expect([1, 2, 3, 9, 10, 1_000].map(pauseAfter)).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000])
  })
})

/** What is done about a received fax: rules for it alone, the mail with its pages, the event with its facts. */
import { describe, expect, it } from 'vitest'
import { type InboundRule, inboundDefaults } from '#config/inbound.ts'
import { systemClock } from '#core/clock.ts'
import { type Means, perform } from '#intake/inbound/perform.ts'
import { open } from '#intake/inbound/plan.ts'
import { planFor } from '#intake/inbound/rules.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import type { Mail } from '#notify/mail.ts'

const entry: InboxEntry = {
  id: '01900000-0000-7000-8000-000000000001',
  node: 'a',
  line: 'fax0',
  from: '0301234',
  sentAt: 1_000,
  at: 1_000,
  text: '',
  complete: false,
  parts: { total: 2, received: 2 },
  revision: 0,
  fax: {
    pages: 2,
    complete: false,
    document: { hash: 'a'.repeat(64), type: 'tiff', name: 'fax.tif', bytes: 9, pages: 2 },
    station: '+49 30 1234',
    problem: 'The line dropped on page 2.',
  },
}
const { fax: _, ...sms } = entry
const rule = (more: Partial<InboundRule>): InboundRule => ({
  from: '*',
  mail: [],
  mqtt: false,
  sms: [],
  ...more,
})
const planned = (rules: InboundRule[], about: InboxEntry = entry) =>
  planFor(about, { ...inboundDefaults(), rules }, { repliesTo: () => 0 }, 5_000).actions

describe('rules', () => {
  it('narrows a rule to faxes or short messages', () => {
    const rules = [
      rule({ kind: 'fax', mail: ['fax@example.org'] }),
      rule({ kind: 'sms', mail: ['sms@example.org'] }),
      rule({ mqtt: true }),
    ]
    expect(planned(rules).map(({ to, kind }) => to?.[0] ?? kind)).toEqual(['fax@example.org', 'mqtt'])
    expect(planned(rules, { ...sms, text: 'hi' }).map(({ to, kind }) => to?.[0] ?? kind)).toEqual([
      'sms@example.org',
      'mqtt',
    ])
  })

  it('tells in a line that a fax came, and answers none', () => {
    expect(planned([rule({ sms: ['+491'], reply: 'Thank you.' })])).toMatchObject([
      { kind: 'sms', text: '0301234: fax, 2 pages, cut off' },
    ])
  })
})

describe('what is done', () => {
  const mails: Mail[] = []
  const events: unknown[] = []
  const never = () => Promise.reject(new Error('nobody asks this here'))
  const means = (pdf?: Means['pdf']): Means => ({
    store: { messages: never, record: never },
    dispatch: { submit: never },
    stops: { has: () => false, list: () => [], add: never, remove: never, refresh: never },
    clock: systemClock(0),
    audit: { write: () => {} },
    metrics: { accepted: () => {} },
    mailer: {
      send: async (mail) => {
        mails.push(mail)
        return { result: 'sent' }
      },
      close: () => {},
    },
    publishers: [async (event) => void events.push(event)],
    pdf,
  })
  const action = (kind: 'mail' | 'mqtt') => ({ kind, rule: '*', to: ['x@example.org'], ...open(0) })

  it('mails the pages, and says what is missing of them', async () => {
    const content = Buffer.from('%PDF-1')
    expect(
      await perform(
        entry,
        0,
        action('mail'),
        means(async () => content),
      ),
    ).toEqual({ result: 'done' })
    expect(mails).toMatchObject([
      {
        subject: 'Fax from 0301234: fax, 2 pages, cut off',
        attachments: [{ name: `fax-${entry.id}.pdf`, type: 'application/pdf', content }],
      },
    ])
    expect(mails[0]?.text).toContain('The line dropped on page 2.')
  })

  it('mails nothing while the pages cannot be had, and says why', async () => {
    const refused = await perform(
      entry,
      0,
      action('mail'),
      means(() => Promise.reject(new Error('no member has them'))),
    )
    expect(refused).toMatchObject({
      result: 'failed',
      permanent: false,
      reason: { text: expect.stringContaining('no member has them') },
    })
    expect(mails).toHaveLength(1)
  })

  it('tells how many pages came, from whom, and where they are', async () => {
    await perform(entry, 0, action('mqtt'), means())
    expect(events).toMatchObject([
      { type: 'received', complete: false, fax: { pages: 2, station: '+49 30 1234', hash: 'a'.repeat(64) } },
    ])
  })
})

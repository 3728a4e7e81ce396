/** Part of the conformance tests: listing, figures, status reports, received parts, tokens, retention. */
import { describe, expect, test } from 'vitest'
import type { Acceptance } from '#store/contract.ts'
import { acceptance, accepted, because, change, intend, part, START } from './fixtures.ts'
import { DAY, first, type Held } from './held.ts'

export function recordsConformance(held: Held): void {
  describe('listing', () => {
    test('is newest first, page by page', async () => {
      const all: string[] = []
      for (let n = 0; n < 7; n++) all.unshift((await held.accept({ at: START + n })).message.id)
      const seen: string[] = []
      let after: string | undefined
      const sizes: number[] = []
      do {
        const page = await held.store.messages({ limit: 3, ...(after === undefined ? {} : { after }) })
        sizes.push(page.items.length)
        seen.push(...page.items.map(({ message }) => message.id))
        after = page.next
      } while (after !== undefined)
      expect(seen).toEqual(all)
      expect(sizes).toEqual([3, 3, 1])
    })

    test('has no next page when it ends with the page', async () => {
      await held.accept()
      expect((await held.store.messages({ limit: 1 })).next).toBeUndefined()
      expect(await held.store.messages({ limit: 1, after: '0' })).toEqual({ items: [] })
    })

    test('filters by state, recipient, tag and text', async () => {
      const one = await held.accept({ to: ['+491', '+492'], tag: 'x', text: 'Kühlhaus: TÜR offen' })
      const two = await held.accept({ to: ['+493'], tag: 'y', text: 'all is well' })
      await held.record(first(two), intend())
      const found = async (query: object) =>
        (await held.store.messages({ limit: 10, ...query })).items.map(({ message }) => message.id)
      expect(await found({ state: 'submitting' })).toEqual([two.message.id])
      expect(await found({ to: '+492' })).toEqual([one.message.id])
      expect(await found({ tag: 'y' })).toEqual([two.message.id])
      expect(await found({ search: 'tür' })).toEqual([one.message.id])
      expect(await found({ tag: 'x', state: 'submitting' })).toEqual([])
      expect(await found({})).toEqual([two.message.id, one.message.id])
    })

    test('finds one among a thousand, and pages on', async () => {
      const many = Array.from({ length: 1_000 }, (_, n) => acceptance({ tag: n % 400 === 0 ? 'x' : 'y' }))
      await held.store.accept(many)
      const page = await held.store.messages({ limit: 2, tag: 'x' })
      const rest = await held.store.messages({ limit: 2, tag: 'x', after: page.next ?? '' })
      const ids = [...page.items, ...rest.items].map(({ message }) => message.id)
      expect(ids).toEqual([800, 400, 0].map((n) => many[n]?.message.id))
    })
  })

  describe('figures', () => {
    test('depth counts what is not finished', async () => {
      expect(await held.store.depth()).toEqual({
        queued: 0,
        submitting: 0,
        awaitingReport: 0,
        unknown: 0,
        oldest: undefined,
      })
      const ones: Acceptance[] = []
      for (let n = 0; n < 6; n++) ones.push(await held.accept({ at: START + n }))
      const [a, b, c, d] = ones.map(first)
      await held.record(a ?? '', intend())
      await held.record(b ?? '', intend(), accepted(1, START + 90))
      await held.record(c ?? '', intend(), { event: 'hold', reason: because('silence') })
      await held.record(d ?? '', intend(), accepted(1))
      const depth = {
        queued: 2,
        submitting: 1,
        awaitingReport: 1,
        unknown: 1,
        oldest: START + 4,
      }
      expect(await held.store.depth()).toEqual(depth)
      await held.reopen()
      expect(await held.store.depth()).toEqual(depth)
      await held.record(a ?? '', { event: 'defer', reason: because('busy'), due: START, failure: false })
      expect(await held.store.depth()).toMatchObject({ queued: 3, submitting: 0, oldest: START })
    })

    test('totals count by line and hour', async () => {
      const hour = START - (START % 3_600_000)
      const ones: Acceptance[] = []
      for (let n = 0; n < 4; n++) ones.push(await held.accept())
      const [a, b, c, d] = ones.map(first)
      await held.record(a ?? '', intend('gsm0'), accepted(1, START + 90), { event: 'report', part: 0 })
      await held.record(b ?? '', intend('gsm1'), accepted(1))
      await held.record(c ?? '', intend('gsm1'), { event: 'fail', reason: because('barred') })
      await held.record(d ?? '', intend('gsm1'), { event: 'hold', reason: because('silence') })
      await held.store.record([change(d ?? '', { event: 'report', part: 0 }, START + 3_600_000)])
      await held.store.receive(part())
      const row = { node: 'a', sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 }
      const gsm0 = { ...row, line: 'gsm0', hour, sent: 1, delivered: 1, received: 1 }
      const gsm1 = { ...row, line: 'gsm1', hour, sent: 1, failed: 1, unknown: 1 }
      const later = { ...row, line: 'gsm1', hour: hour + 3_600_000, delivered: 1 }
      expect(await held.store.totals(0)).toEqual([gsm0, gsm1, later])
      expect(await held.store.totals(START + 3_600_000)).toEqual([later])
    })
  })

  describe('status reports', () => {
    const report = (reference: number, to: string, line = 'gsm0') =>
      held.store.matchReport({ node: 'a', line, reference, to, at: START })

    test('find their part by line, reference and number, over a restart', async () => {
      const one = await held.accept({ parts: 2, to: ['+491701234567'] })
      await held.record(
        first(one),
        intend('gsm0', 0),
        { event: 'confirm', part: 0, reference: 20 },
        intend('gsm0', 1),
        accepted(21, START + 90),
      )
      await held.reopen()
      expect(await report(20, '+491701234567')).toEqual({ delivery: first(one), part: 0 })
      expect(await report(21, '+491701234567')).toEqual({ delivery: first(one), part: 1 })
      expect(await report(22, '+491701234567')).toBeUndefined()
      expect(await report(20, '+491701234568')).toBeUndefined()
      expect(await report(20, '+491701234567', 'gsm1')).toBeUndefined()
    })

    test.each([
      ['+491701234567', '01701234567', true],
      ['01701234567', '00491701234567', true],
      ['+491701234567', '491701234567', true],
      ['+4930123456', '030123456', true],
      ['12345', '12345', true],
      ['12345', '+491701212345', false],
      ['+491701234567', '', false],
    ])('%s reported as %s', async (to, seen, same) => {
      const one = await held.accept({ to: [to] })
      await held.record(first(one), intend(), accepted(9, START + 90))
      expect((await report(9, seen)) !== undefined).toBe(same)
    })

    test('mean the newest of several that is not reported yet', async () => {
      const [one, two, other] = [
        await held.accept(),
        await held.accept(),
        await held.accept({ to: ['+49170000'] }),
      ]
      for (const each of [one, two, other]) await held.record(first(each), intend(), accepted(9, START + 90))
      expect(await report(9, '01701234567')).toEqual({ delivery: first(two), part: 0 })
      await held.record(first(two), { event: 'report', part: 0 })
      expect(await report(9, '01701234567')).toEqual({ delivery: first(one), part: 0 })
      await held.record(first(one), { event: 'reportTimeout', reason: because('silence') })
      expect(await report(9, '01701234567')).toBeUndefined()
    })

    test('of a chain that began anew elsewhere mean nothing any more', async () => {
      const one = await held.accept({ parts: 2 })
      await held.record(first(one), intend('gsm0', 0), { event: 'confirm', part: 0, reference: 20 })
      await held.record(first(one), {
        event: 'defer',
        reason: because('line'),
        due: START,
        failure: false,
      })
      expect(await report(20, '+491701234567')).toMatchObject({ part: 0 })
      await held.record(first(one), intend('gsm1', 0))
      expect(await report(20, '+491701234567')).toBeUndefined()
    })
  })

  describe('received parts', () => {
    const texts = async () => (await held.store.inbox({ limit: 50 })).items.map(({ text }) => text)

    test('a message of one part is in the inbox at once, and once', async () => {
      const entry = await held.store.receive(part({ text: 'hello' }))
      expect(entry).toMatchObject({
        text: 'hello',
        complete: true,
        revision: 0,
        parts: { total: 1, received: 1 },
        at: START,
      })
      expect(await held.store.receive(part({ text: 'hello' }))).toBeUndefined()
      await held.reopen()
      expect(await held.store.receive(part({ text: 'hello' }))).toBeUndefined()
      expect((await held.store.inbox({ limit: 9 })).items).toEqual([entry])
    })

    test('parts in any order, over a restart, make one message', async () => {
      expect(await held.store.receive(part({ number: 3, total: 3 }))).toBeUndefined()
      expect(await held.store.receive(part({ number: 1, total: 3 }))).toBeUndefined()
      await held.reopen()
      expect(await held.store.receive(part({ number: 2, total: 3 }))).toMatchObject({
        text: 'part 1 part 2 part 3 ',
        complete: true,
      })
      expect(await texts()).toHaveLength(1)
    })

    test('what waits too long is shown with its gaps, and a late part fills them', async () => {
      await held.store.receive(part({ number: 1, total: 2, at: START + 10 }))
      expect(await held.store.completePartials(START + 10)).toEqual([])
      const [partial, ...more] = await held.store.completePartials(START + 11)
      expect(more).toEqual([])
      expect(partial).toMatchObject({ complete: false, revision: 0, parts: { total: 2, received: 1 } })
      expect(partial?.text).toContain('part 1 ')
      expect(await held.store.completePartials(START + 99)).toEqual([])
      const late = await held.store.receive(part({ number: 2, total: 2, at: START + 5 * DAY }))
      expect(late).toMatchObject({
        id: partial?.id,
        complete: true,
        revision: 1,
        text: 'part 1 part 2 ',
      })
      expect((await held.store.inbox({ limit: 9 })).items).toEqual([late])
    })

    test('of what is brought of one fax call the fullest is in the inbox, and told of when it comes', async () => {
      const fax = (pages: number, complete: boolean, from = '030') =>
        held.store.receive(
          part({
            fingerprint: `fax:x:${pages}${complete}`,
            call: 'x',
            text: '',
            from,
            fax: {
              pages,
              complete,
              document: { hash: 'ab'.repeat(32), type: 'tiff', name: 'f.tif', bytes: 1, pages },
            },
          }),
        )
      const inbox = async () => (await held.store.inbox({ limit: 9 })).items
      const first = await fax(1, false, 'unknown')
      expect(await inbox()).toEqual([first])
      const fuller = await fax(2, false)
      expect(fuller).toMatchObject({ complete: false, from: '030', fax: { pages: 2 } })
      expect(fuller?.id).not.toBe(first?.id)
      expect(await fax(1, false)).toBeUndefined()
      await held.reopen()
      const whole = await fax(2, true)
      expect(whole).toMatchObject({ complete: true, parts: { total: 2, received: 2 } })
      expect(await inbox()).toEqual([whole])
      expect(await fax(3, false)).toBeUndefined()
      expect(await inbox()).toEqual([whole])
      expect(await held.store.totals(0)).toMatchObject([{ received: 1 }])
    })

    test('a reference that comes round again begins a new message', async () => {
      for (const [days, word] of [
        [0, 'old'],
        [2, 'new'],
      ] as const) {
        const sentAt = START + days * DAY
        await held.store.receive(part({ number: 1, total: 2, sentAt, text: `${word} one ` }))
        await held.store.receive(part({ number: 2, total: 2, sentAt, text: `${word} two` }))
      }
      expect(await texts()).toEqual(['new one new two', 'old one old two'])
    })

    test('a sender that uses one reference for ever loses nothing', async () => {
      for (const [second, number, word] of [
        [0, 1, 'a'],
        [60, 1, 'b'],
        [1, 2, 'a'],
        [61, 2, 'b'],
      ] as const) {
        await held.store.receive(
          part({ number, total: 2, sentAt: START + second * 1_000, text: `${word}${number}` }),
        )
      }
      expect(await texts()).toEqual(['b1b2', 'a1a2'])
    })

    test('old halves do not join new ones', async () => {
      await held.store.receive(part({ number: 1, total: 2, text: 'lost', sentAt: START }))
      await held.store.receive(part({ number: 2, total: 2, text: 'other', sentAt: START + 3 * DAY }))
      expect(await texts()).toEqual([])
      expect(await held.store.completePartials(START + 1)).toHaveLength(2)
    })

    test('lines, senders and widths are kept apart', async () => {
      await held.store.receive(part({ number: 1, total: 2 }))
      await held.store.receive(part({ number: 2, total: 2, line: 'gsm1', text: 'x' }))
      await held.store.receive(part({ number: 2, total: 2, from: '+4917', text: 'y' }))
      expect(await texts()).toEqual([])
    })

    test('the inbox pages, newest first', async () => {
      for (let n = 0; n < 5; n++) await held.store.receive(part({ text: `t${n}`, at: START + n }))
      const page = await held.store.inbox({ limit: 3 })
      expect(page.items.map(({ text }) => text)).toEqual(['t4', 't3', 't2'])
      const rest = await held.store.inbox({ limit: 3, after: page.next ?? '' })
      expect(rest.items.map(({ text }) => text)).toEqual(['t1', 't0'])
      expect(rest.next).toBeUndefined()
    })

    test('is looked through by what is remembered about its messages, and forgets that with them', async () => {
      for (let n = 0; n < 3; n++) await held.store.receive(part({ text: `t${n}`, at: START + n }))
      const [third, second, first] = (await held.store.inbox({ limit: 3 })).items
      await held.store.remember(`inbound:${first?.id}`, 'done')
      await held.store.remember(`inbound:${second?.id}`, 'open')
      const look = (after: number, orNone: boolean) =>
        held.store.inboxFacts({ after, containing: 'ope', orNone })
      const all = await look(0, true)
      expect(all.items).toEqual([{ entry: second, fact: 'open' }, { entry: third }])
      expect((await look(0, false)).items).toEqual([{ entry: second, fact: 'open' }])
      expect(await look(all.next ?? 0, true)).toEqual({ items: [] })
      await held.store.sweep(START + 60 * DAY, { queue: DAY, archive: 30 * DAY }, 100)
      expect(await held.store.facts('inbound:')).toEqual([])
    })
  })

  describe('tokens and facts', () => {
    const token = { id: 't1', name: 'ops', hash: 'ab', scopes: ['send' as const], createdAt: START }

    test('a token is known until it is revoked', async () => {
      await held.store.createToken(token)
      expect(await held.store.tokens()).toEqual([{ ...token, lastUsedAt: undefined }])
      await held.reopen()
      expect(await held.store.tokens()).toHaveLength(1)
      expect(await held.store.revokeToken('t1')).toBe(true)
      expect(await held.store.revokeToken('t1')).toBe(false)
      expect(await held.store.tokens()).toEqual([])
    })

    test('its last use shows at once and survives an orderly restart', async () => {
      await held.store.createToken(token)
      held.store.touchToken('t1', START + 90_000)
      expect(await held.store.tokens()).toMatchObject([{ lastUsedAt: START + 60_000 }])
      await held.reopen()
      expect(await held.store.tokens()).toMatchObject([{ lastUsedAt: START + 60_000 }])
    })

    test('a user is what was saved last, until it is removed', async () => {
      const ann = {
        name: 'ann',
        role: 'viewer' as const,
        password: 'x',
        createdAt: START,
        createdBy: 'setup',
      }
      await held.store.saveUser(ann)
      await held.store.saveUser({ ...ann, name: 'abe' })
      await held.store.saveUser({ ...ann, role: 'admin', language: 'de' })
      await held.reopen()
      const names = (await held.store.users()).map(({ name, role }) => `${name} ${role}`)
      expect(names).toEqual(['abe viewer', 'ann admin'])
      expect(await held.store.removeUser('abe')).toBe(true)
      expect(await held.store.removeUser('abe')).toBe(false)
      expect(await held.store.users()).toEqual([{ ...ann, role: 'admin', language: 'de' }])
      await held.store.saveUser({ ...ann, name: 'abe' })
      expect(await held.store.users()).toHaveLength(2)
    })

    test('a session is known until it is ended, for good, or nobody used it for a week', async () => {
      const session = { id: 's1', user: 'ann', createdAt: START, usedAt: START }
      await held.store.saveSession(session)
      await held.store.saveSession({ ...session, id: 's2' })
      await held.store.saveSession({ ...session, usedAt: START + 5 })
      await held.store.saveSession({ ...session, usedAt: START + 3 })
      await held.reopen()
      expect(await held.store.sessions()).toEqual([
        { ...session, usedAt: START + 5 },
        { ...session, id: 's2' },
      ])
      await held.store.endSession('s2', START + 1)
      await held.store.saveSession({ ...session, id: 's2', usedAt: START + 9 })
      expect(await held.store.sessions()).toEqual([{ ...session, usedAt: START + 5 }])
      const retention = { queue: 365 * DAY, archive: 365 * DAY }
      await held.store.sweep(START + 7 * DAY, retention, 10)
      expect(await held.store.sessions()).toHaveLength(1)
      await held.store.sweep(START + 7 * DAY + 6, retention, 10)
      expect(await held.store.sessions()).toEqual([])
    })

    test('a fact is remembered until it is replaced', async () => {
      expect(await held.store.recall('pin')).toBeUndefined()
      await held.store.remember('pin', 'tried')
      await held.reopen()
      expect(await held.store.recall('pin')).toBe('tried')
      await held.store.remember('pin', '')
      expect(await held.store.recall('pin')).toBe('')
    })

    test('facts are found by how their names begin', async () => {
      for (const name of ['b:2', 'a', 'b:1', 'c', 'b']) await held.store.remember(name, name)
      expect(await held.store.facts('b:')).toEqual([
        { name: 'b:1', value: 'b:1' },
        { name: 'b:2', value: 'b:2' },
      ])
      expect(await held.store.facts('d')).toEqual([])
    })
  })

  describe('retention', () => {
    const retention = { queue: 7 * DAY, archive: 30 * DAY }

    test('finished messages move to the archive, are still found, and are dropped in the end', async () => {
      const done = await held.accept()
      const open = await held.accept()
      const half = await held.accept({ to: ['1', '2'] })
      for (const one of [done, half]) await held.record(first(one), intend(), accepted(1))
      expect(await held.store.sweep(START + 7 * DAY - 1, retention, 10)).toEqual({ archived: 0, dropped: 0 })
      expect(await held.store.sweep(START + 7 * DAY + 1, retention, 10)).toEqual({ archived: 1, dropped: 0 })
      expect((await held.store.message(done.message.id))?.deliveries[0]).toMatchObject({ state: 'sent' })
      const ids = async () => (await held.store.messages({ limit: 9 })).items.map(({ message }) => message.id)
      expect(await ids()).toEqual([half, open, done].map(({ message }) => message.id))
      expect(await held.store.sweep(START + 30 * DAY + 1, retention, 10)).toEqual({ archived: 0, dropped: 1 })
      expect(await ids()).toEqual([half, open].map(({ message }) => message.id))
    })

    test('an unfinished message stays however old it is', async () => {
      const one = await held.accept()
      await held.record(first(one), intend(), accepted(1, START + 400 * DAY))
      expect(await held.store.sweep(START + 300 * DAY, retention, 10)).toEqual({ archived: 0, dropped: 0 })
    })

    test('at most so many at a time, and the rest the next time', async () => {
      for (let n = 0; n < 5; n++) await held.record(first(await held.accept()), intend(), accepted(1))
      const now = START + 8 * DAY
      const moved: number[] = []
      for (let n = 0; n < 4; n++) moved.push((await held.store.sweep(now, retention, 2)).archived)
      expect(moved).toEqual([2, 2, 1, 0])
    })

    test('a keyed message stays known by its key', async () => {
      const key = { key: 'k', bodyHash: 'h' }
      await held.record(first(await held.accept({ key })), intend(), accepted(1))
      await held.store.sweep(START + DAY - 1, { queue: 0, archive: DAY }, 10)
      expect(await held.store.accept([acceptance({ key, at: START + DAY - 1 })])).toMatchObject([
        { result: 'replayed' },
      ])
    })

    test('an archived message can be sent again', async () => {
      const one = await held.accept({ to: ['1', '2'] })
      for (const { id } of one.deliveries) await held.record(id, intend(), accepted(1))
      await held.store.sweep(START + 8 * DAY, retention, 10)
      const retry = {
        event: 'retry',
        reason: because('asked'),
        due: START,
        expires: START + 9 * DAY,
      } as const
      expect(await held.record(first(one), retry)).toEqual([true])
      expect(await held.claimed()).toEqual([first(one)])
      expect((await held.store.message(one.message.id))?.deliveries).toHaveLength(2)
      expect(await held.store.sweep(START + 8 * DAY, retention, 10)).toEqual({ archived: 0, dropped: 0 })
    })

    test('counts stay right when an unknown delivery is archived and comes back', async () => {
      const one = await held.accept()
      await held.record(first(one), intend(), { event: 'hold', reason: because('silence') })
      expect(await held.store.depth()).toMatchObject({ unknown: 1 })
      await held.store.sweep(START + 8 * DAY, retention, 10)
      expect(await held.store.depth()).toMatchObject({ unknown: 0 })
      await held.record(first(one), { event: 'cancel', reason: because('asked') })
      expect(await held.store.depth()).toMatchObject({ unknown: 0 })
      expect((await held.store.message(one.message.id))?.deliveries[0]).toMatchObject({ state: 'cancelled' })
    })
  })
}

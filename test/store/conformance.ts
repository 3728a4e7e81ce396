/** What every engine behind the Store contract must do. An engine's test file calls this with a way to open it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Acceptance, Store } from '#store/contract.ts'
import { acceptance, accepted, because, change, intend, part, START, term, type Wish } from './fixtures.ts'

const until = START + 60_000
const DAY = 86_400_000

export interface Engine {
  store: Store
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>
  dispose(): Promise<void>
}

export function conformance(name: string, open: () => Promise<Engine>): void {
  describe(`${name} keeps the store contract`, () => {
    let engine: Engine
    let store: Store

    beforeEach(async () => {
      engine = await open()
      store = engine.store
    })
    afterEach(() => engine.dispose())

    async function accept(wish: Wish = {}): Promise<Acceptance> {
      const one = acceptance(wish)
      expect(await store.accept([one])).toEqual([{ result: 'accepted' }])
      return one
    }
    async function record(delivery: string, ...events: Parameters<typeof change>[1][]): Promise<boolean[]> {
      return store.record(events.map((event) => change(delivery, event)))
    }
    const claim = (limit = 100, now = START) => store.claim({ limit, now, until, term })
    const claimed = async (limit?: number, now?: number) =>
      (await claim(limit, now)).claims.map(({ delivery }) => delivery.id)
    const first = (one: Acceptance) => one.deliveries[0]?.id ?? ''

    describe('acceptance', () => {
      test('a message is found as it was given', async () => {
        const one = await accept({ to: ['+491701', '+491702'], tag: 'boiler', text: 'ü€😀\u0000"\n' })
        expect(await store.message(one.message.id)).toEqual({
          message: one.message,
          deliveries: one.deliveries,
        })
        expect(await store.message('nothing')).toBeUndefined()
      })

      test('it is still there after reopening, and so is the newest time', async () => {
        const one = await accept({ at: START + 5 })
        store = await engine.reopen()
        expect((await store.message(one.message.id))?.message).toEqual(one.message)
        expect(store.lastLogged).toBe(START + 5)
      })

      test('a new store has logged nothing', () => expect(store.lastLogged).toBe(0))

      test('a key gives the first message again, and refuses another body', async () => {
        const key = { key: 'k', bodyHash: 'h' }
        const one = await accept({ key })
        await record(first(one), intend())
        const again = await store.accept([
          acceptance({ key }),
          acceptance({ key: { key: 'k', bodyHash: 'other' } }),
        ])
        expect(again).toMatchObject([
          { result: 'replayed', message: { message: one.message, deliveries: [{ state: 'submitting' }] } },
          { result: 'conflict' },
        ])
        expect((await store.depth()).queued).toBe(0)
      })

      test('two acceptances of one batch may carry one key', async () => {
        const key = { key: 'k', bodyHash: 'h' }
        const [one, two] = [acceptance({ key }), acceptance({ key })]
        expect(await store.accept([one, two])).toMatchObject([
          { result: 'accepted' },
          { result: 'replayed', message: { message: { id: one.message.id } } },
        ])
      })

      test('a key is known for a day, over a restart too', async () => {
        const key = { key: 'k', bodyHash: 'h' }
        await accept({ key })
        store = await engine.reopen()
        expect(await store.accept([acceptance({ key, at: START + DAY - 1 })])).toMatchObject([
          { result: 'replayed' },
        ])
        expect(await store.accept([acceptance({ key, at: START + DAY })])).toEqual([{ result: 'accepted' }])
      })

      test('accepted and claimed in one step', async () => {
        const one = acceptance({ to: ['1', '2'] })
        expect(await store.accept([one], { until, term })).toEqual([{ result: 'accepted' }])
        expect(await claimed()).toEqual([])
        await store.release([first(one)])
        expect(await claimed()).toEqual([first(one)])
      })

      test('a replayed message is not claimed', async () => {
        const key = { key: 'k', bodyHash: 'h' }
        const one = await accept({ key })
        await store.accept([acceptance({ key })], { until, term })
        expect(await claimed()).toEqual([first(one)])
      })
    })

    describe('claims', () => {
      test('come by priority, then due time, then order of acceptance', async () => {
        const late = await accept({ dueIn: -5 })
        const later = await accept({})
        const last = await accept({})
        const urgent = await accept({ priority: 0 })
        const slow = await accept({ priority: 3, dueIn: -100 })
        expect(await claimed(2)).toEqual([first(urgent), first(late)])
        expect(await claimed()).toEqual([first(later), first(last), first(slow)])
      })

      test('carry the message', async () => {
        const one = await accept({ to: ['1', '2', '3'] })
        const other = await accept({})
        const { claims } = await claim()
        expect(claims.map(({ message }) => message.id)).toEqual([
          one.message.id,
          one.message.id,
          one.message.id,
          other.message.id,
        ])
        expect(claims[1]).toEqual({ delivery: one.deliveries[1], message: one.message })
      })

      test('leave alone what is not due, and say when it is', async () => {
        const now = await accept({ priority: 3 })
        await accept({ dueIn: 500 })
        const later = await accept({ dueIn: 300, priority: 3 })
        expect(await claim()).toMatchObject({
          claims: [{ delivery: { id: first(now) } }],
          nextDue: START + 300,
        })
        expect(await claim(1, START + 400)).toMatchObject({
          claims: [{ delivery: { id: first(later) } }],
          nextDue: START + 500,
        })
        expect(await claim(5, START + 500)).toMatchObject({ claims: [{}] })
        expect((await claim(5, START + 900)).nextDue).toBeUndefined()
      })

      test('past the limit the rest is due already', async () => {
        await accept({ to: ['1', '2', '3'] })
        expect((await claim(2)).nextDue).toBe(START)
      })

      test('are nobody’s after a restart', async () => {
        const one = await accept()
        expect(await claimed()).toEqual([first(one)])
        expect(await claimed()).toEqual([])
        store = await engine.reopen()
        expect(await claimed()).toEqual([first(one)])
      })

      test('end with what puts a delivery back, not with an intent', async () => {
        const one = await accept()
        await claimed()
        await record(first(one), intend())
        expect(await claimed()).toEqual([])
        await record(first(one), {
          event: 'defer',
          reason: because('busy'),
          due: START + 10,
          failure: true,
        })
        expect(await claimed()).toEqual([])
        expect(await claimed(1, START + 10)).toEqual([first(one)])
      })

      test('stay when a status report comes for a former attempt', async () => {
        const one = await accept({ parts: 2 })
        await record(first(one), intend(), { event: 'confirm', part: 0, reference: 5 })
        await record(first(one), {
          event: 'defer',
          reason: because('busy'),
          due: START,
          failure: false,
        })
        expect(await claimed()).toEqual([first(one)])
        expect(await record(first(one), { event: 'report', part: 0 })).toEqual([true])
        expect(await claimed()).toEqual([])
      })

      test('of unknown deliveries are released without ado', async () => {
        await expect(store.release(['nothing', 'no.0', ''])).resolves.toBeUndefined()
      })
    })

    describe('events', () => {
      test('take effect in order, each on what the one before left', async () => {
        const one = await accept({ parts: 2 })
        expect(
          await record(
            first(one),
            intend('gsm0', 0),
            { event: 'confirm', part: 0, reference: 200 },
            intend('gsm0', 1),
            accepted(201, START + 1_000),
            { event: 'report', part: 1 },
            { event: 'report', part: 0 },
          ),
        ).toEqual([true, true, true, true, true, true])
        const view = await store.message(one.message.id)
        expect(view?.deliveries[0]).toMatchObject({ state: 'delivered', references: [200, 201] })
        expect(view?.deliveries[0]?.timeline).toHaveLength(7)
      })

      test('that the state does not allow change nothing', async () => {
        const one = await accept()
        expect(await record(first(one), accepted(1), { event: 'report', part: 0 })).toEqual([false, true])
        expect(await record('nothing.0', intend())).toEqual([false])
        expect(await record(`${one.message.id}.1`, intend())).toEqual([false])
        expect(await record(`${one.message.id}.-1`, intend())).toEqual([false])
        expect(await record(one.message.id, intend())).toEqual([false])
      })

      test('of calls made without waiting keep their order', async () => {
        const one = acceptance()
        const results = await Promise.all([
          store.accept([one]),
          record(first(one), intend()),
          store.depth(),
          record(first(one), accepted(1)),
          store.message(one.message.id),
        ])
        expect(results).toMatchObject([
          [{ result: 'accepted' }],
          [true],
          { submitting: 1 },
          [true],
          { deliveries: [{ state: 'sent' }] },
        ])
      })

      test('deliveries in submitting are found after a restart', async () => {
        const one = await accept()
        const other = await accept()
        await claimed()
        await record(first(one), intend())
        store = await engine.reopen()
        expect(await store.submitting()).toMatchObject([
          { delivery: { id: first(one), line: 'gsm0' }, message: one.message },
        ])
        expect(await claimed()).toEqual([first(other)])
      })
    })

    describe('time', () => {
      test('overdue are queued ones past expiry and sent ones past their wait, unless held', async () => {
        const expired = await accept({ validity: 100 })
        const held = await accept({ validity: 100, priority: 0 })
        const awaiting = await accept({ validity: 50 })
        const submitting = await accept({ validity: 50 })
        await accept({})
        expect(await claimed(1)).toEqual([first(held)])
        await record(first(awaiting), intend(), accepted(1, START + 90))
        await record(first(submitting), intend())
        const ids = async (now: number, limit = 10) =>
          (await store.overdue(now, limit)).map((delivery) => delivery.id)
        expect(await ids(START + 89)).toEqual([])
        expect(await ids(START + 100)).toEqual([first(awaiting), first(expired)])
        expect(await ids(START + 100, 1)).toEqual([first(awaiting)])
      })

      test('a corrected clock moves what was accepted since', async () => {
        const before = await accept({ at: START - 1 })
        const queued = await accept({})
        const waiting = await accept({})
        const finished = await accept({})
        await record(first(waiting), intend(), accepted(1, START + 90))
        await record(first(finished), intend(), accepted(1))
        await store.shiftTimes(START, 1_000_000)
        const delivery = async (one: Acceptance) => (await store.message(one.message.id))?.deliveries[0]
        expect(await delivery(before)).toEqual(before.deliveries[0])
        expect(await delivery(queued)).toMatchObject({
          due: START + 1_000_000,
          expires: START + 1_000_000 + 3_600_000,
        })
        expect(await delivery(waiting)).toMatchObject({ reportBy: START + 1_000_090 })
        expect(await delivery(finished)).toMatchObject({ due: START })
        expect((await claim()).nextDue).toBe(START + 1_000_000)
        expect(await store.overdue(START + 1_000_000, 10)).toEqual([])
      })
    })

    describe('listing', () => {
      test('is newest first, page by page', async () => {
        const all: string[] = []
        for (let n = 0; n < 7; n++) all.unshift((await accept({ at: START + n })).message.id)
        const seen: string[] = []
        let after: string | undefined
        const sizes: number[] = []
        do {
          const page = await store.messages({ limit: 3, ...(after === undefined ? {} : { after }) })
          sizes.push(page.items.length)
          seen.push(...page.items.map(({ message }) => message.id))
          after = page.next
        } while (after !== undefined)
        expect(seen).toEqual(all)
        expect(sizes).toEqual([3, 3, 1])
      })

      test('has no next page when it ends with the page', async () => {
        await accept()
        expect((await store.messages({ limit: 1 })).next).toBeUndefined()
        expect(await store.messages({ limit: 1, after: '0' })).toEqual({ items: [] })
      })

      test('filters by state, recipient, tag and text', async () => {
        const one = await accept({ to: ['+491', '+492'], tag: 'x', text: 'Kühlhaus: TÜR offen' })
        const two = await accept({ to: ['+493'], tag: 'y', text: 'all is well' })
        await record(first(two), intend())
        const found = async (query: object) =>
          (await store.messages({ limit: 10, ...query })).items.map(({ message }) => message.id)
        expect(await found({ state: 'submitting' })).toEqual([two.message.id])
        expect(await found({ to: '+492' })).toEqual([one.message.id])
        expect(await found({ tag: 'y' })).toEqual([two.message.id])
        expect(await found({ search: 'tür' })).toEqual([one.message.id])
        expect(await found({ tag: 'x', state: 'submitting' })).toEqual([])
        expect(await found({})).toEqual([two.message.id, one.message.id])
      })

      test('finds one among a thousand, and pages on', async () => {
        const many = Array.from({ length: 1_000 }, (_, n) => acceptance({ tag: n % 400 === 0 ? 'x' : 'y' }))
        await store.accept(many)
        const page = await store.messages({ limit: 2, tag: 'x' })
        const rest = await store.messages({ limit: 2, tag: 'x', after: page.next ?? '' })
        const ids = [...page.items, ...rest.items].map(({ message }) => message.id)
        expect(ids).toEqual([800, 400, 0].map((n) => many[n]?.message.id))
      })
    })

    describe('figures', () => {
      test('depth counts what is not finished', async () => {
        expect(await store.depth()).toEqual({
          queued: 0,
          submitting: 0,
          awaitingReport: 0,
          unknown: 0,
          oldest: undefined,
        })
        const ones: Acceptance[] = []
        for (let n = 0; n < 6; n++) ones.push(await accept({ at: START + n }))
        const [a, b, c, d] = ones.map(first)
        await record(a ?? '', intend())
        await record(b ?? '', intend(), accepted(1, START + 90))
        await record(c ?? '', intend(), { event: 'hold', reason: because('silence') })
        await record(d ?? '', intend(), accepted(1))
        const depth = {
          queued: 2,
          submitting: 1,
          awaitingReport: 1,
          unknown: 1,
          oldest: START + 4,
        }
        expect(await store.depth()).toEqual(depth)
        store = await engine.reopen()
        expect(await store.depth()).toEqual(depth)
        await record(a ?? '', { event: 'defer', reason: because('busy'), due: START, failure: false })
        expect(await store.depth()).toMatchObject({ queued: 3, submitting: 0, oldest: START })
      })

      test('totals count by line and hour', async () => {
        const hour = START - (START % 3_600_000)
        const ones: Acceptance[] = []
        for (let n = 0; n < 4; n++) ones.push(await accept())
        const [a, b, c, d] = ones.map(first)
        await record(a ?? '', intend('gsm0'), accepted(1, START + 90), { event: 'report', part: 0 })
        await record(b ?? '', intend('gsm1'), accepted(1))
        await record(c ?? '', intend('gsm1'), { event: 'fail', reason: because('barred') })
        await record(d ?? '', intend('gsm1'), { event: 'hold', reason: because('silence') })
        await store.record([change(d ?? '', { event: 'report', part: 0 }, START + 3_600_000)])
        await store.receive(part())
        const row = { node: 'a', sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 }
        const gsm0 = { ...row, line: 'gsm0', hour, sent: 1, delivered: 1, received: 1 }
        const gsm1 = { ...row, line: 'gsm1', hour, sent: 1, failed: 1, unknown: 1 }
        const later = { ...row, line: 'gsm1', hour: hour + 3_600_000, delivered: 1 }
        expect(await store.totals(0)).toEqual([gsm0, gsm1, later])
        expect(await store.totals(START + 3_600_000)).toEqual([later])
      })
    })

    describe('status reports', () => {
      const report = (reference: number, to: string, line = 'gsm0') =>
        store.matchReport({ node: 'a', line, reference, to, at: START })

      test('find their part by line, reference and number, over a restart', async () => {
        const one = await accept({ parts: 2, to: ['+491701234567'] })
        await record(
          first(one),
          intend('gsm0', 0),
          { event: 'confirm', part: 0, reference: 20 },
          intend('gsm0', 1),
          accepted(21, START + 90),
        )
        store = await engine.reopen()
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
        const one = await accept({ to: [to] })
        await record(first(one), intend(), accepted(9, START + 90))
        expect((await report(9, seen)) !== undefined).toBe(same)
      })

      test('mean the newest of several that is not reported yet', async () => {
        const [one, two, other] = [await accept(), await accept(), await accept({ to: ['+49170000'] })]
        for (const each of [one, two, other]) await record(first(each), intend(), accepted(9, START + 90))
        expect(await report(9, '01701234567')).toEqual({ delivery: first(two), part: 0 })
        await record(first(two), { event: 'report', part: 0 })
        expect(await report(9, '01701234567')).toEqual({ delivery: first(one), part: 0 })
        await record(first(one), { event: 'reportTimeout', reason: because('silence') })
        expect(await report(9, '01701234567')).toBeUndefined()
      })

      test('of a chain that began anew elsewhere mean nothing any more', async () => {
        const one = await accept({ parts: 2 })
        await record(first(one), intend('gsm0', 0), { event: 'confirm', part: 0, reference: 20 })
        await record(first(one), {
          event: 'defer',
          reason: because('line'),
          due: START,
          failure: false,
        })
        expect(await report(20, '+491701234567')).toMatchObject({ part: 0 })
        await record(first(one), intend('gsm1', 0))
        expect(await report(20, '+491701234567')).toBeUndefined()
      })
    })

    describe('received parts', () => {
      const texts = async () => (await store.inbox({ limit: 50 })).items.map(({ text }) => text)

      test('a message of one part is in the inbox at once, and once', async () => {
        const entry = await store.receive(part({ text: 'hello' }))
        expect(entry).toMatchObject({
          text: 'hello',
          complete: true,
          revision: 0,
          parts: { total: 1, received: 1 },
          at: START,
        })
        expect(await store.receive(part({ text: 'hello' }))).toBeUndefined()
        store = await engine.reopen()
        expect(await store.receive(part({ text: 'hello' }))).toBeUndefined()
        expect((await store.inbox({ limit: 9 })).items).toEqual([entry])
      })

      test('parts in any order, over a restart, make one message', async () => {
        expect(await store.receive(part({ number: 3, total: 3 }))).toBeUndefined()
        expect(await store.receive(part({ number: 1, total: 3 }))).toBeUndefined()
        store = await engine.reopen()
        expect(await store.receive(part({ number: 2, total: 3 }))).toMatchObject({
          text: 'part 1 part 2 part 3 ',
          complete: true,
        })
        expect(await texts()).toHaveLength(1)
      })

      test('what waits too long is shown with its gaps, and a late part fills them', async () => {
        await store.receive(part({ number: 1, total: 2, at: START + 10 }))
        expect(await store.completePartials(START + 10)).toEqual([])
        const [partial, ...more] = await store.completePartials(START + 11)
        expect(more).toEqual([])
        expect(partial).toMatchObject({ complete: false, revision: 0, parts: { total: 2, received: 1 } })
        expect(partial?.text).toContain('part 1 ')
        expect(await store.completePartials(START + 99)).toEqual([])
        const late = await store.receive(part({ number: 2, total: 2, at: START + 5 * DAY }))
        expect(late).toMatchObject({
          id: partial?.id,
          complete: true,
          revision: 1,
          text: 'part 1 part 2 ',
        })
        expect((await store.inbox({ limit: 9 })).items).toEqual([late])
      })

      test('a reference that comes round again begins a new message', async () => {
        for (const [days, word] of [
          [0, 'old'],
          [2, 'new'],
        ] as const) {
          const sentAt = START + days * DAY
          await store.receive(part({ number: 1, total: 2, sentAt, text: `${word} one ` }))
          await store.receive(part({ number: 2, total: 2, sentAt, text: `${word} two` }))
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
          await store.receive(
            part({ number, total: 2, sentAt: START + second * 1_000, text: `${word}${number}` }),
          )
        }
        expect(await texts()).toEqual(['b1b2', 'a1a2'])
      })

      test('old halves do not join new ones', async () => {
        await store.receive(part({ number: 1, total: 2, text: 'lost', sentAt: START }))
        await store.receive(part({ number: 2, total: 2, text: 'other', sentAt: START + 3 * DAY }))
        expect(await texts()).toEqual([])
        expect(await store.completePartials(START + 1)).toHaveLength(2)
      })

      test('lines, senders and widths are kept apart', async () => {
        await store.receive(part({ number: 1, total: 2 }))
        await store.receive(part({ number: 2, total: 2, line: 'gsm1', text: 'x' }))
        await store.receive(part({ number: 2, total: 2, from: '+4917', text: 'y' }))
        expect(await texts()).toEqual([])
      })

      test('the inbox pages, newest first', async () => {
        for (let n = 0; n < 5; n++) await store.receive(part({ text: `t${n}`, at: START + n }))
        const page = await store.inbox({ limit: 3 })
        expect(page.items.map(({ text }) => text)).toEqual(['t4', 't3', 't2'])
        const rest = await store.inbox({ limit: 3, after: page.next ?? '' })
        expect(rest.items.map(({ text }) => text)).toEqual(['t1', 't0'])
        expect(rest.next).toBeUndefined()
      })
    })

    describe('tokens and facts', () => {
      const token = { id: 't1', name: 'ops', hash: 'ab', scopes: ['send' as const], createdAt: START }

      test('a token is known until it is revoked', async () => {
        await store.createToken(token)
        expect(await store.tokens()).toEqual([{ ...token, lastUsedAt: undefined }])
        store = await engine.reopen()
        expect(await store.tokens()).toHaveLength(1)
        expect(await store.revokeToken('t1')).toBe(true)
        expect(await store.revokeToken('t1')).toBe(false)
        expect(await store.tokens()).toEqual([])
      })

      test('its last use shows at once and survives an orderly restart', async () => {
        await store.createToken(token)
        store.touchToken('t1', START + 90_000)
        expect(await store.tokens()).toMatchObject([{ lastUsedAt: START + 60_000 }])
        store = await engine.reopen()
        expect(await store.tokens()).toMatchObject([{ lastUsedAt: START + 60_000 }])
      })

      test('a fact is remembered until it is replaced', async () => {
        expect(await store.recall('pin')).toBeUndefined()
        await store.remember('pin', 'tried')
        store = await engine.reopen()
        expect(await store.recall('pin')).toBe('tried')
        await store.remember('pin', '')
        expect(await store.recall('pin')).toBe('')
      })
    })

    describe('retention', () => {
      const retention = { queue: 7 * DAY, archive: 30 * DAY }

      test('finished messages move to the archive, are still found, and are dropped in the end', async () => {
        const done = await accept()
        const open = await accept()
        const half = await accept({ to: ['1', '2'] })
        for (const one of [done, half]) await record(first(one), intend(), accepted(1))
        expect(await store.sweep(START + 7 * DAY - 1, retention, 10)).toEqual({ archived: 0, dropped: 0 })
        expect(await store.sweep(START + 7 * DAY + 1, retention, 10)).toEqual({ archived: 1, dropped: 0 })
        expect((await store.message(done.message.id))?.deliveries[0]).toMatchObject({ state: 'sent' })
        const ids = async () => (await store.messages({ limit: 9 })).items.map(({ message }) => message.id)
        expect(await ids()).toEqual([half, open, done].map(({ message }) => message.id))
        expect(await store.sweep(START + 30 * DAY + 1, retention, 10)).toEqual({ archived: 0, dropped: 1 })
        expect(await ids()).toEqual([half, open].map(({ message }) => message.id))
      })

      test('an unfinished message stays however old it is', async () => {
        const one = await accept()
        await record(first(one), intend(), accepted(1, START + 400 * DAY))
        expect(await store.sweep(START + 300 * DAY, retention, 10)).toEqual({ archived: 0, dropped: 0 })
      })

      test('at most so many at a time, and the rest the next time', async () => {
        for (let n = 0; n < 5; n++) await record(first(await accept()), intend(), accepted(1))
        const now = START + 8 * DAY
        const moved: number[] = []
        for (let n = 0; n < 4; n++) moved.push((await store.sweep(now, retention, 2)).archived)
        expect(moved).toEqual([2, 2, 1, 0])
      })

      test('a keyed message stays known by its key', async () => {
        const key = { key: 'k', bodyHash: 'h' }
        await record(first(await accept({ key })), intend(), accepted(1))
        await store.sweep(START + DAY - 1, { queue: 0, archive: DAY }, 10)
        expect(await store.accept([acceptance({ key, at: START + DAY - 1 })])).toMatchObject([
          { result: 'replayed' },
        ])
      })

      test('an archived message can be sent again', async () => {
        const one = await accept({ to: ['1', '2'] })
        for (const { id } of one.deliveries) await record(id, intend(), accepted(1))
        await store.sweep(START + 8 * DAY, retention, 10)
        const retry = {
          event: 'retry',
          reason: because('asked'),
          due: START,
          expires: START + 9 * DAY,
        } as const
        expect(await record(first(one), retry)).toEqual([true])
        expect(await claimed()).toEqual([first(one)])
        expect((await store.message(one.message.id))?.deliveries).toHaveLength(2)
        expect(await store.sweep(START + 8 * DAY, retention, 10)).toEqual({ archived: 0, dropped: 0 })
      })

      test('counts stay right when an unknown delivery is archived and comes back', async () => {
        const one = await accept()
        await record(first(one), intend(), { event: 'hold', reason: because('silence') })
        expect(await store.depth()).toMatchObject({ unknown: 1 })
        await store.sweep(START + 8 * DAY, retention, 10)
        expect(await store.depth()).toMatchObject({ unknown: 0 })
        await record(first(one), { event: 'cancel', reason: because('asked') })
        expect(await store.depth()).toMatchObject({ unknown: 0 })
        expect((await store.message(one.message.id))?.deliveries[0]).toMatchObject({ state: 'cancelled' })
      })
    })

    describe('closing', () => {
      test('waits for what was asked before and refuses what comes after', async () => {
        const one = acceptance()
        const writing = store.accept([one])
        const closing = store.close()
        expect(await writing).toEqual([{ result: 'accepted' }])
        await closing
        await expect(store.depth()).rejects.toMatchObject({ code: 'store-closed' })
        await store.close()
        store = await engine.reopen()
        expect(await store.message(one.message.id)).toBeDefined()
      })
    })
  })
}

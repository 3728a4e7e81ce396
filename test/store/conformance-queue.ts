/** Part of the conformance tests: acceptance, claims, events, time and closing. */
import { describe, expect, test } from 'vitest'
import type { Acceptance } from '#store/contract.ts'
import { acceptance, accepted, because, intend, START, term } from './fixtures.ts'
import { DAY, first, type Held, until } from './held.ts'

export function queueConformance(held: Held): void {
  describe('acceptance', () => {
    test('a message is found as it was given', async () => {
      const one = await held.accept({ to: ['+491701', '+491702'], tag: 'boiler', text: 'ü€😀\u0000"\n' })
      const found = await held.store.message(one.message.id)
      expect(found).toEqual({
        message: one.message,
        deliveries: one.deliveries.map((delivery) => ({ ...delivery, latest: expect.anything() })),
      })
      expect(await held.store.message('nothing')).toBeUndefined()
    })

    test('it is still there after reopening, and so is the newest time', async () => {
      const one = await held.accept({ at: START + 5 })
      await held.reopen()
      expect((await held.store.message(one.message.id))?.message).toEqual(one.message)
      expect(held.store.lastLogged).toBe(START + 5)
    })

    test('a new store has logged nothing', () => expect(held.store.lastLogged).toBe(0))

    test('a key gives the first message again, and refuses another body', async () => {
      const key = { key: 'k', bodyHash: 'h' }
      const one = await held.accept({ key })
      await held.record(first(one), intend())
      const again = await held.store.accept([
        acceptance({ key }),
        acceptance({ key: { key: 'k', bodyHash: 'other' } }),
      ])
      expect(again).toMatchObject([
        { result: 'replayed', message: { message: one.message, deliveries: [{ state: 'submitting' }] } },
        { result: 'conflict' },
      ])
      expect((await held.store.depth()).queued).toBe(0)
    })

    test('two acceptances of one batch may carry one key', async () => {
      const key = { key: 'k', bodyHash: 'h' }
      const [one, two] = [acceptance({ key }), acceptance({ key })]
      expect(await held.store.accept([one, two])).toMatchObject([
        { result: 'accepted' },
        { result: 'replayed', message: { message: { id: one.message.id } } },
      ])
    })

    test('a key is known for a day, over a restart too', async () => {
      const key = { key: 'k', bodyHash: 'h' }
      await held.accept({ key })
      await held.reopen()
      expect(await held.store.accept([acceptance({ key, at: START + DAY - 1 })])).toMatchObject([
        { result: 'replayed' },
      ])
      expect(await held.store.accept([acceptance({ key, at: START + DAY })])).toEqual([
        { result: 'accepted' },
      ])
    })

    test('accepted and claimed in one step', async () => {
      const one = acceptance({ to: ['1', '2'] })
      expect(await held.store.accept([one], { until, term })).toEqual([{ result: 'accepted' }])
      expect(await held.claimed()).toEqual([])
      await held.store.release([first(one)])
      expect(await held.claimed()).toEqual([first(one)])
    })

    test('a replayed message is not claimed', async () => {
      const key = { key: 'k', bodyHash: 'h' }
      const one = await held.accept({ key })
      await held.store.accept([acceptance({ key })], { until, term })
      expect(await held.claimed()).toEqual([first(one)])
    })
  })

  describe('claims', () => {
    test('come by priority, then due time, then order of acceptance', async () => {
      const late = await held.accept({ dueIn: -5 })
      const later = await held.accept({})
      const last = await held.accept({})
      const urgent = await held.accept({ priority: 0 })
      const slow = await held.accept({ priority: 3, dueIn: -100 })
      expect(await held.claimed(2)).toEqual([first(urgent), first(late)])
      expect(await held.claimed()).toEqual([first(later), first(last), first(slow)])
    })

    test('carry the message', async () => {
      const one = await held.accept({ to: ['1', '2', '3'] })
      const other = await held.accept({})
      const { claims } = await held.claim()
      expect(claims.map(({ message }) => message.id)).toEqual([
        one.message.id,
        one.message.id,
        one.message.id,
        other.message.id,
      ])
      expect(claims[1]).toMatchObject({ delivery: one.deliveries[1] ?? {}, message: one.message })
    })

    test('leave alone what is not due, and say when it is', async () => {
      const now = await held.accept({ priority: 3 })
      await held.accept({ dueIn: 500 })
      const later = await held.accept({ dueIn: 300, priority: 3 })
      expect(await held.claim()).toMatchObject({
        claims: [{ delivery: { id: first(now) } }],
        nextDue: START + 300,
      })
      expect(await held.claim(1, START + 400)).toMatchObject({
        claims: [{ delivery: { id: first(later) } }],
        nextDue: START + 500,
      })
      expect(await held.claim(5, START + 500)).toMatchObject({ claims: [{}] })
      expect((await held.claim(5, START + 900)).nextDue).toBeUndefined()
    })

    test('past the limit the rest is due already', async () => {
      await held.accept({ to: ['1', '2', '3'] })
      expect((await held.claim(2)).nextDue).toBe(START)
    })

    test('are nobody’s after a restart', async () => {
      const one = await held.accept()
      expect(await held.claimed()).toEqual([first(one)])
      expect(await held.claimed()).toEqual([])
      await held.reopen()
      expect(await held.claimed()).toEqual([first(one)])
    })

    test('end with what puts a delivery back, not with an intent', async () => {
      const one = await held.accept()
      await held.claimed()
      await held.record(first(one), intend())
      expect(await held.claimed()).toEqual([])
      await held.record(first(one), {
        event: 'defer',
        reason: because('busy'),
        due: START + 10,
        failure: true,
      })
      expect(await held.claimed()).toEqual([])
      expect(await held.claimed(1, START + 10)).toEqual([first(one)])
    })

    test('stay when a status report comes for a former attempt', async () => {
      const one = await held.accept({ parts: 2 })
      await held.record(first(one), intend(), { event: 'confirm', part: 0, reference: 5 })
      await held.record(first(one), {
        event: 'defer',
        reason: because('busy'),
        due: START,
        failure: false,
      })
      expect(await held.claimed()).toEqual([first(one)])
      expect(await held.record(first(one), { event: 'report', part: 0 })).toEqual([true])
      expect(await held.claimed()).toEqual([])
    })

    test('of members that share the work: who is active takes what has no owner as well', async () => {
      const ours = acceptance({ priority: 1 })
      const theirs = acceptance({ dueIn: -5 })
      const free = await held.accept({ dueIn: -9 })
      const own = (one: Acceptance, owner: string): Acceptance => ({
        ...one,
        deliveries: one.deliveries.map((delivery) => ({ ...delivery, owner })),
      })
      await held.store.accept([own(ours, 'a'), own(theirs, 'b')])
      const ids = async (owner?: { node: string; active: boolean }, now = START) => {
        const request = { limit: 9, now, until, term }
        const { claims, nextDue } = await held.store.claim(owner ? { ...request, owner } : request)
        await held.store.release(claims.map(({ delivery }) => delivery.id))
        return { ids: claims.map(({ delivery }) => delivery.id), nextDue }
      }
      expect((await ids({ node: 'a', active: true })).ids).toEqual([first(ours), first(free)])
      expect((await ids({ node: 'a', active: false })).ids).toEqual([first(ours)])
      expect((await ids({ node: 'b', active: false })).ids).toEqual([first(theirs)])
      expect(await ids({ node: 'c', active: false })).toEqual({ ids: [], nextDue: undefined })
      expect(await ids({ node: 'b', active: false }, START - 9)).toEqual({ ids: [], nextDue: START - 5 })
      // Nobody asks for an owner: one appliance serves what a pair has left.
      expect((await ids()).ids).toEqual([first(ours), first(free), first(theirs)])
    })

    test('of unknown deliveries are released without ado', async () => {
      await expect(held.store.release(['nothing', 'no.0', ''])).resolves.toBeUndefined()
    })
  })

  describe('events', () => {
    test('take effect in order, each on what the one before left', async () => {
      const one = await held.accept({ parts: 2 })
      expect(
        await held.record(
          first(one),
          intend('gsm0', 0),
          { event: 'confirm', part: 0, reference: 200 },
          intend('gsm0', 1),
          accepted(201, START + 1_000),
          { event: 'report', part: 1 },
          { event: 'report', part: 0 },
        ),
      ).toEqual([true, true, true, true, true, true])
      const view = await held.store.message(one.message.id)
      expect(view?.deliveries[0]).toMatchObject({ state: 'delivered', references: [200, 201] })
      expect(view?.deliveries[0]?.timeline).toHaveLength(7)
    })

    test('that the state does not allow change nothing', async () => {
      const one = await held.accept()
      expect(await held.record(first(one), accepted(1), { event: 'report', part: 0 })).toEqual([false, true])
      expect(await held.record('nothing.0', intend())).toEqual([false])
      expect(await held.record(`${one.message.id}.1`, intend())).toEqual([false])
      expect(await held.record(`${one.message.id}.-1`, intend())).toEqual([false])
      expect(await held.record(one.message.id, intend())).toEqual([false])
    })

    test('of calls made without waiting keep their order', async () => {
      const one = acceptance()
      const results = await Promise.all([
        held.store.accept([one]),
        held.record(first(one), intend()),
        held.store.depth(),
        held.record(first(one), accepted(1)),
        held.store.message(one.message.id),
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
      const one = await held.accept()
      const other = await held.accept()
      await held.claimed()
      await held.record(first(one), intend())
      await held.reopen()
      expect(await held.store.submitting()).toMatchObject([
        { delivery: { id: first(one), line: 'gsm0' }, message: one.message },
      ])
      expect(await held.claimed()).toEqual([first(other)])
    })
  })

  describe('time', () => {
    test('overdue are queued ones past expiry and sent ones past their wait, unless held', async () => {
      const expired = await held.accept({ validity: 100 })
      const inHand = await held.accept({ validity: 100, priority: 0 })
      const awaiting = await held.accept({ validity: 50 })
      const submitting = await held.accept({ validity: 50 })
      await held.accept({})
      expect(await held.claimed(1)).toEqual([first(inHand)])
      await held.record(first(awaiting), intend(), accepted(1, START + 90))
      await held.record(first(submitting), intend())
      const ids = async (now: number, limit = 10) =>
        (await held.store.overdue(now, limit)).map((delivery) => delivery.id)
      expect(await ids(START + 89)).toEqual([])
      expect(await ids(START + 100)).toEqual([first(awaiting), first(expired)])
      expect(await ids(START + 100, 1)).toEqual([first(awaiting)])
    })

    test('a corrected clock moves what was accepted since', async () => {
      const before = await held.accept({ at: START - 1 })
      const queued = await held.accept({})
      const waiting = await held.accept({})
      const finished = await held.accept({})
      await held.record(first(waiting), intend(), accepted(1, START + 90))
      await held.record(first(finished), intend(), accepted(1))
      await held.store.shiftTimes(START, 1_000_000)
      const delivery = async (one: Acceptance) => (await held.store.message(one.message.id))?.deliveries[0]
      expect(await delivery(before)).toMatchObject(before.deliveries[0] ?? {})
      expect(await delivery(queued)).toMatchObject({
        due: START + 1_000_000,
        expires: START + 1_000_000 + 3_600_000,
      })
      expect(await delivery(waiting)).toMatchObject({ reportBy: START + 1_000_090 })
      expect(await delivery(finished)).toMatchObject({ due: START })
      expect((await held.claim()).nextDue).toBe(START + 1_000_000)
      expect(await held.store.overdue(START + 1_000_000, 10)).toEqual([])
    })
  })

  describe('closing', () => {
    test('waits for what was asked before and refuses what comes after', async () => {
      const one = acceptance()
      const writing = held.store.accept([one])
      const closing = held.store.close()
      expect(await writing).toEqual([{ result: 'accepted' }])
      await closing
      await expect(held.store.depth()).rejects.toMatchObject({ code: 'store-closed' })
      await held.store.close()
      await held.reopen()
      expect(await held.store.message(one.message.id)).toBeDefined()
    })
  })
}

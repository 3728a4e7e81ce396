/** The pure rules of a fax line: how a number is dialled, when a call is answered, what follows from how one ended. */
import { describe, expect, it } from 'vitest'
import { faxRetryDefaults } from '#config/fax.ts'
import type { CallOutResult, FaxFailure } from '#fax/contract.ts'
import { dialString } from '#fax/dialling.ts'
import { heard, isRinging, quiet } from '#fax/process/ringing.ts'
import { doNotDial } from '#fax/quiet-hours.ts'
import { outcomeOf } from '#fax/results.ts'
import { newDelivery } from '#messages/message.ts'
import { settle } from '#messages/retry.ts'
import { messageOf } from '../messages/message-of.ts'

describe('dialling', () => {
  const dial = { prefix: '0,', country: '49', international: '00', national: '0' }

  it.each([
    ['+49 30 1234567', '0,0301234567'],
    ['+43 1 234', '0,00431234'],
    ['030/123-4', '0,0301234'],
    ['*31#030123', '0,*31#030123'],
    ['+49', '0,0049'],
  ])('%s becomes %s', (to, expected) => {
    expect(dialString(to, dial)).toBe(expected)
  })

  it('has no country where none is given, and dials nothing where there is no digit', () => {
    expect(dialString('+4930123', { prefix: '', international: '011', national: '1' })).toBe('0114930123')
    expect(dialString('extension', dial)).toBeUndefined()
  })
})

describe('answering', () => {
  const settings = { rings: 2, distinctive: [], callers: [] }
  const ring = (lines: string[], wanted = settings as Parameters<typeof heard>[3], every = 5_000) => {
    let state = quiet
    return lines.map((line, n) => {
      const { ringing, answer } = heard(state, line, n * every, wanted)
      state = ringing
      return answer
    })
  }

  it('goes off hook at the ring that is set, and never with 0', () => {
    expect(ring(['RING', 'RING'])).toEqual([false, true])
    expect(ring(['RING', 'RING', 'RING'], { ...settings, rings: 0 })).toEqual([false, false, false])
  })

  it('counts a call anew after a pause', () => {
    expect(ring(['RING', 'RING'], settings, 9_000)).toEqual([false, false])
    expect(isRinging({ rings: 1, caller: '', at: 0 }, 7_999)).toBe(true)
    expect(isRinging({ rings: 1, caller: '', at: 0 }, 8_000)).toBe(false)
  })

  it('answers the rings that are meant for it', () => {
    const second = { ...settings, distinctive: ['RING 2'] }
    expect(ring(['RING 1', 'RING 1', 'RING 1'], second)).toEqual([false, false, false])
    expect(ring(['RING 2', 'RING 2'], second)).toEqual([false, true])
  })

  it('knows kinds of ringing however the modem writes them', () => {
    const second = { ...settings, distinctive: ['RING 2'] }
    expect(ring(['RING2', 'RING2'], second)).toEqual([false, true])
    expect(ring(['RING1', 'RING1'], second)).toEqual([false, false])
    expect(ring(['RING1', 'RINGA'])).toEqual([false, false])
    expect(isRinging(heard(quiet, 'RING3', 0, second).ringing, 100)).toBe(true)
  })

  it('does not dial into a ring that is for somebody else', () => {
    const { ringing, answer } = heard(quiet, 'RING 1', 1_000, { ...settings, distinctive: ['RING 2'] })
    expect(answer).toBe(false)
    expect(isRinging(ringing, 1_500)).toBe(true)
    expect(isRinging(heard(quiet, 'DATE = 1121', 1_000, settings).ringing, 1_500)).toBe(false)
  })

  it('answers the callers that are wanted, however the exchange writes them', () => {
    const some = { ...settings, callers: ['+4930*', '0891'] }
    expect(ring(['RING', 'NMBR = 4930555', 'RING'], some)).toEqual([false, false, true])
    expect(ring(['RING', 'NMBR=089 1', 'RING'], some)).toEqual([false, false, true])
    expect(ring(['RING', 'CALLER NUMBER: 0891', 'RING'], some)).toEqual([false, false, true])
    expect(ring(['RING', 'NMBR = 040555', 'RING'], some)).toEqual([false, false, false])
    expect(ring(['RING', 'RING', 'RING'], some)).toEqual([false, false, false])
  })
})

describe('hours without dialling', () => {
  const at = (text: string) => Date.parse(text)
  const night = { from: 22 * 60, until: 7 * 60, zone: 'Europe/Berlin' }

  it('hold what is in no hurry until they end, and say so', () => {
    // 23:30 in Berlin.
    expect(doNotDial([night], 2, at('2026-11-21T22:30:00Z'))).toEqual({
      reason: {
        code: 'do-not-dial',
        text: 'This line does not dial from 22:00 to 07:00, and dials again at 07:00 (Europe/Berlin)',
      },
      wait: 7.5 * 3_600_000,
    })
    expect(doNotDial([night], 2, at('2026-11-21T06:00:00Z'))).toBeUndefined()
  })

  it('let through what they are told to', () => {
    const urgent = { ...night, except: 1 }
    const then = at('2026-11-21T22:30:00Z')
    expect([0, 1, 2, 3].map((priority) => doNotDial([urgent], priority, then) === undefined)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('that overlap end together', () => {
    const noon = { from: 0, until: 12 * 60, zone: 'Europe/Berlin' }
    const wait = doNotDial([night, noon], 2, at('2026-11-21T05:00:00Z'))?.wait
    expect(wait).toBe(6 * 3_600_000)
  })
})

describe('what follows from a call', () => {
  const message = messageOf()
  const delivery = { ...newDelivery(message, 0, '+49', 'fax', 5), confirmed: 1, dials: 1 }
  const decided = (result: CallOutResult, changes: object = {}, otherLine = false) =>
    settle({ ...delivery, ...changes }, message, outcomeOf(result, 5, faxRetryDefaults), {
      now: 0,
      node: 'a',
      line: 'fax0',
      otherLine,
    })
  const failed = (failure: FaxFailure): CallOutResult => ({
    result: 'failed',
    failure,
    text: 'Words.',
    confirmed: 1,
    facts: {},
  })

  it.each([
    ['fax-busy', 180_000, false],
    ['fax-no-answer', 300_000, false],
    ['fax-no-carrier', 300_000, true],
    ['fax-no-machine', 300_000, true],
    ['fax-training-failed', 60_000, true],
    ['fax-page-refused', 60_000, true],
    ['fax-poor-copy', 60_000, true],
    ['fax-line-dropped', 60_000, true],
    ['fax-protocol', 60_000, true],
  ] as const)('%s: again after %i ms', (failure, due, failure_) => {
    expect(decided(failed(failure))).toMatchObject({
      event: 'defer',
      due,
      failure: failure_,
      reason: { code: failure, text: 'Words.' },
    })
    // Never the same number at once, whatever other lines there are.
    expect(decided(failed(failure), {}, true)).toMatchObject({ event: 'defer', due })
  })

  it.each(['fax-no-dial-tone', 'fax-modem', 'fax-too-slow'] as const)(
    '%s: another line at once',
    (failure) => {
      expect(decided(failed(failure), {}, true)).toMatchObject({ event: 'defer', due: delivery.due })
      expect(decided(failed(failure))).toMatchObject({ event: 'defer', due: 60_000 })
    },
  )

  it('gives up after three tries that came through, or twelve calls', () => {
    expect(decided(failed('fax-line-dropped'), { failures: 2, dials: 3 })).toMatchObject({ event: 'fail' })
    expect(decided(failed('fax-busy'), { failures: 2, dials: 11 })).toMatchObject({ event: 'defer' })
    expect(decided(failed('fax-busy'), { dials: 12 })).toMatchObject({ event: 'fail' })
  })

  it('is unknown where the last answer was lost, and waits before it sends the last page again', () => {
    const lost: CallOutResult = { result: 'unknown', text: 'No answer to the end.', confirmed: 4, facts: {} }
    expect(decided(lost)).toMatchObject({ event: 'resend', due: 60_000, reason: { code: 'fax-unknown' } })
  })
})

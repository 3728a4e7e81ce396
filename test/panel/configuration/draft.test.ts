/** The draft of the configuration's forms: what counts as a change, and beside which field each message stands. */
import { describe, expect, it } from 'vitest'
import { clockText, countdown, secondsLeft, shareLeft } from '../../../src/panel/configuration/countdown.ts'
import {
  isEmpty,
  isWithin,
  moved,
  problemsOf,
  sameValue,
  strayProblems,
  withKey,
  withoutPath,
  withValue,
} from '../../../src/panel/configuration/draft.ts'

describe('a draft', () => {
  it('holds what differs from what holds, and nothing else', () => {
    const one = withValue({}, 'validity', '2h', '30m')
    expect(one).toEqual({ validity: '2h' })
    expect(isEmpty(withValue(one, 'validity', '30m', '30m'))).toBe(true)
    expect(isEmpty(withoutPath(one, 'validity'))).toBe(true)
    expect(
      isEmpty(
        withValue({}, 'storm', { zone: 'UTC', group: { after: 3 } }, { group: { after: 3 }, zone: 'UTC' }),
      ),
    ).toBe(true)
  })

  it('compares values as JSON, and lists in their order', () => {
    expect(sameValue([{ a: 1 }], [{ a: 1 }])).toBe(true)
    expect(sameValue([1, 2], [2, 1])).toBe(false)
    expect(sameValue({ a: undefined }, {})).toBe(true)
    expect(sameValue(null, {})).toBe(false)
    expect(sameValue('1', 1)).toBe(false)
  })
})

describe('the place of a message', () => {
  const fields = ['routes', 'routes[1].lines', 'retention.queue', 'log.level']

  it('is the field with the longest path that it begins with', () => {
    const problems = [
      { path: 'routes[1].lines[0]', text: 'gsm9 is no line' },
      { path: 'routes[0].match', text: 'must be' },
      { path: 'retention.queue', text: 'is too long' },
    ]
    expect(problemsOf(problems, 'routes[1].lines', fields).map(({ text }) => text)).toEqual([
      'gsm9 is no line',
    ])
    expect(problemsOf(problems, 'routes', fields).map(({ text }) => text)).toEqual(['must be'])
    expect(problemsOf(problems, 'retention.queue', fields)).toHaveLength(1)
    expect(strayProblems(problems, fields)).toEqual([])
  })

  it('is never lost where no field has it', () => {
    const problem = { path: 'retention', text: 'must be a section' }
    expect(strayProblems([problem], fields)).toEqual([problem])
    expect(isWithin('routesX', 'routes')).toBe(false)
    expect(isWithin('contacts/ops.sms', 'contacts/ops')).toBe(true)
  })
})

describe('values inside of others', () => {
  it('are set, removed and moved', () => {
    expect(withKey({ a: 1 }, 'b', 2)).toEqual({ a: 1, b: 2 })
    expect(withKey({ a: 1 }, 'a', undefined)).toEqual({})
    expect(withKey(undefined, 'a', 1)).toEqual({ a: 1 })
    expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['a', 'c', 'b'])
    expect(moved(['a', 'b'], 0, 1)).toEqual(['b', 'a'])
  })
})

describe('the time to confirm', () => {
  it('is counted from when the answer came', () => {
    const running = countdown('r1', 90_000, 5_000)
    expect([secondsLeft(running, 5_000), secondsLeft(running, 94_500), secondsLeft(running, 99_000)]).toEqual(
      [90, 1, 0],
    )
    expect([shareLeft(running, 5_000), shareLeft(running, 50_000), shareLeft(running, 99_000)]).toEqual([
      1, 0.5, 0,
    ])
    expect([clockText(90), clockText(5), clockText(3_725)]).toEqual(['1:30', '0:05', '1:02:05'])
  })
})

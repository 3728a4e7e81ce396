/** A line's rate and its rests, on a clock given as a number. */
import { expect, it } from 'vitest'
import { Pace } from '#dispatch/pace.ts'

it('never waits without a rate', () => {
  const pace = new Pace()
  pace.used(0, 1_000)
  expect(pace.wait(0)).toBe(0)
})

it('allows the configured count in one burst, then spreads evenly', () => {
  const pace = new Pace({ parts: 10, perMs: 60_000 })
  for (let n = 0; n < 10; n++) {
    expect(pace.wait(0)).toBe(0)
    pace.used(0, 1)
  }
  expect(pace.wait(0)).toBe(6_000)
  expect(pace.wait(6_000)).toBe(0)
})

it('counts every part of a long message', () => {
  const pace = new Pace({ parts: 2, perMs: 1_000 })
  pace.used(0, 4)
  expect(pace.wait(0)).toBe(1_500)
})

it('rests after different numbers failed in a row, at most 10 s, and not after a success', () => {
  const pace = new Pace()
  for (const to of ['1', '2']) pace.failed(0, to)
  expect(pace.rest(0)).toBe(0)
  pace.failed(0, '3')
  expect(pace.rest(0)).toBeGreaterThan(0)
  for (let n = 4; n < 30; n++) pace.failed(0, `${n}`)
  expect(pace.rest(0)).toBe(10_000)
  const other = new Pace()
  for (const to of ['1', '2']) other.failed(0, to)
  other.succeeded()
  other.failed(0, '3')
  expect(other.rest(0)).toBe(0)
})

it('does not blame the line for one bad number', () => {
  const pace = new Pace()
  for (let n = 0; n < 20; n++) pace.failed(0, 'bad')
  expect(pace.rest(0)).toBe(0)
})

/** Wall time that never goes back and tells of corrections. */
import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '#core/clock.ts'

afterEach(() => vi.useRealTimers())

const at = (ms: number) => vi.useFakeTimers({ now: ms, toFake: ['Date', 'performance'] })

it('starts at what was last logged when the system clock is behind it, and is not trusted then', () => {
  at(1_000_000)
  const clock = systemClock(5_000_000)
  expect(clock.now()).toBe(5_000_000)
  expect(clock.trusted()).toBe(false)
})

it('never goes back when the system clock is set back', () => {
  at(1_000_000)
  const clock = systemClock(0)
  vi.advanceTimersByTime(500)
  expect(clock.now()).toBe(1_000_500)
  vi.setSystemTime(10)
  vi.advanceTimersByTime(500)
  expect(clock.now()).toBe(1_001_000)
  expect(clock.trusted()).toBe(false)
})

it('follows the system clock forward and tells by how much it was corrected', () => {
  at(1_000_000)
  const jumps: number[] = []
  const clock = systemClock(0, (byMs) => jumps.push(byMs))
  vi.setSystemTime(9_000_000)
  expect(clock.now()).toBe(9_000_000)
  expect(clock.trusted()).toBe(true)
  expect(jumps).toEqual([8_000_000])
})

it('does not take small steps for corrections', () => {
  at(1_000_000)
  const jumps: number[] = []
  const clock = systemClock(0, (byMs) => jumps.push(byMs))
  vi.setSystemTime(1_030_000)
  expect(clock.now()).toBe(1_030_000)
  expect(jumps).toEqual([])
})

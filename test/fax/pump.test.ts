/** The page pump against a modem that uses data at the rate of the line, and programs that are held up. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flowPump, type PumpState, reserve, startPump, stepPump, TICK_MS } from '#fax/pump.ts'

interface Modem {
  /** It says XOFF above `high` and XON below `low`. */
  high: number
  low: number
  room: number
}

/** @param waits ms from one turn of the pump to the next */
function run(
  rate: number,
  total: number,
  waits: readonly number[],
  modem: Modem,
): { lost: number; least: number; end: 'finished' | 'starved'; dry: boolean } {
  let now = 0
  let pump: PumpState = startPump(rate, 0, total, now)
  let held = 0
  let lost = 0
  let least = Number.POSITIVE_INFINITY
  let dry = false
  for (let turn = 0; turn < 200_000; turn++) {
    const { pump: next, step } = stepPump(pump, now, 0, true)
    pump = next
    if ('finished' in step) return { lost, least, end: 'finished', dry }
    if ('starved' in step) return { lost, least, end: 'starved', dry }
    lost += Math.max(0, held + step.write - modem.room)
    held = Math.min(modem.room, held + step.write)
    if (held > modem.high) pump = flowPump(pump, true, now)
    // Once its buffer has filled, and until its last bytes, the modem must never run low.
    if (now > 1_000 && pump.written < total) least = Math.min(least, held)
    const wait = waits[turn] ?? TICK_MS
    for (let at = 0; at < wait; at++) {
      // It uses fractions of bytes, which do not add up to the last digit.
      if (held < rate / 8_000 - 1e-6) dry = true
      held = Math.max(0, held - rate / 8_000)
    }
    now += wait
    // A program that is held up reads XON only when it goes on.
    if (pump.paused && held < modem.low) pump = flowPump(pump, false, now)
  }
  throw new Error('no end')
}

const spandsp: Modem = { high: 3_072, low: 1_024, room: 4_096 }

test.each([2400, 4800, 7200, 9600, 12000, 14400])(
  'at %i bit/s nothing is lost and half a second is always there',
  (rate) => {
    const { lost, least, end, dry } = run(rate, rate * 5, [], spandsp)
    expect({ lost, end, dry }).toEqual({ lost: 0, end: 'finished', dry: false })
    expect(least).toBeGreaterThanOrEqual(rate / 16)
  },
)

test('a program held up for a moment loses nothing; one held up for longer says so', () => {
  const held = (ms: number) => run(14400, 60_000, [...new Array<number>(50).fill(TICK_MS), ms], spandsp)
  expect(held(400)).toMatchObject({ lost: 0, end: 'finished', dry: false })
  expect(held(3_000)).toMatchObject({ end: 'starved' })
})

test('whatever the delays: no page is finished after the modem has run dry', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2400, 9600, 14400),
      fc.array(fc.oneof(fc.constant(TICK_MS), fc.integer({ min: 1, max: 4_000 })), { maxLength: 80 }),
      fc.record({
        high: fc.integer({ min: 1_000, max: 3_000 }),
        low: fc.integer({ min: 200, max: 900 }),
        room: fc.constant(4_096),
      }),
      (rate, waits, modem) => {
        const { end, dry, lost } = run(rate, 20_000, waits, modem)
        expect(lost).toBe(0)
        if (dry) expect(end).toBe('starved')
      },
    ),
    // A second turn that is late by less than counts as late.
    { numRuns: 200, examples: [[2400, [81], { high: 1_000, low: 200, room: 4_096 }]] },
  )
})

test('what the modem holds is reckoned at the least', () => {
  const started = startPump(14400, 142, 10_000, 0)
  const { pump } = stepPump(started, 0, 0, true)
  expect(pump.written).toBe(576)
  expect(reserve(pump, 142)).toBe(576)
  expect(reserve(pump, 462)).toBe(0)
  // What waits for the device cannot be called back: nothing is added to it.
  expect(stepPump(pump, 20, 1_000, true).step).toEqual({ write: 0 })
})

/** The machine of a watched register, as sequences of readings, and the numbers that registers hold. */
import { describe, expect, test } from 'vitest'
import { fill, readingOf } from '#intake/modbus/reading.ts'
import {
  newWatch,
  parseRecord,
  recordOf,
  step,
  type WatchInput,
  type WatchRules,
  type WatchState,
} from '#intake/modbus/watch.ts'

const hot: WatchRules = {
  when: { comparison: '>', limit: 45 },
  clear: { comparison: '<', limit: 40 },
  delay: 0,
  lost: 10_000,
  latch: false,
}

function run(
  rules: WatchRules,
  inputs: readonly (WatchInput | number | 'silent')[],
  from: WatchState = newWatch,
) {
  let state = from
  const events = inputs.map((input, n) => {
    const at = n * 1_000
    const next = step(
      state,
      typeof input === 'number'
        ? { input: 'reading', value: input, at }
        : input === 'silent'
          ? { input: 'silence', at }
          : input,
      rules,
    )
    state = next.state
    return next.events.join(' ')
  })
  return { events, state }
}
const acknowledge = { input: 'acknowledge' } as const

describe('hysteresis and delay', () => {
  test('an alarm begins beyond `when` and ends beyond `clear`, not between', () => {
    expect(run(hot, [45, 46, 44, 46, 41, 40, 39, 41]).events).toEqual([
      '',
      'alarm',
      '',
      '',
      '',
      '',
      'clear',
      '',
    ])
  })
  test('without `clear` it ends when `when` no longer holds', () => {
    const { clear: _, ...rules } = hot
    expect(run(rules, [46, 45, 46]).events).toEqual(['alarm', 'clear', 'alarm'])
  })
  test('`when` must hold for the whole delay; a reading or a silence in between begins it anew', () => {
    const rules = { ...hot, delay: 2_000 }
    expect(run(rules, [46, 46, 46, 39]).events).toEqual(['', '', 'alarm', 'clear'])
    expect(run(rules, [46, 46, 45, 46, 46, 46]).events).toEqual(['', '', '', '', '', 'alarm'])
    expect(run(rules, [46, 46, 'silent', 46, 46, 46]).events).toEqual(['', '', '', '', '', 'alarm'])
  })
})

describe('latch', () => {
  const rules = { ...hot, latch: true }
  test('an alarm that ended stays until it is acknowledged, and is told once', () => {
    expect(run(rules, [46, 39, 46, 39, acknowledge, 39]).events).toEqual(['alarm', '', '', '', 'clear', ''])
  })
  test('one that is acknowledged while it lasts ends by itself', () => {
    expect(run(rules, [46, acknowledge, 46, 39, 46]).events).toEqual(['alarm', '', '', 'clear', 'alarm'])
  })
  test('nothing to acknowledge changes nothing', () => {
    expect(run(rules, [acknowledge]).state).toEqual(newWatch)
    expect(run(hot, [46, acknowledge]).state).toMatchObject({ value: 'alarm', acknowledged: false })
  })
})

describe('communication', () => {
  const rules = { ...hot, lost: 2_000 }
  test('is lost after silence, once, and found with the next reading, whatever that says', () => {
    expect(run(rules, [39, 'silent', 'silent', 'silent', 'silent', 39]).events).toEqual([
      '',
      '',
      '',
      'lost',
      '',
      'found',
    ])
    expect(run(rules, ['silent', 'silent', 'silent', 46]).events).toEqual(['', '', 'lost', 'found alarm'])
  })
  test('a short silence is none', () => {
    expect(run(rules, ['silent', 'silent', 39, 'silent', 'silent', 39]).events.join('')).toBe('')
  })
  test('an alarm outlasts it', () => {
    expect(run(rules, [46, 'silent', 'silent', 'silent', 39]).events).toEqual([
      'alarm',
      '',
      '',
      'lost',
      'found clear',
    ])
  })
})

test('what is remembered is enough to neither repeat nor lose anything', () => {
  const record = parseRecord(JSON.parse(JSON.stringify(recordOf(run(hot, [46]).state))))
  expect(run(hot, [46, 39], record).events).toEqual(['', 'clear'])
  expect(parseRecord({ value: 'elsewhere' })).toBeUndefined()
  expect(parseRecord(null)).toBeUndefined()
})

describe('registers become numbers', () => {
  const as = (
    type: 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32',
    words: 'big' | 'little',
    scale = 1,
  ) => ({
    type,
    words,
    scale,
  })
  test.each([
    [[0xfffe], as('int16', 'big'), -2],
    [[0xfffe], as('uint16', 'big'), 65_534],
    [[451], as('int16', 'big', 0.1), 45.1],
    [[0xffff, 0xfffe], as('int32', 'big'), -2],
    [[0xfffe, 0xffff], as('int32', 'little'), -2],
    [[0x0001, 0x0000], as('uint32', 'big'), 65_536],
    [[0x4236, 0x6666], as('float32', 'big'), 45.6],
    [[0x6666, 0x4236], as('float32', 'little'), 45.6],
    [[0x7fc0, 0], as('float32', 'big'), undefined],
    [[0x7f80, 0], as('float32', 'big'), undefined],
  ])('%j as %j is %j', (words, how, value) => {
    expect(readingOf(words, how)).toBe(value)
  })
  test('a text has its values put in, and keeps what it does not know', () => {
    expect(fill('UPS {value} °C {else}', { value: '45.1' })).toBe('UPS 45.1 °C {else}')
  })
})

/** What is shown before something is applied: every line of both sides is there, in order, and the text is YAML that means the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { lineDiff, shortened, valueDiff, valueLines } from '../../../src/panel/configuration/value-text.ts'

const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })

describe('the difference of two texts', () => {
  it('has every line of both, in order, and keeps as many as it can', () => {
    fc.assert(
      fc.property(words, words, (before, after) => {
        const lines = lineDiff(before, after)
        expect(lines.filter(({ mark }) => mark !== 'new').map(({ text }) => text)).toEqual(before)
        expect(lines.filter(({ mark }) => mark !== 'gone').map(({ text }) => text)).toEqual(after)
      }),
    )
    expect(lineDiff(['a', 'b', 'c'], ['a', 'x', 'c']).map(({ mark }) => mark)).toEqual([
      'same',
      'gone',
      'new',
      'same',
    ])
    expect(lineDiff(['a'], ['a']).every(({ mark }) => mark === 'same')).toBe(true)
  })

  it('leaves out long stretches that stay, and says where', () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index}`)
    const shown = shortened(lineDiff(before, before.with(10, 'other')))
    expect(shown.map((line) => line?.text)).toEqual([
      undefined,
      'line 8',
      'line 9',
      'line 10',
      'other',
      'line 11',
      'line 12',
      undefined,
    ])
  })
})

const plain = fc.oneof(
  fc.constantFrom('30m', '+49*', 'gsm0', 'box-b/gsm0', 'true', '12', 'a: b', '#x', '', '- y', 'Störung'),
  fc.integer(),
  fc.boolean(),
)
const value = fc.oneof(
  plain,
  fc.array(plain, { maxLength: 4 }),
  fc.array(fc.dictionary(fc.constantFrom('match', 'lines', 'cost'), fc.oneof(plain, fc.array(plain))), {
    maxLength: 4,
  }),
  fc.dictionary(
    fc.constantFrom('dedupe', 'group', 'zone'),
    fc.oneof(plain, fc.dictionary(fc.constantFrom('window', 'after'), plain)),
  ),
)

describe('a value as people read it', () => {
  it('is YAML that means the same', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(parse(valueLines(one).join('\n'))).toEqual(one)
      }),
    )
  })

  it('has no lines when there is none', () => {
    expect(valueLines(undefined)).toEqual([])
    expect(valueDiff(undefined, '2h')).toEqual([{ mark: 'new', text: '2h' }])
  })

  it('stands as in the file', () => {
    const routes = [{ match: '+49*', lines: ['gsm0', 'box-b/gsm1'], cost: 7 }]
    expect(valueLines(routes)).toEqual(['- match: +49*', '  lines: [gsm0, box-b/gsm1]', '  cost: 7'])
    expect(valueLines({ group: { after: 3 } })).toEqual(['group:', '  after: 3'])
  })
})

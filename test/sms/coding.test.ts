/** Which alphabet, how many parts, cut where. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partLimit, planText, splitText } from '#sms/coding.ts'
import { septetMap, toSeptets } from '#sms/gsm7.ts'

const plan = (text: string, reference: 8 | 16 = 8) => {
  const { coding, parts } = planText(text, reference)
  return [coding.alphabet, coding.locking, coding.single, parts.length] as const
}

/** Texts that mix all that is hard: escapes, emoji with joiners, flags, combining marks, Indian clusters, lone surrogates. */
const awkward = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.string({ maxLength: 60 }),
      fc.constantFrom(
        '€',
        '{}',
        '[~]',
        '\r\n',
        '👩‍👩‍👧‍👦',
        '🇩🇪🇫🇷',
        '👍🏽',
        'é',
        'नमस्ते',
        'ক্ষ',
        'ğışİ',
        'ação',
        'áíóú',
        '가각',
        '\ud83d',
        '\udc00',
        ' ',
      ),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''))

const reference = fc.constantFrom(8 as const, 16 as const)
const sizeOf = (part: string, alphabet: string, locking: number, single: number): number =>
  alphabet === 'ucs2' ? part.length : toSeptets(part, septetMap(locking, single)).length

describe('limits', () => {
  test.each([
    ['', 8, 1],
    ['x'.repeat(160), 8, 1],
    ['x'.repeat(161), 8, 2],
    ['x'.repeat(306), 8, 2],
    ['x'.repeat(307), 8, 3],
    ['x'.repeat(304), 16, 2],
    ['x'.repeat(305), 16, 3],
    ['€'.repeat(80), 8, 1],
    ['€'.repeat(81), 8, 2],
    // An escape pair never straddles: 76 pairs of 153 septets, and one septet stays empty.
    ['€'.repeat(152), 8, 2],
    ['€'.repeat(153), 8, 3],
    ['世'.repeat(70), 8, 1],
    ['世'.repeat(71), 8, 2],
    ['世'.repeat(134), 8, 2],
    ['世'.repeat(135), 8, 3],
    ['世'.repeat(132), 16, 2],
    ['世'.repeat(133), 16, 3],
    ['😀'.repeat(35), 8, 1],
    ['😀'.repeat(36), 8, 2],
    ['😀'.repeat(66), 8, 2],
    ['😀'.repeat(67), 8, 3],
  ] as const)('%# takes the parts it must', (text, width, parts) => {
    expect(planText(text, width).parts).toHaveLength(parts)
  })

  test.each([
    [0, 0, 160, 153, 152],
    [0, 1, 155, 149, 148],
    [3, 0, 155, 149, 148],
    [6, 6, 152, 146, 145],
  ])('locking %i and single %i leave room for %i, %i, %i septets', (locking, single, one, with8, with16) => {
    const coding = { alphabet: 'gsm7', locking, single, reference: 8 } as const
    expect(partLimit(coding, false)).toBe(one)
    expect(partLimit(coding, true)).toBe(with8)
    expect(partLimit({ ...coding, reference: 16 }, true)).toBe(with16)
  })
})

describe('alphabet', () => {
  test('empty text is one empty part', () => {
    expect(planText('', 8)).toEqual({
      coding: { alphabet: 'gsm7', locking: 0, single: 0, reference: 8 },
      parts: [''],
    })
  })

  test('a back-tick is not in the default alphabet', () => expect(plan('`')).toEqual(['ucs2', 0, 0, 1]))

  test('a national table is only used where it saves a part', () => {
    expect(plan('¿Está aquí?')).toEqual(['ucs2', 0, 0, 1])
    expect(plan('¿Está aquí? '.repeat(10))).toEqual(['gsm7', 0, 2, 1])
    expect(plan('á'.repeat(71))).toEqual(['gsm7', 0, 2, 1])
    expect(plan('०'.repeat(134))).toEqual(['ucs2', 0, 0, 2])
    expect(plan('Şu an çok ışık var, değil mi? '.repeat(5))[0]).toBe('gsm7')
    expect(plan('Atenção à situação: não há mãos. '.repeat(4))[0]).toBe('gsm7')
    expect(plan('नमस्ते दुनिया '.repeat(10))).toEqual(['gsm7', 6, 0, 1])
    expect(plan('日本語'.repeat(30))[0]).toBe('ucs2')
    expect(plan('Привет '.repeat(20))[0]).toBe('ucs2')
    expect(plan(`${'¿Está aquí? '.repeat(10)}😀`)[0]).toBe('ucs2')
  })
})

describe('cuts', () => {
  test('a family stays together, a surrogate pair and an escape pair too', () => {
    const family = '👩‍👩‍👧‍👦'
    for (const part of planText(family.repeat(30), 8).parts) expect(part.length % family.length).toBe(0)
    expect(planText(`${'x'.repeat(152)}€${'y'.repeat(20)}`, 8).parts[1]).toBe(`€${'y'.repeat(20)}`)
    expect(planText(`${'x'.repeat(152)}\r\n${'y'.repeat(20)}`, 8).parts[1]).toBe(`\r\n${'y'.repeat(20)}`)
    expect(planText(`${'x'.repeat(66)}😀${'y'.repeat(20)}`, 8).parts[1]).toBe(`😀${'y'.repeat(20)}`)
  })

  test('a cluster longer than a part is cut between code points, and what follows it is cut well again', () => {
    const text = `${'x'.repeat(30)}😀${'‍😀'.repeat(60)}é${'y'.repeat(80)}`
    const { parts } = planText(text, 8)
    expect(parts.join('')).toBe(text)
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(67)
      expect(part.isWellFormed()).toBe(true)
    }
  })

  test('for any text: parts within the limit, joined the text, no cluster broken, the same every time', () => {
    const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })
    fc.assert(
      fc.property(awkward, reference, (text, width) => {
        const { coding, parts } = planText(text, width)
        expect(parts.join('')).toBe(text)
        const limit = partLimit(coding, parts.length > 1)
        for (const part of parts) {
          expect(sizeOf(part, coding.alphabet, coding.locking, coding.single)).toBeLessThanOrEqual(limit)
        }
        const boundaries = new Set([...segmenter.segment(text)].map((segment) => segment.index))
        let at = 0
        for (const part of parts.slice(0, -1)) {
          at += part.length
          expect(part).not.toBe('')
          expect(boundaries.has(at)).toBe(true)
        }
        expect(planText(text, width)).toEqual({ coding, parts })
        expect(splitText(text, coding)).toEqual(parts)
      }),
      { numRuns: 500 },
    )
  })

  test('never more parts than UCS-2 would take', () => {
    fc.assert(
      fc.property(awkward, reference, (text, width) => {
        const wide = splitText(text, { alphabet: 'ucs2', locking: 0, single: 0, reference: width })
        expect(planText(text, width).parts.length).toBeLessThanOrEqual(wide.length)
      }),
      { numRuns: 300 },
    )
  })

  test('40,000 characters of the worst kinds are planned', () => {
    for (const text of ['x', '€', '世', '👩‍👩‍👧‍👦', '\u0301', 'नि', '\r\n', '\ud83d', 'á ']) {
      const long = text.repeat(40_000 / text.length)
      expect(planText(long, 8).parts.join('')).toBe(long)
    }
  })
})

test('a text that does not fit a coding fixed before still has parts within the limit', () => {
  const parts = splitText('世界'.repeat(100), { alphabet: 'gsm7', locking: 0, single: 0, reference: 8 })
  expect(parts.map((part) => part.length)).toEqual([153, 47])
})

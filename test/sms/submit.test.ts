/** SMS-SUBMIT against published PDUs, octet by octet, and through the own decoder and back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planText } from '#sms/coding.ts'
import { encodeSubmit, encodeValidity } from '#sms/submit.ts'
import { pdusOf, received, submitDefaults } from './as-deliver.ts'

const gsm7 = { alphabet: 'gsm7', locking: 0, single: 0, reference: 8 } as const
const ucs2 = { ...gsm7, alphabet: 'ucs2' } as const
const one = { ...submitDefaults, part: 0, parts: 1, concatenation: 0 }
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

test('the PDU that every introduction shows', () => {
  const part = { ...one, to: '+46708251358', text: 'hellohello', coding: gsm7, validityMs: 4 * day }
  expect(encodeSubmit(part)).toEqual({ pdu: '0011000B916407281553F80000AA0AE8329BFD4697D9EC37', length: 23 })
})

test('UCS-2 with a surrogate pair, class 0, status report', () => {
  const part = { ...one, to: '+358406485748', text: 'Test 😻', coding: ucs2, statusReport: true, flash: true }
  expect(encodeSubmit(part).pdu).toBe('0031000C915348608475840018050E00540065007300740020D83DDE3B')
})

test('two parts: 8-bit and 16-bit reference', () => {
  const part = { ...one, text: 'A', coding: gsm7, part: 1, parts: 2, concatenation: 0x12ab }
  // 6 octets of header are one bit short of 7 septets: the text begins with a fill bit.
  expect(encodeSubmit(part).pdu).toBe('0051000C9194711032547600000508050003AB020282')
  // 7 octets are exactly 8 septets.
  const wide = { ...part, coding: { ...gsm7, reference: 16 } } as const
  expect(encodeSubmit(wide).pdu).toBe('0051000C919471103254760000050906080412AB020241')
})

test('national tables are named in the header', () => {
  // 4 octets of header are 3 bits short of 5 septets; á is the escape and 0x61 (23.038 A.2.2).
  const spanish = { ...one, text: 'á', coding: { ...gsm7, single: 2 } }
  expect(encodeSubmit(spanish).pdu).toBe('0051000C919471103254760000050703240102D88401')
  const both = { ...one, text: '', coding: { ...gsm7, single: 6, locking: 6 } }
  expect(encodeSubmit(both).pdu).toBe('0051000C919471103254760000050806240106250106')
})

test('an empty text is an empty part', () => {
  const { pdu, length } = encodeSubmit({ ...one, text: '', coding: gsm7 })
  expect(pdu).toBe('0011000C9194711032547600000500')
  expect(length).toBe(14)
})

test.each([
  ['+4917', '04919471'],
  ['+49170', '05919471F0'],
  ['0170', '04811007'],
  ['333', '038133F3'],
  ['*100#', '05811A00FB'],
  ['ab12c', '0581DC21FE'],
])('address of %s', (to, address) => {
  expect(encodeSubmit({ ...one, to, text: '', coding: gsm7 }).pdu).toBe(`001100${address}00000500`)
})

test.each([
  [0, 0],
  [5 * minute - 1, 0],
  [5 * minute, 0],
  [9 * minute, 0],
  [10 * minute, 1],
  [30 * minute, 5],
  [12 * hour, 143],
  [12.25 * hour, 143],
  [12.5 * hour, 144],
  [24 * hour, 167],
  [47 * hour, 167],
  [2 * day, 168],
  [30 * day, 196],
  [34 * day, 196],
  [35 * day, 197],
  [63 * 7 * day, 255],
  [1000 * day, 255],
])('a validity of %i ms is %i', (ms, octet) => expect(encodeValidity(ms)).toBe(octet))

test('a validity is never longer than asked for, from 5 minutes up, and never falls by more than a step', () => {
  const meaning = (octet: number): number => {
    if (octet <= 143) return (octet + 1) * 5 * minute
    if (octet <= 167) return 12 * hour + (octet - 143) * 30 * minute
    if (octet <= 196) return (octet - 166) * day
    return (octet - 192) * 7 * day
  }
  fc.assert(
    fc.property(fc.integer({ min: 5 * minute, max: 63 * 7 * day }), (ms) => {
      const octet = encodeValidity(ms)
      expect(meaning(octet)).toBeLessThanOrEqual(ms)
      if (octet < 255) expect(meaning(octet + 1)).toBeGreaterThan(ms)
    }),
    { numRuns: 2_000 },
  )
})

describe('there and back', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 80 }),
        fc.string({ maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.constantFrom(
          '€',
          '[~]',
          '\f',
          '😀'.repeat(20),
          'áé '.repeat(40),
          'ğş '.repeat(40),
          'नमस्ते '.repeat(20),
          '\ud83d',
        ),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join(''))

  test('every part arrives as it was, in its place, within 140 octets', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(8 as const, 16 as const), (whole, width) => {
        const { parts, coding } = planText(whole, width)
        fc.pre(parts.length <= 255)
        const incoming = received(whole, width)
        expect(incoming.map((pdu) => pdu.text)).toEqual(parts)
        incoming.forEach((pdu, i) => {
          expect(pdu.alphabet).toBe(coding.alphabet)
          expect(pdu.from).toBe('+491701234567')
          const concatenation = {
            reference: width === 8 ? 0x34 : 0x1234,
            width,
            total: parts.length,
            part: i + 1,
          }
          expect(pdu.concatenation).toEqual(parts.length > 1 ? concatenation : undefined)
        })
        for (const pdu of pdusOf(whole, width)) expect(pdu.length / 2).toBeLessThanOrEqual(15 + 140)
      }),
      { numRuns: 400 },
    )
  })

  test('any pair of national tables', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 13 }), (locking, single) => {
        const coding = { ...gsm7, locking, single }
        const { pdu, length } = encodeSubmit({ ...one, text: 'abc 123', coding })
        expect(length).toBe(pdu.length / 2 - 1)
      }),
    )
  })
})

/** Parts of a received message in every order that a network may bring them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InboundPart } from '#messages/inbound.ts'
import { assemble, groupOf } from '#messages/reassembly.ts'

const single: InboundPart = {
  fingerprint: 'f',
  node: 'a',
  line: 'gsm0',
  at: 1_000,
  from: '+491701234567',
  sentAt: 900,
  text: 'hello',
}

const part = (
  number: number,
  total: number,
  text: string,
  change: Partial<InboundPart> = {},
): InboundPart => ({
  ...single,
  fingerprint: `f${number}`,
  text,
  concatenation: { reference: 7, width: 8, total, part: number },
  ...change,
})

test('a message of one part is complete at once', () => {
  expect(assemble([single])).toEqual({ text: 'hello', complete: true, total: 1, received: 1 })
})

test('no parts are no message', () => {
  expect(assemble([])).toEqual({ text: '', complete: false, total: 0, received: 0 })
})

test('each gap is marked, wherever it is', () => {
  const some = [part(2, 7, 'two '), part(4, 7, 'four ')]
  expect(assemble(some)).toEqual({
    text: '[… part 1 of 7 missing …]two [… part 3 of 7 missing …]four [… parts 5 to 7 of 7 missing …]',
    complete: false,
    total: 7,
    received: 2,
  })
})

test('255 parts in random order with duplicates are one text; with one missing its place is marked', () => {
  const all = Array.from({ length: 255 }, (_, i) => part(i + 1, 255, `<${i + 1}>`))
  const whole = all.map((p) => p.text).join('')
  fc.assert(
    fc.property(
      fc.shuffledSubarray(all, { minLength: 255 }),
      fc.shuffledSubarray(all, { maxLength: 40 }),
      fc.integer({ min: 1, max: 255 }),
      (order, again, missing) => {
        expect(assemble([...order, ...again])).toEqual({
          text: whole,
          complete: true,
          total: 255,
          received: 255,
        })
        const rest = [...again, ...order].filter((p) => p.concatenation?.part !== missing)
        expect(assemble(rest)).toEqual({
          text: whole.replace(`<${missing}>`, `[… part ${missing} of 255 missing …]`),
          complete: false,
          total: 255,
          received: 254,
        })
      },
    ),
    { numRuns: 20 },
  )
})

test('of two parts with one number the first to arrive counts, in whatever order they are given', () => {
  const early = part(1, 2, 'early', { at: 5, fingerprint: 'z' })
  const late = part(1, 2, 'late', { at: 6, fingerprint: 'a' })
  const end = part(2, 2, '.', { at: 7 })
  expect(assemble([late, end, early]).text).toBe('early.')
  expect(assemble([early, late, end]).text).toBe('early.')
  const same = [part(1, 1, 'x', { fingerprint: 'a' }), part(1, 1, 'y', { fingerprint: 'b' })]
  expect(assemble(same).text).toBe('x')
  expect(assemble(same.toReversed()).text).toBe('x')
})

test('parts with impossible numbers are left out', () => {
  expect(assemble([part(0, 2, 'no'), part(3, 2, 'no'), part(1, 2, 'a'), part(2, 2, 'b')])).toEqual({
    text: 'ab',
    complete: true,
    total: 2,
    received: 2,
  })
})

test('the group key tells apart what may not be mixed, and nothing else', () => {
  const base = part(1, 3, 'a')
  const c = { reference: 7, width: 8, total: 3, part: 1 } as const
  expect(groupOf(part(3, 3, 'other', { at: 99, sentAt: 98 }))).toBe(groupOf(base))
  const others = [
    { ...base, node: 'b' },
    { ...base, line: 'gsm1' },
    { ...base, from: '+4917' },
    { ...base, concatenation: { ...c, reference: 8 } },
    { ...base, concatenation: { ...c, width: 16 as const } },
    { ...base, concatenation: { ...c, total: 4 } },
    single,
    { ...single, fingerprint: 'g' },
  ]
  expect(new Set([base, ...others].map(groupOf)).size).toBe(others.length + 1)
})

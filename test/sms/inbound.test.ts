/** A long message from the PDU of each part to the text that people read: any order, duplicates, one part missing. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InboundPart } from '#messages/inbound.ts'
import { assemble, groupOf } from '#messages/reassembly.ts'
import { planText } from '#sms/coding.ts'
import { received } from './as-deliver.ts'

const partsOf = (text: string, reference: 8 | 16): InboundPart[] =>
  received(text, reference).map(({ fingerprint, from, sentAt, text, concatenation }, at) => {
    const part = { fingerprint, node: 'a', line: 'gsm0', at, from, sentAt, text }
    return concatenation ? { ...part, concatenation } : part
  })

const piece = (i: number): string => `${String(i).padStart(5, '0')} [Störung] `
const long7 = Array.from({ length: 2_300 }, (_, i) => piece(i)).join('')
const longWide = Array.from({ length: 1_900 }, (_, i) => `${String(i).padStart(5, '0')} 😀世 `).join('')

test.each([
  ['GSM-7', 8, long7],
  ['GSM-7', 16, long7],
  ['UCS-2', 8, longWide],
  ['UCS-2', 16, longWide],
] as const)('255 parts of %s with a %i-bit reference', (_, reference, endless) => {
  const text = planText(endless, reference).parts.slice(0, 255).join('')
  const parts = partsOf(text, reference)
  expect(parts).toHaveLength(255)
  expect(new Set(parts.map(groupOf)).size).toBe(1)
  expect(new Set(parts.map((part) => part.fingerprint)).size).toBe(255)
  fc.assert(
    fc.property(
      fc.shuffledSubarray(parts, { minLength: 255 }),
      fc.shuffledSubarray(parts, { maxLength: 20 }),
      fc.nat(254),
      (order, again, missing) => {
        expect(assemble([...order, ...again])).toEqual({ text, complete: true, total: 255, received: 255 })
        const lost = parts[missing]
        const rest = [...again, ...order].filter((part) => part.fingerprint !== lost?.fingerprint)
        const partial = assemble(rest)
        expect(partial).toMatchObject({ complete: false, total: 255, received: 254 })
        expect(partial.text.replace(`[… part ${missing + 1} of 255 missing …]`, lost?.text ?? '')).toBe(text)
      },
    ),
    { numRuns: 10 },
  )
})

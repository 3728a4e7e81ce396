/**
 * Gateway and simulated network share no code and not even their character tables: what one writes the other must read
 * as the same text, for any text.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDeliver, encodeStatusReport } from '#simulator/deliver.ts'
import { lockingAlphabets, singleShiftCharacters } from '#simulator/gsm7.table.ts'
import { decodeSubmit, isPduProblem } from '#simulator/pdu.ts'
import { planText } from '#sms/coding.ts'
import { decodeIncoming } from '#sms/deliver.ts'
import { encodeSubmit } from '#sms/submit.ts'

const national = fc
  .constantFrom(...lockingAlphabets.keys(), ...singleShiftCharacters.keys())
  .chain((language) => {
    const own = [...(singleShiftCharacters.get(language)?.values() ?? [])]
    const characters = [...(lockingAlphabets.get(language) ?? ''), ...own].filter(
      (c) => c !== '\u001b' && c !== '\uffff',
    )
    return fc.array(fc.constantFrom(...characters), { maxLength: 400 }).map((all) => all.join(''))
  })
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'abcXYZ €{}[]~^|\\äöüß\n@'), maxLength: 700 }),
  national,
)

describe('gateway and network agree', () => {
  it('on every text that is sent', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(8 as const, 16 as const), fc.nat(255), (whole, bits, reference) => {
        const { coding, parts } = planText(whole, bits)
        const read = parts.map((part, index) => {
          const { pdu, length } = encodeSubmit({
            to: '+4917012345',
            text: part,
            coding,
            part: index,
            parts: parts.length,
            concatenation: reference,
            flash: false,
            statusReport: true,
            validityMs: 3_600_000,
          })
          const submit = decodeSubmit(pdu, length)
          if (isPduProblem(submit)) throw new Error(`${submit.rule}: ${submit.detail}: ${pdu}`)
          expect(submit.concatenation?.part).toBe(parts.length === 1 ? undefined : index + 1)
          expect(submit.to).toBe('+4917012345')
          return submit.text
        })
        expect(read.join('')).toBe(whole)
      }),
      { numRuns: 1000 },
    )
  })

  it('on every text that is received', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(8 as const, 16 as const), (whole, bits) => {
        const shown = encodeDeliver(
          { from: '+49123', text: whole, bits, reference: 200 },
          '+491700000001',
          1_800_000_000_000,
        )
        const read = shown.map(({ pdu, length }) => {
          const incoming = decodeIncoming(pdu, length)
          if (incoming.type !== 'deliver') throw new Error(JSON.stringify(incoming))
          expect(incoming).toMatchObject({ from: '+49123', smsc: '+491700000001', sentAt: 1_800_000_000_000 })
          return incoming.text
        })
        expect(read.join('')).toBe(whole)
      }),
      { numRuns: 500 },
    )
  })

  it('on status reports', () => {
    const at = 1_800_000_000_000
    const { pdu, length } = encodeStatusReport(
      { to: '+49123', reference: 9, status: 70, submitted: at, done: at + 5000 },
      '',
    )
    expect(decodeIncoming(pdu, length)).toMatchObject({
      type: 'statusReport',
      to: '+49123',
      reference: 9,
      status: 70,
      dischargedAt: at + 5000,
    })
  })
})

/** The chain of the audit log: whole, altered, with a gap, forked where the end of a log came back. */
import { describe, expect, it } from 'vitest'
import { auditHash, verifyChain } from '#messages/audit.ts'
import type { AuditRecord } from '#messages/operation.ts'

function chain(count: number, before = '', from = 1, text = 'text'): AuditRecord[] {
  const records: AuditRecord[] = []
  for (let number = from; number < from + count; number++) {
    const record = { number, at: 1_000 + number, who: 'ops', what: 'token-created', text }
    records.push({ ...record, hash: auditHash(records.at(-1)?.hash ?? before, record) })
  }
  return records
}

describe('a chain', () => {
  const whole = chain(5)

  it('that is whole has no fault, in any order, from its beginning or its middle', () => {
    expect(verifyChain(whole)).toEqual([])
    expect(verifyChain([...whole].reverse())).toEqual([])
    expect(verifyChain(whole.slice(2))).toEqual([])
    expect(verifyChain([])).toEqual([])
  })

  it.each(['who', 'what', 'text'] as const)('shows that %s was altered', (field) => {
    const altered = whole.map((record) => (record.number === 3 ? { ...record, [field]: 'forged' } : record))
    expect(verifyChain(altered)).toEqual([{ number: 3, fault: 'altered' }])
  })

  it('shows an altered time, and a first record that was replaced', () => {
    expect(
      verifyChain(whole.map((record) => ({ ...record, at: record.at + (record.number === 2 ? 1 : 0) }))),
    ).toEqual([{ number: 2, fault: 'altered' }])
    expect(verifyChain([...chain(1, 'x'), ...whole.slice(1)])).toEqual([
      { number: 1, fault: 'altered' },
      { number: 2, fault: 'altered' },
    ])
  })

  it('shows what was taken out', () => {
    expect(verifyChain(whole.filter(({ number }) => number !== 2 && number !== 3))).toEqual([
      { number: 2, fault: 'missing' },
    ])
  })

  it('may have two records of one number that follow from the same one', () => {
    const third = whole[2]
    const other = chain(2, third?.hash, 4, 'written without knowing the end')
    expect(verifyChain([...whole, ...other])).toEqual([])
  })
})

/**
 * The audit log's chain: each record carries a SHA-256 over the one before and its own fields, so that nothing in the
 * middle can be changed or taken out unnoticed. Each member has a chain of its own; copies are with the others.
 */
import { createHash } from 'node:crypto'
import type { AuditRecord } from './operation.ts'

/** @param before the hash of the record before; empty for the first */
export function auditHash(before: string, record: Omit<AuditRecord, 'hash'>): string {
  const { number, at, who, what, text } = record
  return createHash('sha256')
    .update(JSON.stringify([before, number, at, who, what, text]))
    .digest('hex')
}

export interface ChainFault {
  number: number
  /** `altered`: it does not follow from any record before it. `missing`: there is none from this number to the next one known. */
  fault: 'altered' | 'missing'
}

/**
 * What is wrong with one member's chain; nothing when it is whole. Two records of one number are no fault as long as
 * both follow from one before: the end of a log came back after its member had gone on without it.
 * @param records of one member, in any order; they may begin in the middle, and the first is then taken as given
 */
export function verifyChain(records: readonly AuditRecord[]): ChainFault[] {
  const byNumber = new Map<number, AuditRecord[]>()
  for (const record of records) byNumber.set(record.number, [...(byNumber.get(record.number) ?? []), record])
  const numbers = [...byNumber.keys()].sort((a, b) => a - b)
  const faults: ChainFault[] = []
  let previous: { number: number; hashes: string[] } | undefined
  for (const number of numbers) {
    const same = byNumber.get(number) ?? []
    const first = number === 1 ? [''] : undefined
    const before = previous && previous.number === number - 1 ? previous.hashes : first
    if (previous && previous.number < number - 1)
      faults.push({ number: previous.number + 1, fault: 'missing' })
    for (const record of same) {
      if (before && !before.some((hash) => auditHash(hash, record) === record.hash)) {
        faults.push({ number, fault: 'altered' })
      }
    }
    previous = { number, hashes: same.map(({ hash }) => hash) }
  }
  return faults
}

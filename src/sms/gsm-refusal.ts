/** Reads a refusal of the modem or the network through cms-errors.table.ts. Pure. */
import type { AtError } from '#lines/at-syntax.ts'
import type { Reason } from '#messages/states.ts'
import { cmeErrors, cmsErrors, plainError, type RefusalRow } from './cms-errors.table.ts'

export interface Refusal {
  scope: 'number' | 'line' | 'network'
  permanent: boolean
  reason: Reason
}

/** The modem itself objects (27.005 3.2.5, from 300 on; 27.007 9.2), as against the network's causes below 300. */
export const isModemFault = (error: AtError, refusal: Refusal): boolean =>
  refusal.scope === 'line' && !refusal.permanent && (error.kind !== 'cms' || (error.code ?? 300) >= 300)

/** The words of AT+CMEE=2 differ from the standard's in case and punctuation only, as far as modems keep to it. */
const plainWords = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\(u\)sim/g, 'sim')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()

const byWords = (rows: ReadonlyMap<number, RefusalRow>): ReadonlyMap<string, RefusalRow> =>
  new Map([...rows.values()].map((entry) => [plainWords(entry.text), entry]))
const cmsWords = byWords(cmsErrors)
const cmeWords = byWords(cmeErrors)

export function readRefusal(error: AtError): Refusal {
  if (error.kind === 'plain') return refusal(plainError, error.text)
  const name = error.kind === 'cms' ? 'CMS' : 'CME'
  if (error.code === undefined) {
    const words = plainWords(error.text)
    const known = error.kind === 'cms' ? (cmsWords.get(words) ?? cmeWords.get(words)) : cmeWords.get(words)
    return refusal(known ?? unknownRow(1_000), `${name}: ${error.text}`)
  }
  const rows = error.kind === 'cms' ? cmsErrors : cmeErrors
  return refusal(rows.get(error.code) ?? unknownRow(error.code), `${name} ${error.code}`)
}

/**
 * A code that the standards reserve: the text or number was refused by the other side (TP failure causes), the modem
 * itself objects (300..511), or the network or vendor says something of its own.
 */
function unknownRow(code: number): RefusalRow {
  if (code >= 300 && code < 512) return { ...plainError, text: 'The modem refused for a reason of its own' }
  return {
    scope: 'network',
    permanent: false,
    code: 'unspecified',
    text: 'Refused for a reason without a name',
  }
}

const refusal = (row: RefusalRow, detail: string): Refusal => ({
  scope: row.scope,
  permanent: row.permanent,
  reason: { code: row.code, text: `${row.text} (${detail})` },
})

/** What a search for modems found, and the change of a member's own file that makes one of them a line. Pure. */
import type { FoundPortView } from '#intake/http/modem-schemas.ts'

export type { FoundPortView, ModemSearchView } from '#intake/http/modem-schemas.ts'

/** How a found port stands in the list; a word and a reason belong to each. */
export type Standing = 'usable' | 'line' | 'other' | Exclude<FoundPortView['result'], 'modem'>

export function standingOf({ result, line, entry }: FoundPortView): Standing {
  if (result !== 'modem') return result
  if (line !== undefined) return 'line'
  return entry === undefined ? 'other' : 'usable'
}

/** What a person calls it: maker and model, or where it is plugged in. */
export function titleOf({ modem, device }: FoundPortView): string {
  const text = [modem?.manufacturer, modem?.model]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
  return text === '' ? device : text
}

/** The ids of the lines that a file has; it may hold anything. */
export function idsIn(keys: Readonly<Record<string, unknown>>): string[] {
  const { lines } = keys
  if (!Array.isArray(lines)) return []
  return lines.map((line: unknown) =>
    typeof line === 'object' && line !== null && 'id' in line ? String(line.id) : '',
  )
}

/** `gsm0`, `gsm1` … : the first that no line has. */
export function freeId(kind: string, taken: readonly string[]): string {
  for (let n = 0; ; n += 1) if (!taken.includes(`${kind}${n}`)) return `${kind}${n}`
}

export interface Wanted {
  id: string
  /** Empty: none. */
  pin: string
  /** Empty: none. */
  station: string
}

/** What is wrong with what was typed, by the name of the field. */
export function wrongWith(
  { id, pin }: Wanted,
  taken: readonly string[],
): ['id' | 'pin', 'idTaken' | 'idWrong' | 'pinWrong'] | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(id)) return ['id', 'idWrong']
  if (taken.includes(id)) return ['id', 'idTaken']
  return pin === '' || /^[0-9]{4,8}$/.test(pin) ? undefined : ['pin', 'pinWrong']
}

/** The line as it will stand in the file. */
export const lineOf = (entry: NonNullable<FoundPortView['entry']>, { id, pin, station }: Wanted) => ({
  id,
  ...entry,
  ...(pin === '' ? {} : { pin }),
  ...(station === '' ? {} : { station }),
})

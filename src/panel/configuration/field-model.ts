/**
 * Fields as the appliance describes them (GET /config/schema): what a person typed becomes a value as the
 * configuration file writes it. What cannot be read stays as it was typed, and the appliance says what is wrong. Pure.
 */
import { isRecord, withKey } from './draft.ts'
import type { Field } from './shapes.ts'

/** A field within a table or group may have columns of its own, and those none. */
export type AnyField = Omit<Field, 'columns'> & { columns?: readonly AnyField[] }

/** Stands for a secret that is there and is not shown; sent back it leaves the secret as it is. */
export const SECRET = '***'

/** The columns that an entry has: some are only there where another key has a certain value. */
export const columnsOf = (
  { columns = [] }: Pick<AnyField, 'columns'>,
  entry: Readonly<Record<string, unknown>>,
): readonly AnyField[] =>
  columns.filter(({ only }) => only === undefined || only.is.includes(textOf(entry[only.key])))

/** The entry with one key set, or without it; columns that it has no more then take their values with them. */
export function withColumn(
  field: Pick<AnyField, 'columns'>,
  entry: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown,
): Record<string, unknown> {
  const next = withKey(entry, key, value)
  const kept = columnsOf(field, next)
  const gone = columnsOf(field, entry).filter((column) => !kept.includes(column))
  return Object.fromEntries(Object.entries(next).filter(([name]) => !gone.some(({ path }) => path === name)))
}

export const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** One entry a line. */
export const linesOf = (value: unknown): string =>
  Array.isArray(value) ? value.map(textOf).join('\n') : textOf(value)

/** @returns undefined where nothing was typed: the default holds */
export function typedValue(field: Pick<AnyField, 'type'>, typed: string): unknown {
  const text = typed.trim()
  if (field.type === 'list') {
    const entries = typed
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    return entries.length === 0 ? undefined : entries
  }
  if (text === '') return undefined
  if (field.type === 'number' && /^-?[0-9]+$/.test(text)) return Number(text)
  return text
}

/** What a new entry of a table begins with: what is required, so that nothing is forgotten. */
export function newEntry(columns: readonly AnyField[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.flatMap(({ path, type, required, choices, only }) => {
      if (required !== true || only !== undefined) return []
      if (type === 'list' || type === 'table') return [[path, []]]
      if (type === 'group') return [[path, {}]]
      if (type === 'choice') return [[path, choices?.[0] ?? '']]
      return type === 'boolean' ? [[path, false]] : [[path, '']]
    }),
  )
}

export const entriesOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : []

/** What tells one entry of a table from another at a glance: its first plain values. */
export function entryTitle(columns: readonly AnyField[], entry: Record<string, unknown>): string {
  const parts = columns.flatMap(({ path, type }) => {
    const value = entry[path]
    if (value === undefined || type === 'group' || type === 'table' || type === 'secret') return []
    return [{ text: Array.isArray(value) ? value.map(textOf).join(', ') : textOf(value), type }]
  })
  const [first, second] = parts.filter(({ text }) => text !== '')
  if (first === undefined || second === undefined) return first?.text ?? ''
  return `${first.text} ${second.type === 'list' ? '→' : '·'} ${second.text}`
}

/** Paths of everything that has a place on the screen, so that each message finds the nearest one. */
export function fieldPaths(field: AnyField, value: unknown, at: string): string[] {
  const columns = field.columns ?? []
  if (field.type === 'table')
    return [
      at,
      ...entriesOf(value).flatMap((entry, index) => [
        `${at}[${index}]`,
        ...columnsOf(field, entry).flatMap((column) =>
          fieldPaths(column, entry[column.path], `${at}[${index}].${column.path}`),
        ),
      ]),
    ]
  if (field.type === 'group' || (field.type === 'choice' && isRecord(value))) {
    const section = isRecord(value) ? value : {}
    return [
      at,
      ...columns.flatMap((column) => fieldPaths(column, section[column.path], `${at}.${column.path}`)),
    ]
  }
  return [at]
}

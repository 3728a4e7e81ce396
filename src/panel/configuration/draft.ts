/**
 * What somebody has typed into the forms of the configuration and not applied yet, and where a message of the
 * appliance about it belongs: beside the field whose path is the longest beginning of the message's path. Pure.
 */

/** Values by path as the appliance takes them; null takes a setting back to the file. */
export type Draft = Readonly<Record<string, unknown>>

export interface FieldProblem {
  path: string
  text: string
}

/** The draft with one more value; what is as the appliance has it already is no change. */
export function withValue(draft: Draft, path: string, value: unknown, held: unknown): Draft {
  const { [path]: _, ...rest } = draft
  return sameValue(value, held) ? rest : { ...rest, [path]: value }
}

export const withoutPath = (draft: Draft, path: string): Draft => {
  const { [path]: _, ...rest } = draft
  return rest
}

export const isEmpty = (draft: Draft): boolean => Object.keys(draft).length === 0

/** Equal as JSON, whatever the order of keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => sameValue(one, b[index]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => sameValue(a[key], b[key]))
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of a list or a path of keys: `routes[2].lines` belongs to `routes[2]`, which belongs to `routes`. */
export const isWithin = (path: string, owner: string): boolean =>
  path === owner || (path.startsWith(owner) && /^[.[/]/.test(path.slice(owner.length)))

/** The messages of one field: those within it that no longer path among `fields` has. */
export function problemsOf(
  problems: readonly FieldProblem[],
  field: string,
  fields: readonly string[],
): FieldProblem[] {
  return problems.filter(({ path }) => {
    if (!isWithin(path, field)) return false
    return !fields.some((other) => other.length > field.length && isWithin(path, other))
  })
}

/** Messages that belong to no field on the page, so that none is ever swallowed. */
export const strayProblems = (problems: readonly FieldProblem[], fields: readonly string[]): FieldProblem[] =>
  problems.filter(({ path }) => !fields.some((field) => isWithin(path, field)))

/** The section with one key set, or without it when the value is absent. */
export function withKey(section: unknown, key: string, value: unknown): Record<string, unknown> {
  const { [key]: _, ...rest } = isRecord(section) ? section : {}
  return value === undefined ? rest : { ...rest, [key]: value }
}

/** The list with an entry moved by one place. */
export function moved<T>(list: readonly T[], index: number, by: -1 | 1): T[] {
  const copy = [...list]
  const [one] = copy.splice(index, 1)
  if (one !== undefined) copy.splice(index + by, 0, one)
  return copy
}

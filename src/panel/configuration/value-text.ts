/**
 * Values of the configuration as people read them, in the shape of the configuration file, and what differs between
 * two of them line by line: for the look before a change is applied, for the history and for conflicts. Pure.
 */

/** One line a list entry or key. A value that is absent has no lines. */
export function valueLines(value: unknown, indent = ''): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    if (items.length === 0) return [`${indent}[]`]
    if (items.every(isPlain)) return items.map((item) => `${indent}- ${scalar(item)}`)
    return items.flatMap((item) => listEntry(item, indent))
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined)
    if (entries.length === 0) return [`${indent}{}`]
    return entries.flatMap(([key, one]) => keyed(key, one, indent))
  }
  return [indent + scalar(value)]
}

function listEntry(item: unknown, indent: string): string[] {
  const [first = '', ...rest] = valueLines(item, `${indent}  `)
  return [`${indent}- ${first.trimStart()}`, ...rest]
}

function keyed(key: string, value: unknown, indent: string): string[] {
  if (isPlain(value)) return [`${indent}${key}: ${scalar(value)}`]
  if (Array.isArray(value) && value.every(isPlain)) {
    const items: readonly unknown[] = value
    return [`${indent}${key}: [${items.map(scalar).join(', ')}]`]
  }
  return [`${indent}${key}:`, ...valueLines(value, `${indent}  `)]
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null

/** Quoted only where it would be read as something else, as in the file. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const plain = /^[\p{L}\p{N}/+_][^\n\r:#,[\]{}"']*$/u.test(value) && value.trim() === value
  return plain && !/^(true|false|null|~|[+-]?[0-9.]+)$/i.test(value) ? value : JSON.stringify(value)
}

export interface DiffLine {
  mark: 'same' | 'gone' | 'new'
  text: string
}

/** Lines compared at most; beyond it everything is told as gone and new. */
const MOST_COMPARED = 1_500

/** The shortest way from one list of lines to the other (longest common subsequence). */
export function lineDiff(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1
  const same = (text: string): DiffLine => ({ mark: 'same', text })
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ]
}

function middle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ mark: 'gone', text })
  const fresh = (text: string): DiffLine => ({ mark: 'new', text })
  if (before.length > MOST_COMPARED || after.length > MOST_COMPARED)
    return [...before.map(gone), ...after.map(fresh)]
  // lengths[i][j]: how many lines before[i…] and after[j…] have in common, in order.
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1))
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = lengths[i]
    if (row === undefined) continue
    for (let j = after.length - 1; j >= 0; j -= 1)
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]]
    if (left !== undefined && left === right) {
      lines.push({ mark: 'same', text: left })
      i += 1
      j += 1
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(left))
      i += 1
    } else if (right !== undefined) {
      lines.push(fresh(right))
      j += 1
    }
  }
  return lines
}

export const valueDiff = (before: unknown, after: unknown): DiffLine[] =>
  lineDiff(valueLines(before), valueLines(after))

/** Long stretches of what stays are left out, but for a few lines around each change. @returns undefined for a gap */
export function shortened(lines: readonly DiffLine[], around = 2): (DiffLine | undefined)[] {
  const near = (index: number) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ mark }) => mark !== 'same')
  const kept: (DiffLine | undefined)[] = []
  for (const [index, line] of lines.entries()) {
    if (near(index)) kept.push(line)
    else if (kept.at(-1) !== undefined || kept.length === 0) kept.push(undefined)
  }
  return kept
}

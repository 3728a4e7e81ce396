/**
 * Earlier versions of a member's own file, in a directory beside it: who changed it when, and what it was before and
 * after. They hold the secrets of the file, so only its owner may read them; the newest KEPT stay.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface FileVersion {
  /** Six digits; a later change has a higher one. */
  id: string
  /** ms since 1970 */
  at: number
  author: string
  before: string
  after: string
}

export const KEPT = 20
/** Somebody with an editor, between two changes by the program. */
export const BY_HAND = 'by-hand'

export const historyOf = (file: string): string => `${file}.history`

/** Newest first. What cannot be read is left out. */
export function fileVersions(file: string): FileVersion[] {
  return names(file).flatMap((name) => {
    try {
      const read: Partial<FileVersion> = JSON.parse(readFileSync(join(historyOf(file), name), 'utf8'))
      const { at, author, before, after } = read
      if (typeof before !== 'string' || typeof after !== 'string') return []
      return [{ id: name.slice(0, 6), at: Number(at), author: String(author), before, after }]
    } catch {
      return []
    }
  })
}

/** Remembers a change. What somebody did with an editor since the last one is told as a change of its own. */
export function recordVersion(file: string, change: Omit<FileVersion, 'id'>, changedAt: number): void {
  const last = fileVersions(file)[0]
  mkdirSync(historyOf(file), { recursive: true, mode: 0o700 })
  if (last !== undefined && last.after !== change.before)
    add(file, { at: changedAt, author: BY_HAND, before: last.after, after: change.before })
  if (change.before !== change.after) add(file, change)
  for (const name of names(file).slice(KEPT)) rmSync(join(historyOf(file), name), { force: true })
}

function add(file: string, change: Omit<FileVersion, 'id'>): void {
  const number = Number(names(file)[0]?.slice(0, 6) ?? 0) + 1
  const name = `${String(number).padStart(6, '0')}.json`
  writeFileSync(join(historyOf(file), name), JSON.stringify(change), { mode: 0o600 })
}

/** Newest first. */
function names(file: string): string[] {
  try {
    return readdirSync(historyOf(file))
      .filter((name) => /^\d{6}\.json$/.test(name))
      .sort()
      .reverse()
  } catch {
    return []
  }
}

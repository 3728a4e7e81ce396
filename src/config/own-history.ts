/**
 * Earlier versions of a member's own file, in a directory beside it: who changed it when, and what it was before and
 * after. They hold the secrets of the file, so only its owner may read them; the newest KEPT stay.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { textDifference } from './own-edit.ts'
import type { FileDifference } from './own-merge.ts'

export interface FileVersion {
  /** Six digits; a later change has a higher one. */
  id: string
  /** ms since 1970 */
  at: number
  author: string
  before: string
  after: string
  /** What differs, secrets masked; made when it was written down, since reading twenty files takes its time. */
  changes: FileDifference[]
}

type Change = Omit<FileVersion, 'id' | 'changes'>

export const KEPT = 20
/** Somebody with an editor, between two changes by the program. */
export const BY_HAND = 'by-hand'

export const historyOf = (file: string): string => `${file}.history`

/** Newest first. What cannot be read is left out. */
export function fileVersions(file: string): FileVersion[] {
  return names(file).flatMap((name) => {
    try {
      const read: Partial<FileVersion> = JSON.parse(readFileSync(join(historyOf(file), name), 'utf8'))
      const { at, author, before, after, changes } = read
      if (typeof before !== 'string' || typeof after !== 'string' || changes === undefined) return []
      return [{ id: name.slice(0, 6), at: Number(at), author: String(author), before, after, changes }]
    } catch {
      return []
    }
  })
}

/** Remembers a change. What somebody did with an editor since the last one is told as a change of its own. */
export function recordVersion(file: string, change: Change, changedAt: number): void {
  const last = fileVersions(file)[0]
  mkdirSync(historyOf(file), { recursive: true, mode: 0o700 })
  if (last !== undefined && last.after !== change.before)
    add(file, { at: changedAt, author: BY_HAND, before: last.after, after: change.before })
  if (change.before !== change.after) add(file, change)
  for (const name of names(file).slice(KEPT)) rmSync(join(historyOf(file), name), { force: true })
}

function add(file: string, change: Change): void {
  const number = Number(names(file)[0]?.slice(0, 6) ?? 0) + 1
  const name = `${String(number).padStart(6, '0')}.json`
  const changes = textDifference(change.before, change.after)
  writeFileSync(join(historyOf(file), name), JSON.stringify({ ...change, changes }), { mode: 0o600 })
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

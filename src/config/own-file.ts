/**
 * The configuration file of this member on the disk, replaced by a program (own-edit.ts makes the text). A change can be
 * on trial: the old file lies beside the new one until somebody confirms, and is put back when nobody does, also when
 * the new one does not let the appliance start.
 *
 * Beside `twinline.yaml` there may be `.before`, the file before the last change, `.trial`, which says until when a
 * change waits for its confirmation, and `.history`, a directory with the changes before.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CodedError, errorText } from '#core/errors.ts'
import { recordVersion } from './own-history.ts'

/** Who changed it, and when (ms since 1970). */
export interface Changed {
  author: string
  at: number
}

/** Went back by itself: nobody confirmed, or it did not let the appliance start. */
export const ROLLBACK = 'rollback'

const beforeOf = (file: string): string => `${file}.before`
const trialOf = (file: string): string => `${file}.trial`

export function readOwnFile(file: string): string {
  return readFileSync(file, 'utf8')
}

/** Whether the program may replace it: that takes a new file in its directory. */
export function isWritable(file: string): boolean {
  const probe = `${file}.probe`
  try {
    closeSync(openSync(probe, 'wx', 0o600))
    rmSync(probe)
    return true
  } catch {
    return false
  }
}

/**
 * Replaces the file, in one step, and keeps the old one beside it.
 * @param until when the old one is to be put back unless confirmed, ms since 1970; undefined: for good
 * @throws CodedError `file-not-writable`
 */
export function replaceOwnFile(file: string, text: string, until: number | undefined, by: Changed): void {
  const { mode, mtimeMs } = statSync(file)
  try {
    const before = readOwnFile(file)
    recordVersion(file, { ...by, before, after: text }, mtimeMs)
    write(beforeOf(file), before, mode)
    if (until === undefined) rmSync(trialOf(file), { force: true })
    else write(trialOf(file), JSON.stringify({ until }), 0o600)
    write(file, text, mode)
  } catch (error) {
    throw new CodedError(
      'file-not-writable',
      `${file} cannot be replaced by the program (${errorText(error)}): let its user write to the directory, or change the file by hand`,
    )
  }
}

/** Until when a change waits for its confirmation, ms since 1970; undefined when none does. */
export function trialUntil(file: string): number | undefined {
  try {
    const { until } = JSON.parse(readFileSync(trialOf(file), 'utf8')) as { until?: number }
    return typeof until === 'number' ? until : 0
  } catch {
    // A marker that cannot be read is one whose time is over; without one nothing waits.
    return existsSync(trialOf(file)) ? 0 : undefined
  }
}

/** The change holds for good. @returns false when none was waiting */
export function confirmOwnFile(file: string): boolean {
  if (!existsSync(trialOf(file))) return false
  rmSync(trialOf(file), { force: true })
  syncDirectory(file)
  return true
}

/** The file before the change is the file again. */
export function putBackOwnFile(file: string, by: Changed): void {
  if (existsSync(beforeOf(file))) {
    const { mode, mtimeMs } = statSync(file)
    const text = readOwnFile(beforeOf(file))
    try {
      recordVersion(file, { ...by, before: readOwnFile(file), after: text }, mtimeMs)
    } catch {
      // Such as a full disk. The way back matters more than telling of it.
    }
    write(file, text, mode)
  }
  rmSync(trialOf(file), { force: true })
  syncDirectory(file)
}

/** In one step, and on the disk when it returns: the old content or the new, whatever happens. */
function write(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`
  const descriptor = openSync(fresh, 'w', mode & 0o777)
  try {
    // All of it or an error: a single write on a full disk may take a part and say nothing.
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(fresh, file)
  syncDirectory(file)
}

function syncDirectory(file: string): void {
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

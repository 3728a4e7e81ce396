/**
 * The files of the store: who may read them, and the lock that keeps a second process out.
 *
 * The lock is an exclusive transaction on a file of its own that is never written. The kernel drops it with the
 * process, however that ends (fcntl locks, as SQLite's unix VFS takes them), so nothing stale can stay behind.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError, errorText } from '#core/errors.ts'
import { primaryCode } from './sqlite-errors.ts'

const BUSY = 5

/**
 * Makes the directory (0700) and the files (0600) where they are missing, and takes the lock.
 * @returns the held lock: it lasts until it is closed or the process ends
 * @throws CodedError `data-in-use`, `data-unusable`
 */
export function lockDirectory(directory: string): DatabaseSync {
  try {
    makeDirectory(directory)
    create(join(directory, 'lock.db'))
    create(databasePath(directory))
  } catch (error) {
    throw unusable(directory, error)
  }
  const lock = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 })
  try {
    // With its journal in memory the lock needs no room on the disk.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (primaryCode(error) !== BUSY) throw unusable(directory, error)
    throw new CodedError('data-in-use', `another process is running on ${directory}`)
  }
}

/** A new directory is on the disk once its parent is synced (fsync(2)). SQLite does so for the files it makes. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = resolve(directory); made !== dirname(first); made = dirname(made)) {
    const parent = openSync(dirname(made), 'r')
    fsyncSync(parent)
    closeSync(parent)
  }
}

export const databasePath = (directory: string): string => join(directory, 'twinline.db')

export const unusable = (directory: string, error: unknown): CodedError =>
  new CodedError('data-unusable', `cannot use the data in ${directory}: ${errorText(error)}`, {
    cause: error,
  })

/** SQLite gives the files it adds (-wal, -shm) the mode of the database. Opening a file that exists would drop locks on it (fcntl). */
function create(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

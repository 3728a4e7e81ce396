/** SQLite's result codes (sqlite.org/rescode.html), as node:sqlite passes them on in `errcode`. */
import { CodedError, errorText } from '#core/errors.ts'

const FULL = 13
const IO_ERROR = 10

/** The primary result code, or undefined when SQLite did not raise the error. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/**
 * What a failed write means to a caller.
 * @param free bytes free on the disk: an I/O error on a disk without room is want of room too (ENOSPC comes from
 *   fsync where the file system allocates late)
 */
export function writeFailure(error: unknown, free: number): CodedError {
  const code = primaryCode(error)
  if (code === FULL || (code === IO_ERROR && free < 1_000_000)) {
    return new CodedError('disk-full', 'the disk is full; nothing was stored', {
      cause: error,
    })
  }
  if (code === undefined) return new CodedError('store-failed', errorText(error), { cause: error })
  return new CodedError('disk-failed', `the store cannot write: ${errorText(error)}`, { cause: error })
}

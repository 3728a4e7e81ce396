/**
 * Room on the disk of the data directory that large files must leave: with less of it nothing more can be accepted, and
 * with none what was accepted could not be recorded as sent.
 */
import { statfs } from 'node:fs/promises'
import { CodedError } from '#core/errors.ts'

/** What stays free where nothing else is said, bytes. */
export const SPARE = 16e6
/** Bytes between two looks at the room that is left. */
const LOOK_BYTES = 1_048_576

/**
 * Bytes on their way to a file in a directory, for as long as there is room for them.
 * @param spare bytes that stay free
 * @throws CodedError `disk-full`
 */
export async function* leavingRoom(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  spare = SPARE,
): AsyncGenerator<Uint8Array> {
  let unlooked = LOOK_BYTES
  for await (const chunk of source) {
    unlooked += chunk.length
    if (unlooked >= LOOK_BYTES) {
      unlooked = 0
      const { bavail, bsize } = await statfs(directory)
      if (bavail * bsize < spare + LOOK_BYTES + chunk.length) throw noRoom(directory)
    }
    yield chunk
  }
}

const noRoom = (directory: string): CodedError =>
  new CodedError('disk-full', `there is no room for it in ${directory}; nothing was changed`)

/**
 * Where an appliance listens for the commands of its own box: a unix socket in its data directory, so that whoever
 * may read the directory may give commands, without a token.
 *
 * unix(7): an address holds 108 bytes. A data directory may be deeper than that, so a long path is named through a
 * descriptor of the directory instead.
 */
import { openSync } from 'node:fs'
import { join } from 'node:path'

const LONGEST = 100

/**
 * The path to listen at or to connect to. Call it once: for a long path it opens the directory, and the descriptor
 * stays open for as long as this process lives, since the path goes through it.
 * @throws when the path is long and the directory does not exist
 */
export function localSocketPath(dataDirectory: string): string {
  const path = join(dataDirectory, 'control.sock')
  if (Buffer.byteLength(path) <= LONGEST) return path
  return `/proc/self/fd/${openSync(dataDirectory, 'r')}/control.sock`
}

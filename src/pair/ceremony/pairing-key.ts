/**
 * The key that all members of a pair share: 32 random bytes in `<data>/pair/pairing-key`, made with the first
 * invitation and handed on to each joiner after its proof. It signs what members ask of the witness; its id, made from
 * it, names the pair there.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '#core/durable-file.ts'
import { CodedError, errorText } from '#core/errors.ts'

export interface PairingKey {
  id: string
  /** base64 */
  key: string
}

const BYTES = 32

const fileIn = (directory: string): string => join(directory, 'pairing-key')

function withId(key: string): PairingKey {
  const id = createHash('sha256').update('twinline pair ').update(Buffer.from(key, 'base64')).digest('hex')
  return { id: id.slice(0, 32), key }
}

export const isPairingKey = (text: string): boolean =>
  /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').length === BYTES

/**
 * @param directory `<data>/pair`
 * @returns undefined before the first invitation
 * @throws CodedError `pair-key-unusable` when the file cannot be read or holds no key
 */
export async function loadPairingKey(directory: string): Promise<PairingKey | undefined> {
  const path = fileIn(directory)
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new CodedError('pair-key-unusable', `cannot read ${path}: ${errorText(error)}`, { cause: error })
  }
  if (!isPairingKey(text)) {
    throw new CodedError(
      'pair-key-unusable',
      `${path} holds no pairing key; restore it, or remove it and join again`,
    )
  }
  return withId(text)
}

/** On disk, whole or not at all, also across a power cut. @param key base64; a new one when absent */
export async function storePairingKey(
  directory: string,
  key = randomBytes(BYTES).toString('base64'),
): Promise<PairingKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeDurably(fileIn(directory), `${key}\n`)
  return withId(key)
}

/**
 * What a witness keeps over a restart: its own two keys and the pairs that it has met, in one file that only its owner
 * may read. Grants are not in it: they are forgotten on purpose (decide.ts). Written when a pair is met, is forgotten or
 * changes its grant time, which is seldom.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CodedError, errorText } from '#core/errors.ts'
import { type Fields, isFields, numberOf, textOf } from './wire.ts'

/** Pairs that one witness serves at most. */
export const MOST_PAIRS = 256

export interface KnownPair {
  id: string
  key: string
  /** How long its newest grant lasted, ms. */
  lasted: number
}

export interface Known {
  signing: KeyObject
  exchange: KeyObject
  readonly pairs: ReadonlyMap<string, KnownPair>
  /** Adds or changes a pair; on disk when it returns. @throws when the disk refuses; the pair is not known then */
  put(pair: KnownPair): void
  remove(id: string): void
}

/**
 * Reads the file, or makes it with new keys.
 * @throws CodedError when it cannot be read, is not one of ours or cannot be made
 */
export function openKnown(file: string): Known {
  const found = read(file)
  const signing = found?.signing ?? generateKeyPairSync('ed25519').privateKey
  const exchange = found?.exchange ?? generateKeyPairSync('x25519').privateKey
  const pairs = new Map((found?.pairs ?? []).map((pair) => [pair.id, pair]))

  function write(next: ReadonlyMap<string, KnownPair>): void {
    const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' })
    const content = {
      version: 1,
      signing: pem(signing),
      exchange: pem(exchange),
      pairs: [...next.values()],
    }
    writeAtomically(file, `${JSON.stringify(content, undefined, 2)}\n`)
  }

  if (found === undefined) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      write(pairs)
    } catch (error) {
      throw new CodedError('witness-state', `cannot write ${file}: ${errorText(error)}`)
    }
  }
  return {
    signing,
    exchange,
    pairs,
    put(pair) {
      write(new Map(pairs).set(pair.id, pair))
      pairs.set(pair.id, pair)
    },
    remove(id) {
      pairs.delete(id)
      write(pairs)
    },
  }
}

/** Keys that members compare: what they pinned is this. */
export const publicOf = (key: KeyObject): KeyObject => createPublicKey(key)

function read(file: string): { signing: KeyObject; exchange: KeyObject; pairs: KnownPair[] } | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CodedError('witness-state', `cannot read ${file}: ${errorText(error)}`)
  }
  try {
    const content: unknown = JSON.parse(text)
    if (!isFields(content) || content['version'] !== 1 || !Array.isArray(content['pairs'])) {
      throw new Error('it is not the state of a witness of this version')
    }
    return {
      signing: createPrivateKey(textOf(content, 'signing', 1_000) ?? ''),
      exchange: createPrivateKey(textOf(content, 'exchange', 1_000) ?? ''),
      pairs: content['pairs'].map(pairOf),
    }
  } catch (error) {
    // Not made anew over a damaged one: every member has pinned the keys in it.
    throw new CodedError('witness-state', `${file} cannot be used: ${errorText(error)}`)
  }
}

function pairOf(value: unknown): KnownPair {
  const fields: Fields = isFields(value) ? value : {}
  const id = textOf(fields, 'id')
  const key = textOf(fields, 'key')
  const lasted = numberOf(fields, 'lasted')
  if (id === undefined || key === undefined || lasted === undefined)
    throw new Error('a pair in it is damaged')
  return { id, key, lasted }
}

function writeAtomically(file: string, text: string): void {
  const draft = `${file}.new`
  const descriptor = openSync(draft, 'w', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

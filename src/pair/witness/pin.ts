/**
 * What a member keeps of the witness that it met: the witness's two public keys, and which pair it was told of. One
 * small file beside the pair's others; an operator who replaced the witness on purpose removes it.
 */
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Listen } from '#config/types.ts'
import { writeDurably } from '#core/durable-file.ts'
import { exportKey, importKey, isFields, textOf } from './wire.ts'

export interface Pin {
  signing: KeyObject
  exchange: KeyObject
  /** The pair that this witness knows of us; absent until it confirmed. */
  pair?: string
}

export const pinFile = (directory: string, { host, port }: Listen): string =>
  join(directory, `witness-${host.replaceAll(/[^A-Za-z0-9.-]/g, '_')}-${port}.json`)

/** @returns undefined when there is none; @throws when there is one that cannot be read */
export function readPin(file: string): Pin | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const fields: unknown = JSON.parse(text)
  const found = isFields(fields) ? pinOf(fields) : undefined
  if (found === undefined) throw new Error('it holds no keys of a witness')
  const pair = isFields(fields) ? textOf(fields, 'pair') : undefined
  return pair === undefined ? found : { ...found, pair }
}

/** The keys among the fields of a file or of a packet. */
export function pinOf(fields: Readonly<Record<string, unknown>>): Pin | undefined {
  const signing = importKey('Ed25519', textOf(fields, 'sign') ?? '')
  const exchange = importKey('X25519', textOf(fields, 'exchange') ?? '')
  return signing === undefined || exchange === undefined ? undefined : { signing, exchange }
}

/** Atomic, and on disk when it resolves. */
export async function writePin(file: string, { signing, exchange, pair }: Pin): Promise<void> {
  const content = { version: 1, sign: exportKey(signing), exchange: exportKey(exchange), pair }
  await writeDurably(file, `${JSON.stringify(content, undefined, 2)}\n`)
}

/**
 * A backup of everything that an appliance is: a consistent copy of the store, the keys and certificates by which others
 * know it, the documents that wait, the failover log, and its configuration file. As one stream, compressed and under a
 * passphrase (core/sealed.ts); restore.ts reads it.
 *
 * The copy of the store is SQLite's own backup, read in one transaction: writes go on meanwhile and are not in it.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { CodedError } from '#core/errors.ts'
import { seal } from '#core/sealed.ts'
import { databasePath } from './files.ts'
import { SPARE } from './room.ts'

export interface Manifest {
  format: 1
  node: string
  /** ms since 1970 */
  at: number
  version: string
}

export interface BackupOptions {
  /** The data directory. */
  directory: string
  node: string
  version: string
  /** ms since 1970 */
  at: number
  passphrase: string
  /** The configuration file's text, where there is one. */
  configuration?: string
}

/** Names that an entry may have besides those below these directories. */
export const STORE = 'twinline.db'
export const MANIFEST = 'manifest.json'
export const CONFIGURATION = 'twinline.yaml'
/** Directories of the data directory that are part of a backup. */
export const directories = ['pair', 'documents', 'failover'] as const
export const files = ['https-certificate.pem', 'https-key.pem'] as const

/** Pages that SQLite copies between two looks at other work. */
const PAGES = 500

/**
 * @throws CodedError `disk-full` when there is no room for the copy
 * @returns the backup's bytes; the copy is gone when they have been read or given up
 */
export async function makeBackup(options: BackupOptions): Promise<AsyncGenerator<Buffer>> {
  const { directory } = options
  const source = databasePath(directory)
  const [{ size }, { bavail, bsize }] = await Promise.all([stat(source), statfs(directory)])
  const log = await stat(`${source}-wal`).catch(() => ({ size: 0 }))
  const needed = size + log.size + SPARE
  if (bavail * bsize < needed) {
    const text = `a backup needs ${Math.ceil(needed / 1e6)} MB of free space in ${directory} for a while`
    throw new CodedError('disk-full', text)
  }
  const work = await mkdtemp(join(directory, 'backup-'))
  try {
    const copy = join(work, STORE)
    await copyStore(source, copy)
    return sealed(options, copy, work)
  } catch (error) {
    await rm(work, { recursive: true, force: true })
    throw error
  }
}

async function* sealed(options: BackupOptions, copy: string, work: string): AsyncGenerator<Buffer> {
  try {
    const zipped = createGzip()
    const plain = Readable.from(entries(options, copy), { objectMode: false })
    plain.once('error', (error) => zipped.destroy(error))
    yield* seal(options.passphrase, plain.pipe(zipped))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** What a crash in the middle left behind. */
export async function removeHalfBackups(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (/^(backup|restore)-[A-Za-z0-9]{6}$/.test(name))
      await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** One moment of the store, whatever is written meanwhile: an open transaction keeps the view. */
async function copyStore(source: string, to: string): Promise<void> {
  const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 })
  try {
    db.exec('BEGIN')
    db.prepare('SELECT readable_from FROM format').get()
    await backup(db, to, { rate: PAGES })
  } finally {
    db.close()
  }
}

/** Each entry: length of its head (4) · head as JSON · content. The last one has no name. */
async function* entries(options: BackupOptions, copy: string): AsyncGenerator<Buffer> {
  const { directory, node, at, version, configuration } = options
  const manifest: Manifest = { format: 1, node, at, version }
  yield* small(MANIFEST, JSON.stringify(manifest))
  if (configuration !== undefined) yield* small(CONFIGURATION, configuration)
  yield* file(STORE, copy)
  for (const name of files) yield* file(name, join(directory, name))
  for (const folder of directories) yield* below(directory, folder)
  yield head({ end: true })
}

async function* below(directory: string, folder: string): AsyncGenerator<Buffer> {
  const found = await readdir(join(directory, folder), { withFileTypes: true }).catch(() => [])
  for (const entry of found) {
    const name = `${folder}/${entry.name}`
    if (entry.isDirectory()) yield* below(directory, name)
    else if (entry.isFile()) yield* file(name, join(directory, name))
  }
}

const head = (value: object): Buffer => {
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text])
}

function* small(name: string, content: string): Generator<Buffer> {
  const bytes = Buffer.from(content)
  yield head({ name, size: bytes.length })
  yield bytes
}

/** A file that is not there, or goes meanwhile, is no part of it; one that grows is cut at what it was. */
async function* file(name: string, path: string): AsyncGenerator<Buffer> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  yield head({ name, size: found.size })
  if (found.size === 0) return
  let left = found.size
  for await (const bytes of createReadStream(path, { end: found.size - 1 })) {
    left -= (bytes as Buffer).length
    yield bytes as Buffer
  }
  if (left > 0) yield Buffer.alloc(left)
}

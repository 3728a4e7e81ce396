/**
 * A backup on its way back. First it is unpacked beside the data and looked at; whatever is wrong is said before anything
 * changes. Then, at the next start and under the directory's lock, it takes the place of the data, which is kept.
 *
 *   restore-XXXXXX/     being unpacked; removed at a start
 *   restored/           whole and looked at; takes its place at the next start
 *   before-restore/     what was there before
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { createGunzip } from 'node:zlib'
import { syncDirectory } from '#core/durable-file.ts'
import { CodedError, errorText } from '#core/errors.ts'
import { Taker, unseal } from '#core/sealed.ts'
import { CONFIGURATION, directories, files, MANIFEST, type Manifest, STORE } from './backup.ts'
import { databasePath } from './files.ts'
import { leavingRoom } from './room.ts'

const STAGED = 'restored'
const BEFORE = 'before-restore'
const MOST_HEAD = 10_000
const MOST_SMALL = 1_000_000
const READ = 262_144

export interface Unpacked {
  manifest: Manifest
  /** The configuration file's text, where the backup has one. */
  configuration?: string
  /** Where it lies. */
  directory: string
}

/**
 * Unpacks a backup beside the data and looks at it.
 * @param spare bytes of the disk that stay free
 * @throws CodedError `sealed-foreign`, `sealed-passphrase`, `sealed-damaged`, `backup-unusable`, `data-newer`, `disk-full`
 */
export async function unpackBackup(
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
  data: string,
  spare?: number,
): Promise<Unpacked> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const directory = await mkdtemp(join(data, 'restore-'))
  try {
    const gunzip = createGunzip()
    const plain = Readable.from(unseal(passphrase, source), { objectMode: false })
    plain.once('error', (error) => gunzip.destroy(error))
    const unzipped = leavingRoom(plain.pipe(gunzip), data, spare)
    const found = await readEntries(new Taker(unzipped), directory)
    const { manifest, configuration } = found
    if (manifest === undefined || !existsSync(join(directory, STORE)))
      throw unusable('something is missing in it')
    await lookAt(join(directory, STORE), manifest.at)
    return { manifest, directory, ...(configuration === undefined ? {} : { configuration }) }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error instanceof CodedError ? error : unusable(errorText(error))
  }
}

/** Reads a backup to its end. @throws as unpackBackup() */
export async function verifyBackup(source: AsyncIterable<Uint8Array>, passphrase: string): Promise<void> {
  const gunzip = createGunzip()
  const plain = Readable.from(unseal(passphrase, source), { objectMode: false })
  plain.once('error', (error) => gunzip.destroy(error))
  const bytes = new Taker(plain.pipe(gunzip))
  while ((await bytes.some(READ)) !== undefined);
}

/** From here on the next start takes it. */
export async function stage({ directory }: Unpacked, data: string): Promise<void> {
  await rm(join(data, STAGED), { recursive: true, force: true })
  await rename(directory, join(data, STAGED))
  await syncDirectory(data)
}

export const discard = ({ directory }: Unpacked): Promise<void> =>
  rm(directory, { recursive: true, force: true })

const unusable = (why: string) => new CodedError('backup-unusable', `the backup cannot be used: ${why}`)

async function readEntries(
  bytes: Taker,
  directory: string,
): Promise<{ manifest?: Manifest; configuration?: string }> {
  const found: { manifest?: Manifest; configuration?: string } = {}
  for (;;) {
    const size = (await bytes.take(4))?.readUInt32BE() ?? Number.POSITIVE_INFINITY
    const text = size > MOST_HEAD ? undefined : await bytes.take(size)
    if (text === undefined) throw unusable('it ends too early')
    const head = JSON.parse(text.toString()) as { name?: string; size?: number; end?: boolean }
    if (head.end === true) return found
    const { name = '', size: length = 0 } = head
    if (name === MANIFEST || name === CONFIGURATION) {
      const content = length > MOST_SMALL ? undefined : await bytes.take(length)
      if (content === undefined) throw unusable('it ends too early')
      if (name === MANIFEST) found.manifest = manifestOf(content.toString())
      else found.configuration = content.toString()
    } else {
      await writeEntry(bytes, length, join(directory, placeOf(name)))
    }
  }
}

function manifestOf(text: string): Manifest {
  const manifest = JSON.parse(text) as Partial<Manifest>
  if (manifest.format !== 1) throw unusable('it was made by a newer version of the program')
  return manifest as Manifest
}

/** Nothing may end up outside of the directory, whatever the backup says. */
function placeOf(name: string): string {
  const known = name === STORE || files.some((one) => one === name)
  const inside = directories.some((folder) => name.startsWith(`${folder}/`)) && normalize(name) === name
  if (!known && (!inside || name.split('/').includes('..')))
    throw unusable(`it holds ${JSON.stringify(name.slice(0, 100))}`)
  return name
}

async function writeEntry(bytes: Taker, length: number, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    for (let left = length; left > 0; ) {
      const some = await bytes.some(Math.min(left, READ))
      if (some === undefined) throw unusable('it ends too early')
      await file.write(some)
      left -= some.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** In a thread of its own: a large store takes seconds, and the appliance goes on meanwhile. */
async function lookAt(path: string, backupAt: number): Promise<void> {
  const suffix = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./restore-look.${suffix}`, import.meta.url), {
    workerData: { path, backupAt },
    name: 'restore',
  })
  const found = await new Promise<{ code?: string; message?: string }>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('looking at it was cut off')))
  })
  await worker.terminate()
  if (found.code !== undefined) throw new CodedError(found.code, found.message ?? '')
}

/**
 * Puts what was staged in the place of the data. To be called with the directory locked and the store closed. A crash in
 * between is no harm: the next start goes on where it ended.
 */
export function takeStaged(data: string): void {
  const staged = join(data, STAGED)
  if (!existsSync(staged)) return
  const before = join(data, BEFORE)
  const store = databasePath(data)
  if (existsSync(join(staged, STORE))) {
    // What a crash left of this very step stays; what a former restore left goes.
    if (!existsSync(join(before, 'unfinished'))) rmSync(before, { recursive: true, force: true })
    mkdirSync(join(before, 'unfinished'), { recursive: true, mode: 0o700 })
    for (const name of [...directories, ...files]) {
      if (existsSync(join(staged, name))) replace(data, staged, before, name)
    }
    for (const suffix of ['', '-wal', '-shm']) keep(`${store}${suffix}`, join(before, `${STORE}${suffix}`))
    renameSync(join(staged, STORE), store)
  }
  rmSync(join(before, 'unfinished'), { recursive: true, force: true })
  rmSync(staged, { recursive: true, force: true })
}

function replace(data: string, staged: string, before: string, name: string): void {
  keep(join(data, name), join(before, name))
  renameSync(join(staged, name), join(data, name))
}

/** The first that was there is what was there before. */
function keep(path: string, at: string): void {
  if (!existsSync(path)) return
  if (existsSync(at)) rmSync(path, { recursive: true, force: true })
  else renameSync(path, at)
}

/**
 * Documents as files: each once, under the SHA-256 of its bytes, in the directory `documents` of the data. A file that
 * has its name is whole and on the disk (written, fsynced, renamed, the directory fsynced); what is half done ends in
 * `.part` and is removed at the next start, as is whatever else programs leave in the directory. What no message refers to any more goes with the archive.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '#core/durable-file.ts'
import { CodedError } from '#core/errors.ts'

const HALF = '.part'
const HASH = /^[0-9a-f]{64}$/
/** Bytes between two looks at the room that is left. */
const LOOK_BYTES = 1_048_576
/** How long nothing is done with a document before it is asked whether anybody needs it. */
const IDLE_MS = 86_400_000

export const isHash = (text: string): boolean => HASH.test(text)

export interface StoredDocument {
  /** SHA-256, hex in lower case. */
  hash: string
  bytes: number
}

export interface DocumentStoreOptions {
  /** The data directory. */
  directory: string
  /** Free space, in bytes, that is to stay. */
  reserve(): number
}

/** Part of a file that is being written, or of one that is there. */
export interface Readable {
  /** At most `length` bytes from `at` on; fewer only at the end of what is there. */
  read(at: number, length: number): Promise<Buffer>
}

export class DocumentStore {
  readonly #directory: string
  readonly #reserve: () => number

  private constructor({ directory, reserve }: DocumentStoreOptions) {
    this.#directory = join(directory, 'documents')
    this.#reserve = reserve
  }

  /** Makes the directory where it is missing, and removes what the last run left half done. */
  static async open(options: DocumentStoreOptions): Promise<DocumentStore> {
    const store = new DocumentStore(options)
    const made = await mkdir(store.#directory, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncDirectory(options.directory)
    for (const name of await readdir(store.#directory)) {
      if (!isHash(name)) await rm(join(store.#directory, name), { force: true })
    }
    return store
  }

  path(hash: string): string {
    if (!isHash(hash)) throw new CodedError('document-unknown', 'no document can have this hash')
    return join(this.#directory, hash)
  }

  /** Where a program may write what adopt() takes; gone after the next start if nothing does. */
  temporary(): string {
    return join(this.#directory, `${randomUUID()}${HALF}`)
  }

  async find(hash: string): Promise<StoredDocument | undefined> {
    if (!isHash(hash)) return undefined
    try {
      const { size } = await stat(this.path(hash))
      return { hash, bytes: size }
    } catch {
      return undefined
    }
  }

  /** @returns undefined when it is not here */
  async read(hash: string, at: number, length: number): Promise<Buffer | undefined> {
    if ((await this.find(hash)) === undefined) return undefined
    const file = await open(this.path(hash), 'r')
    try {
      return await readAt(file, at, length)
    } finally {
      await file.close()
    }
  }

  /**
   * Begins a document.
   * @param most bytes; more is refused
   * @throws CodedError `disk-full`
   */
  async receive(most: number): Promise<Receiving> {
    await this.#look(0)
    const path = this.temporary()
    const file = await open(path, 'wx+', 0o600)
    return new Receiving({
      file,
      path,
      most,
      look: (bytes) => this.#look(bytes),
      keep: (stored) => this.#keep(path, stored),
    })
  }

  /** Takes a file that was made at a temporary() path. It is moved, or removed where the same is here already. */
  async adopt(path: string): Promise<StoredDocument> {
    const file = await open(path, 'r')
    const hash = createHash('sha256')
    let bytes = 0
    try {
      for (;;) {
        const chunk = await readAt(file, bytes, LOOK_BYTES)
        if (chunk.length === 0) break
        hash.update(chunk)
        bytes += chunk.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const stored = { hash: hash.digest('hex'), bytes }
    await this.#keep(path, stored)
    return stored
  }

  async remove(hash: string): Promise<void> {
    await rm(this.path(hash), { force: true })
  }

  /** It is used again: a sweep counts from now. @param at ms since 1970 */
  async touch(hash: string, at: number): Promise<void> {
    await utimes(this.path(hash), at / 1_000, at / 1_000).catch(() => {})
  }

  /**
   * Removes documents that nothing needs any more. One that came a moment ago may be about to be referred to, so each is
   * asked about only when nothing was done with it for a while.
   * @param now ms since 1970
   * @param inUse those of the named ones that are still needed
   * @param limit how many are asked about at most
   * @returns how many it removed
   */
  async sweep(
    now: number,
    inUse: (hashes: readonly string[]) => Promise<readonly string[]>,
    limit: number,
  ): Promise<number> {
    const idle: string[] = []
    for (const name of await readdir(this.#directory)) {
      if (idle.length >= limit) break
      if (!isHash(name)) continue
      const { mtimeMs } = await stat(join(this.#directory, name)).catch(() => ({ mtimeMs: now }))
      if (mtimeMs < now - IDLE_MS) idle.push(name)
    }
    if (idle.length === 0) return 0
    const needed = new Set(await inUse(idle))
    let removed = 0
    for (const hash of idle) {
      if (needed.has(hash)) await this.touch(hash, now)
      else if (this.#removeIdle(hash, now)) removed += 1
    }
    return removed
  }

  /** In one step: somebody may have handed in the same bytes since it was asked about. @returns whether it did */
  #removeIdle(hash: string, now: number): boolean {
    const { mtimeMs = now } = statSync(this.path(hash), { throwIfNoEntry: false }) ?? {}
    if (mtimeMs >= now - IDLE_MS) return false
    rmSync(this.path(hash), { force: true })
    return true
  }

  /** Whether so many bytes can be written, whatever is to stay free. */
  async hasRoom(bytes: number): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#directory)
    return bavail * bsize >= bytes
  }

  async #keep(path: string, { hash }: StoredDocument): Promise<boolean> {
    const known = await this.find(hash)
    await rename(path, this.path(hash))
    await syncDirectory(this.#directory)
    return known === undefined
  }

  async #look(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory)
    if (bavail * bsize < this.#reserve() + bytes) throw diskFull()
  }
}

interface ReceivingParts {
  file: FileHandle
  path: string
  most: number
  look(bytes: number): Promise<void>
  /** @returns whether it was not here before */
  keep(stored: StoredDocument): Promise<boolean>
}

/** A document on its way in. After an error it is gone; finish() or abandon() ends it. */
export class Receiving implements Readable {
  readonly #parts: ReceivingParts
  readonly #hash: Hash = createHash('sha256')
  #written = 0
  #looked = 0
  #state: 'open' | 'finished' | 'abandoned' = 'open'
  #stored: StoredDocument | undefined
  #fresh = false
  #waiting: (() => void)[] = []

  constructor(parts: ReceivingParts) {
    this.#parts = parts
  }

  /** Bytes that can be read. */
  get written(): number {
    return this.#written
  }

  get state(): 'open' | 'finished' | 'abandoned' {
    return this.#state
  }

  /** What it became; read() then is the store's. */
  get stored(): StoredDocument | undefined {
    return this.#stored
  }

  /** It was not here before. */
  get fresh(): boolean {
    return this.#fresh
  }

  /** Resolves when there is more to read, or it has ended. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** One after the other. @throws CodedError `document-too-large`, `disk-full` */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#written + chunk.length > this.#parts.most) {
      throw new CodedError('document-too-large', `the document has more than ${this.#parts.most} bytes`, {
        values: { megabytes: this.#parts.most / 1e6 },
      })
    }
    this.#hash.update(chunk)
    if (this.#written + chunk.length >= this.#looked + LOOK_BYTES) {
      this.#looked = this.#written
      await this.#parts.look(chunk.length)
    }
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#parts.file.write(
          chunk,
          done,
          chunk.length - done,
          this.#written + done,
        )
        done += bytesWritten
      }
    } catch (error) {
      throw isNoRoom(error) ? diskFull() : error
    }
    this.#written += chunk.length
    this.#tell()
  }

  read(at: number, length: number): Promise<Buffer> {
    return readAt(this.#parts.file, at, Math.min(length, this.#written - at))
  }

  /**
   * On the disk, under its name.
   * @param expected it is given up where the hash is another one
   * @returns undefined when it was given up
   */
  async finish(expected?: string): Promise<StoredDocument | undefined> {
    const stored = { hash: this.#hash.digest('hex'), bytes: this.#written }
    if (expected !== undefined && stored.hash !== expected) {
      await this.abandon()
      return undefined
    }
    try {
      await this.#parts.file.sync()
      this.#fresh = await this.#parts.keep(stored)
    } catch (error) {
      await this.abandon()
      throw isNoRoom(error) ? diskFull() : error
    }
    this.#state = 'finished'
    this.#stored = stored
    this.#tell()
    return stored
  }

  /** Nobody reads it any more. The file stays; what was read until now stays good. */
  close(): Promise<void> {
    return this.#parts.file.close()
  }

  async abandon(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'abandoned'
    this.#tell()
    await rm(this.#parts.path, { force: true })
  }

  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, length))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
  return buffer.subarray(0, bytesRead)
}

const diskFull = (): CodedError =>
  new CodedError('disk-full', 'no room is left to keep the document safe; nothing was stored')

const isNoRoom = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** The other members' disks, as far as documents are concerned; the pair provides it (pair/documents.ts). */
export interface DocumentPeers {
  /** Sends a document that is coming in to the other members meanwhile. */
  follow(receiving: Receiving): Following
  /** Brings a document that is here to the members that lack it. @returns whether some other member has it on its disk */
  offer(hash: string, withinMs: number): Promise<boolean>
  /** Brings a document here that some other member has. @returns whether it is here */
  fetch(hash: string): Promise<boolean>
  /** Some other member is known to have it on its disk. */
  elsewhere(hash: string): boolean
}

export interface Following {
  /**
   * To be called when the document has been finished and is wanted: until then the others keep what came as half done.
   * @returns whether some other member has it on its disk
   */
  settled(stored: StoredDocument, withinMs: number): Promise<boolean>
  /** It is not wanted: the others drop it. */
  dropped(): void
}

/** An appliance that stands alone. */
export const noPeers: DocumentPeers = {
  follow: () => ({ settled: async () => false, dropped: () => {} }),
  offer: async () => false,
  fetch: async () => false,
  elsewhere: () => false,
}

/** A connection on which nothing moves for longer is ended: its client would never hear the answer. */
const LONGEST_WAIT_MS = 45_000

/** How long an acceptance waits for a document to be on another member's disk, ms. */
export const waitFor = (bytes: number): number => Math.min(LONGEST_WAIT_MS, 5_000 + Math.ceil(bytes / 1_000))

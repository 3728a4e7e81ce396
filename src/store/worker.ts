/**
 * The store's thread: the only one that touches the database. Each batch that arrives is one transaction, answered
 * when it is on disk; a batch that cannot be written is taken apart, so that one request's trouble stays its own.
 *
 * Checkpoints (moving pages from the write-ahead log into the database) run after answers went out, in the first
 * pause; only when there is no pause for long, between two batches. So no caller pays for one while the disk has time.
 */
import { statfsSync, statSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { CodedError, errorText } from '#core/errors.ts'
import type { LogBatch, Merged } from './contract.ts'
import { databasePath, lockDirectory, unusable } from './files.ts'
import { migrate } from './migrations.ts'
import type { Answer, Answered, Failure, Opening, Request, WorkerOptions } from './protocol.ts'
import { Requests } from './requests.ts'
import { takeStaged } from './restore.ts'
import { beginRestored } from './restored.ts'
import { Views } from './snapshot-read.ts'
import { writeFailure } from './sqlite-errors.ts'
import { PAGE_BYTES, Tables } from './tables.ts'

/** Pages written after which a pause is used for a checkpoint, and after which none is waited for. */
const CHECKPOINT_PAGES = 1_000
const CHECKPOINT_PAGES_MOST = 4_000
const PAUSE_MS = 20
/** The last resort that keeps the write-ahead log bounded, in pages; and what its file shrinks to after a flood. */
const WAL_LIMIT_PAGES = 16_384
const WAL_KEPT_BYTES = 8 * 1_048_576

const options = workerData as WorkerOptions
/** Bytes of free space below which nothing more is accepted. */
let { reserve } = options

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(options.directory)
  return bavail * bsize
}

/**
 * Whether more may be accepted. The next checkpoint may need as much again as the write-ahead log holds; were that
 * not kept free, the log could never be emptied, and a disk filled by nobody else would stay full.
 */
function hasRoom(): boolean {
  const wal = statSync(`${databasePath(options.directory)}-wal`, { throwIfNoEntry: false })
  return freeBytes() >= reserve + (wal?.size ?? 0)
}

function openDatabase(): DatabaseSync {
  const db = new DatabaseSync(databasePath(options.directory), {
    timeout: 5_000,
  })
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${WAL_LIMIT_PAGES}; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
    PRAGMA cache_size = -4096;`)
  migrate(db)
  return db
}

class Worker {
  readonly #db: DatabaseSync
  readonly #lock: DatabaseSync
  readonly #tables: Tables
  readonly #requests: Requests
  readonly #views = new Views(databasePath(options.directory), options.node)
  #pause: NodeJS.Timeout | undefined

  constructor() {
    this.#lock = lockDirectory(options.directory)
    try {
      takeStaged(options.directory)
      this.#db = openDatabase()
      this.#tables = new Tables(this.#db)
      this.#requests = new Requests(this.#tables, options.node, this.#views, hasRoom, (bytes) => {
        reserve = bytes
      })
      if (beginRestored(this.#tables, options.now)) this.#requests.log.open()
    } catch (error) {
      this.#lock.close()
      throw error instanceof CodedError ? error : unusable(options.directory, error)
    }
  }

  opening(): Opening {
    const { log, taker } = this.#requests
    return { lastLogged: log.lastLogged(), position: log.position(), complete: taker.complete() }
  }

  /** What became of a batch, and what it changed. */
  answer(requests: readonly Request[]): Answered {
    const logged: LogBatch[] = []
    const merged: Merged[] = []
    const answers = this.#batch(requests, logged, merged)
    const { incarnation, sequence } = this.#requests.log.position()
    const answered: Answered = { answers: `[${answers.join(',')}]`, incarnation, sequence }
    if (logged.length > 0) answered.logged = logged
    const changed = merged.reduce<Merged | undefined>(together, undefined)
    if (changed) answered.merged = changed
    return answered
  }

  #batch(requests: readonly Request[], logged: LogBatch[], merged: Merged[]): string[] {
    try {
      const answers = this.#transaction(requests)
      logged.push(...this.#requests.log.take())
      const changed = this.#requests.takeMerged()
      if (changed) merged.push(changed)
      return answers
    } catch (error) {
      if (requests.length > 1) return requests.flatMap((request) => this.#batch([request], logged, merged))
      const failed = writeFailure(error, freeBytes())
      const request = requests[0]
      if (request?.method === 'accept' && failed.code === 'disk-full') {
        return [`{"value":${JSON.stringify(request.args[0].map(() => ({ result: 'full' })))}}`]
      }
      return [JSON.stringify({ error: failureOf(failed) } satisfies Answer)]
    }
  }

  /** All or nothing. An error that is an answer (a coded one) was raised before its request changed anything. */
  #transaction(requests: readonly Request[]): string[] {
    this.#db.exec('BEGIN')
    try {
      const answers = requests.map((request) => {
        try {
          return `{"value":${this.#requests.answer(request)}}`
        } catch (error) {
          if (error instanceof CodedError) return JSON.stringify({ error: failureOf(error) } satisfies Answer)
          throw error
        }
      })
      this.#db.exec('COMMIT')
      return answers
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#requests.reload()
      throw error
    }
  }

  /** Called after answers went out. */
  rest(): void {
    if (this.#tables.pagesWritten >= CHECKPOINT_PAGES_MOST) {
      this.#checkpoint()
    } else if (this.#tables.pagesWritten >= CHECKPOINT_PAGES) {
      this.#pause ??= setTimeout(() => this.#checkpoint(), PAUSE_MS)
      this.#pause.refresh()
    }
  }

  #checkpoint(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#tables.pagesWritten = 0
    try {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // A full or failing disk: everything is in the write-ahead log already, and the next write that fails says so.
    }
  }

  close(): void {
    clearTimeout(this.#pause)
    this.#views.closeAll()
    this.#db.close()
    this.#lock.close()
  }
}

const together = (all: Merged | undefined, one: Merged): Merged => ({
  queue: one.queue || all?.queue === true,
  tokens: one.tokens || all?.tokens === true,
  users: one.users || all?.users === true,
  members: one.members || all?.members === true,
  revisions: one.revisions || all?.revisions === true,
  inbox: one.inbox || all?.inbox === true,
  facts: one.facts || all?.facts === true,
  audit: one.audit || all?.audit === true,
  failover: [...(all?.failover ?? []), ...one.failover],
})

const failureOf = (error: unknown): Failure =>
  error instanceof CodedError
    ? { code: error.code, message: error.message }
    : { code: 'store-failed', message: errorText(error) }

function serve(): void {
  const port = parentPort
  if (!port) throw new Error('twinline is wrong: the store worker runs outside a worker thread')
  let worker: Worker
  try {
    worker = new Worker()
  } catch (error) {
    port.postMessage({ error: failureOf(error) } satisfies Opening)
    return
  }
  port.on('message', (message: string) => {
    if (message === 'close') {
      worker.close()
      port.close()
      return
    }
    const requests: Request[] = JSON.parse(message)
    port.postMessage(worker.answer(requests))
    worker.rest()
  })
  port.postMessage(worker.opening())
  // A thread has a cache of compiled code of its own, and the program that it belongs to may end by a power cut.
  flushCompileCache()
}

serve()

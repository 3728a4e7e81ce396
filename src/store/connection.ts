/**
 * The main thread's end of the worker. All calls of one turn of the event loop cross in one message and share one
 * transaction; while that is being written a second batch may wait in the worker's queue, and the rest waits here.
 */
import { Worker } from 'node:worker_threads'
import { CodedError, errorText } from '#core/errors.ts'
import type { LogBatch, LogPosition, Merged } from './contract.ts'
import type { Answer, Answered, Method, Methods, Opening, WorkerOptions } from './protocol.ts'

/** Deliveries and changes that one transaction takes, so that an intent never waits long behind a flood. */
const BATCH_WEIGHT = 256
const BATCHES_IN_FLIGHT = 2
/** Waiting here, at most. */
const WAITING_WEIGHT = 200_000

interface Call {
  text: string
  weight: number
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Connection {
  readonly lastLogged: number
  /** The own log as far as it is on disk. */
  position: LogPosition
  /** Told about own entries that are on the disk, right before their calls settle. */
  onLogged: ((batch: LogBatch) => void) | undefined
  onMerged: ((merged: Merged) => void) | undefined
  /** Whether the last snapshot was taken in to its end, as found at the start. */
  readonly complete: boolean
  readonly #worker: Worker
  readonly #onFailure: (error: CodedError) => void
  #waiting: Call[] = []
  #waitingWeight = 0
  readonly #inFlight: Call[][] = []
  #scheduled = false
  /** Why nothing can be asked any more. */
  #over: CodedError | undefined
  #refusal: CodedError | undefined

  private constructor(
    worker: Worker,
    opening: Exclude<Opening, { error: unknown }>,
    onFailure: (error: CodedError) => void,
  ) {
    this.#worker = worker
    this.lastLogged = opening.lastLogged
    this.position = opening.position
    this.complete = opening.complete
    this.#onFailure = onFailure
    worker.on('message', (answered: Answered) => this.#settle(answered))
    worker.on('error', (error) => this.#fail(error))
    worker.on('exit', () => this.#fail(new Error('the store worker ended')))
  }

  static async open(options: WorkerOptions, onFailure: (error: CodedError) => void): Promise<Connection> {
    // The worker has the suffix of this file: .ts as written, .js when compiled.
    const suffix = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./worker.${suffix}`, import.meta.url), {
      workerData: options,
      name: 'store',
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    })
    const opening = await new Promise<Opening>((resolve) => {
      worker.once('message', resolve)
      worker.once('error', (error) => resolve({ error: { code: 'store-failed', message: errorText(error) } }))
    })
    if ('error' in opening) {
      await worker.terminate()
      throw new CodedError(opening.error.code, opening.error.message)
    }
    return new Connection(worker, opening, onFailure)
  }

  /** True while there is room for more. */
  accepting(): boolean {
    return this.#waitingWeight < WAITING_WEIGHT / 2
  }

  /**
   * @param weight how many deliveries or changes it carries
   * @param urgent a modem waits for it: it goes as soon as the running callback ends, with all that waits already
   */
  call<M extends Method>(
    method: M,
    args: Parameters<Methods[M]>,
    weight = 1,
    urgent = false,
  ): Promise<ReturnType<Methods[M]>> {
    return new Promise((resolve, reject) => {
      const refusal = this.#over ?? this.#refusal
      if (refusal) {
        reject(refusal)
        return
      }
      if (this.#waitingWeight + weight > WAITING_WEIGHT && this.#waitingWeight > 0) {
        reject(new CodedError('store-busy', 'too much is waiting for the disk'))
        return
      }
      this.#waiting.push({
        text: JSON.stringify({ method, args }),
        weight,
        // What comes back was made by the worker's method of this name: the two sides are one program.
        resolve: (value) => resolve(value as ReturnType<Methods[M]>),
        reject,
      })
      this.#waitingWeight += weight
      this.#schedule(urgent)
    })
  }

  /** After the callbacks of this turn of the loop, so that whatever came in together goes out together. */
  #schedule(urgent: boolean): void {
    if (urgent) queueMicrotask(() => this.#flush())
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight.length < BATCHES_IN_FLIGHT && !this.#over) {
      let weight = 0
      let end = 0
      for (const call of this.#waiting) {
        if (end > 0 && weight + call.weight > BATCH_WEIGHT) break
        weight += call.weight
        end += 1
      }
      const batch = this.#waiting.splice(0, end)
      this.#waitingWeight -= weight
      this.#inFlight.push(batch)
      this.#worker.postMessage(`[${batch.map((call) => call.text).join(',')}]`)
    }
  }

  #settle({ answers: text, incarnation, sequence, logged, merged }: Answered): void {
    this.position = { origin: this.position.origin, incarnation, sequence }
    for (const batch of logged ?? []) this.onLogged?.(batch)
    const answers: Answer[] = JSON.parse(text)
    const batch = this.#inFlight.shift() ?? []
    for (const [n, call] of batch.entries()) {
      const answer = answers[n]
      if (answer && 'value' in answer) call.resolve(answer.value)
      else
        call.reject(
          new CodedError(answer?.error.code ?? 'store-failed', answer?.error.message ?? 'no answer'),
        )
    }
    if (merged) this.onMerged?.(merged)
    this.#flush()
  }

  #fail(cause: unknown): void {
    if (this.#over) return
    const error = new CodedError('store-failed', `the store has stopped: ${errorText(cause)}`, { cause })
    this.#over = error
    for (const call of [...this.#inFlight.flat(), ...this.#waiting]) call.reject(error)
    this.#inFlight.length = 0
    this.#waiting = []
    this.#waitingWeight = 0
    this.#onFailure(error)
  }

  /** Waits for everything asked before and for `last`, then closes the database. Later calls are refused. */
  async close(last: () => Promise<unknown>): Promise<void> {
    if (this.#refusal || this.#over) return
    const done = last()
    this.#refusal = new CodedError('store-closed', 'the store is closed')
    await done
    if (this.#over) return
    this.#over = this.#refusal
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage('close')
    await ended
  }
}

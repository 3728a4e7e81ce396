/**
 * Carries snapshots between the machine and the store: reads pages for others, writes pages of others. Each job's
 * steps run one after the other; a failure is told to the machine, which begins again. Slow on purpose: a page is read
 * only after a pause as long as the last page took, so that accepting and sending keep at least half of the store.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '#core/errors.ts'
import type { LogPosition, OperationLog, SnapshotReader, SnapshotWriter } from '#store/contract.ts'
import type { Effect, Input } from './state.ts'

const PAUSE_MS = 5

type SnapshotStore = Pick<OperationLog, 'snapshot' | 'loadSnapshot' | 'positions' | 'complete'>
type Of<E extends Effect['effect']> = Extract<Effect, { effect: E }>

export class SnapshotCarrier {
  readonly #store: SnapshotStore
  readonly #tell: (input: Input) => void
  readonly #monotonic: () => number
  readonly #readers = new Map<string, { id: number; reader: Promise<SnapshotReader> }>()
  #writer: { id: number; writer: Promise<SnapshotWriter> } | undefined
  /** What is under way at the writer; its steps never overtake each other. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(store: SnapshotStore, monotonic: () => number, tell: (input: Input) => void) {
    this.#store = store
    this.#monotonic = monotonic
    this.#tell = tell
  }

  open({ to, id }: Of<'openSnapshot'>): void {
    const reader = this.#store.snapshot()
    // A failure is met where the first page is read.
    reader.catch(() => {})
    this.#readers.set(to, { id, reader })
  }

  async next({ to, id }: Of<'nextPage'>): Promise<void> {
    const open = this.#readers.get(to)
    if (open?.id !== id) return
    const started = this.#monotonic()
    try {
      const reader = await open.reader
      const page = await reader.next()
      await sleep(Math.max(PAUSE_MS, this.#monotonic() - started))
      if (page === undefined) this.#tell({ input: 'pagesEnd', to, id, positions: reader.positions })
      else this.#tell({ input: 'page', to, id, page })
    } catch (error) {
      this.#tell({ input: 'pageFailed', to, id, reason: errorText(error) })
    }
  }

  close({ to, id }: Of<'closeSnapshot'>): void {
    const open = this.#readers.get(to)
    if (open?.id !== id) return
    this.#readers.delete(to)
    void open.reader.then((reader) => reader.close()).catch(() => {})
  }

  begin({ id }: Of<'beginLoad'>): void {
    const writer = this.#writing.then(() => this.#store.loadSnapshot())
    writer.catch(() => {})
    this.#writer = { id, writer }
  }

  page({ id, page }: Of<'loadPage'>): void {
    this.#write(id, async (writer) => {
      await writer.add(page)
      this.#tell({ input: 'loaded', id })
    })
  }

  finish({ id, positions }: Of<'finishLoad'>): void {
    this.#write(id, async (writer) => {
      await writer.finish(positions)
      const held: LogPosition[] = await this.#store.positions()
      this.#tell({ input: 'loadFinished', id, positions: held, complete: this.#store.complete() })
    })
  }

  abandon({ id }: Of<'abandonLoad'>): void {
    this.#write(id, async (writer) => {
      this.#writer = undefined
      await writer.abandon()
    })
  }

  /** Lets go of everything; what was being taken in begins again at the next start. */
  async stop(): Promise<void> {
    for (const [to, { id }] of this.#readers) this.close({ effect: 'closeSnapshot', to, id })
    if (this.#writer) this.abandon({ effect: 'abandonLoad', id: this.#writer.id })
    await this.#writing
  }

  #write(id: number, act: (writer: SnapshotWriter) => Promise<void>): void {
    const open = this.#writer
    if (open?.id !== id) return
    this.#writing = this.#writing
      .then(async () => act(await open.writer))
      .catch((error: unknown) => this.#tell({ input: 'loadFailed', id, problem: errorText(error) }))
  }
}

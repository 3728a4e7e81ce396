/**
 * A view of everything at one moment, read page by page over a connection of its own: its open transaction keeps the
 * view while writes go on. It also keeps the write-ahead log from being emptied, so a view that nobody reads on with is
 * closed after a while.
 */
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import { beginning, orderText } from '#messages/order.ts'
import type { LogPosition } from './contract.ts'
import { Logs } from './logs.ts'
import { type SnapshotHead, type SnapshotPage, snapshotKinds, type Value } from './snapshot-pages.ts'
import { type Row, Tables } from './tables.ts'

/** In characters: a page takes a few milliseconds, and writes get in between pages. */
const PAGE = 65_536
const IDLE_MS = 120_000
const VIEWS = 4

class View {
  readonly #db: DatabaseSync
  readonly head: SnapshotHead
  readonly #node: string
  #told = false
  #kind = 0
  #rows: Iterator<Row> | undefined
  #next: Value[] | undefined

  constructor(path: string, node: string, seen: { term: Term; clock: number }) {
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    this.#node = node
    this.#db.exec('BEGIN')
    const logs = new Logs(new Tables(this.#db), node, true)
    const positions = logs
      .positions()
      .map(({ origin, incarnation, sequence }) => ({ origin, incarnation, sequence }))
    this.head = { positions, ...seen }
  }

  page(): string | undefined {
    if (!this.#told) {
      this.#told = true
      return JSON.stringify({ head: this.head } satisfies SnapshotPage)
    }
    for (; this.#kind < snapshotKinds.length; this.#kind++) {
      const kind = snapshotKinds[this.#kind]
      if (!kind) break
      const rows = this.#pageOf(kind)
      if (rows.length > 0) return `{"kind":"${kind.kind}","rows":[${rows.join(',')}]}`
      this.#rows = undefined
    }
    return undefined
  }

  #pageOf({ kind, query }: { kind: string; query: string }): string[] {
    this.#rows ??= this.#db.prepare(query).iterate()
    const texts: string[] = []
    let size = 0
    for (;;) {
      const row = this.#next ?? this.#read(kind)
      this.#next = undefined
      if (!row) return texts
      const text = JSON.stringify(row)
      if (texts.length > 0 && size + text.length > PAGE) {
        this.#next = row
        return texts
      }
      texts.push(text)
      size += text.length
    }
  }

  #read(kind: string): Value[] | undefined {
    const next = this.#rows?.next()
    if (!next || next.done) return undefined
    const row = Object.values(next.value).map((value) =>
      typeof value === 'string' || typeof value === 'number' ? value : null,
    )
    // What was there before there were members was accepted here.
    if (kind === 'message' && row[5] === null) row[5] = orderText({ ...beginning, origin: this.#node })
    return row
  }

  close(): void {
    this.#db.close()
  }
}

/** The views that are open, each with a number. */
export class Views {
  readonly #path: string
  readonly #node: string
  readonly #views = new Map<number, { view: View; timer: NodeJS.Timeout }>()
  #number = 0

  constructor(path: string, node: string) {
    this.#path = path
    this.#node = node
  }

  open(seen: { term: Term; clock: number }): { view: number; positions: LogPosition[] } {
    const [oldest] = this.#views.keys()
    if (this.#views.size >= VIEWS && oldest !== undefined) this.close(oldest)
    const view = new View(this.#path, this.#node, seen)
    this.#number += 1
    const number = this.#number
    this.#views.set(number, { view, timer: setTimeout(() => this.close(number), IDLE_MS).unref() })
    return { view: number, positions: view.head.positions }
  }

  /** @throws CodedError `snapshot-over` when the view was closed meanwhile */
  page(number: number): string | null {
    const open = this.#views.get(number)
    if (!open)
      throw new CodedError('snapshot-over', 'this view of the store was closed: nobody read on in time')
    open.timer.refresh()
    return open.view.page() ?? null
  }

  close(number: number): void {
    const open = this.#views.get(number)
    if (!open) return
    clearTimeout(open.timer)
    this.#views.delete(number)
    open.view.close()
  }

  closeAll(): void {
    for (const number of [...this.#views.keys()]) this.close(number)
  }
}

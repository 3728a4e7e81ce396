/**
 * Members without threads, links and files: the store's own request handling over databases in memory, so that a
 * property test runs hundreds of histories. What one member's log holds another one merges.
 */
import { DatabaseSync } from 'node:sqlite'
import type { LogBatch } from '#store/contract.ts'
import { migrate } from '#store/migrations.ts'
import type { Method, Methods } from '#store/protocol.ts'
import { Requests } from '#store/requests.ts'
import { Views } from '#store/snapshot-read.ts'
import { Tables } from '#store/tables.ts'

export class Member {
  readonly node: string
  readonly #db: DatabaseSync
  readonly #requests: Requests

  constructor(node: string, path = ':memory:') {
    this.node = node
    this.#db = new DatabaseSync(path)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    migrate(this.#db)
    this.#requests = new Requests(new Tables(this.#db), node, new Views(path, node), () => true)
  }

  call<M extends Method>(method: M, ...args: Parameters<Methods[M]>): ReturnType<Methods[M]> {
    this.#db.exec('BEGIN')
    // The pair is what Request says it is; TypeScript cannot follow a generic into the union.
    const request = { method, args } as Parameters<Requests['answer']>[0]
    const answer = this.#requests.answer(request)
    this.#db.exec('COMMIT')
    return JSON.parse(answer)
  }

  /** Takes from another member what of one log it has beyond `after`, `bytes` at a time at most. */
  pull(from: Member, incarnation: string, after: number, bytes: number): void {
    const batch = from.call('read', incarnation, after, bytes)
    if (batch === 'trimmed') throw new Error('nothing is trimmed in these histories')
    if (batch) this.call('merge', batch)
  }

  known(incarnation: string): number {
    return this.call('positions').find((one) => one.incarnation === incarnation)?.sequence ?? 0
  }

  /** Takes everything that another member has. */
  catchUp(from: Member): void {
    for (const { incarnation } of from.call('positions')) {
      for (;;) {
        const batch: LogBatch | 'trimmed' | null = from.call(
          'read',
          incarnation,
          this.known(incarnation),
          4_000,
        )
        if (batch === null) break
        if (batch === 'trimmed') throw new Error('nothing is trimmed in these histories')
        this.call('merge', batch)
      }
    }
  }

  rows(query: string): unknown[] {
    return this.#db.prepare(query).all()
  }

  /** Everything that members that hold the same entries must hold alike. */
  state(): Record<string, unknown[]> {
    return Object.fromEntries(
      Object.entries(documents).map(([name, query]) => [name, this.rows(query).map(withDocument)]),
    )
  }

  close(): void {
    this.#db.close()
  }
}

/** The same document may have its fields in another order. */
function withDocument(row: unknown): unknown {
  const fields: Record<string, unknown> = { ...Object(row) }
  const { document } = fields
  return typeof document === 'string' ? { ...fields, document: JSON.parse(document) } : fields
}

const documents = {
  messages: 'SELECT id, count, at, key, ordering, superseded, document FROM messages ORDER BY id',
  deliveries: `SELECT live, deadline, due, owner, accepted, document FROM deliveries ORDER BY document ->> '$.id'`,
  awaiting: `SELECT node, lines.line, reference, part, document ->> '$.id' AS delivery FROM awaiting
    JOIN lines ON lines.id = awaiting.line JOIN deliveries USING (position) ORDER BY 1, 2, 3, 4, 5`,
  totals: `SELECT node, lines.line, hour, sent, delivered, failed, unknown, received FROM totals
    JOIN lines ON lines.id = totals.line WHERE sent + delivered + failed + unknown + received <> 0 ORDER BY 1, 2, 3`,
  inbound: 'SELECT fingerprint, parts_of, entry, ordering, document FROM inbound ORDER BY fingerprint',
  waiting: 'SELECT entry, parts_of, newest FROM inbound_waiting ORDER BY entry',
  inbox: 'SELECT id, at, revision, document FROM inbox ORDER BY id',
  tokens: 'SELECT id, document FROM tokens ORDER BY id',
  revoked: 'SELECT id FROM revoked ORDER BY id',
  users: 'SELECT name, ordering, document FROM users ORDER BY name',
  sessions: 'SELECT id, used, document FROM sessions ORDER BY id',
  facts: 'SELECT name, value, ordering FROM facts ORDER BY name',
  members: 'SELECT node, ordering, document FROM members ORDER BY node',
  revisions: 'SELECT id, ordering, document FROM revisions ORDER BY id',
  settled: 'SELECT revision, path FROM settled ORDER BY revision, path',
  audit: 'SELECT origin, number, hash, document FROM audit ORDER BY origin, number, hash',
  failover: 'SELECT at, ordering, text FROM failover ORDER BY at, ordering',
  pending: 'SELECT delivery, ordering FROM pending ORDER BY delivery, ordering',
  spans: 'SELECT ordering, operation FROM spans ORDER BY ordering',
}

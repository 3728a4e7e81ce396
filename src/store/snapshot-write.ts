/**
 * Takes a snapshot in. What it brings stands for every log up to the positions on its first page; entries beyond them
 * that are held here (own ones that nobody acknowledged above all) are folded onto it, so that nothing that happened
 * here is undone. From the first page to the last the store counts as incomplete, over restarts too.
 */
import { CodedError } from '#core/errors.ts'
import { type Step, supersede, take } from '#messages/fold.ts'
import type { InboundPart, InboxEntry } from '#messages/inbound.ts'
import type { Delivery } from '#messages/message.ts'
import type { AuditRecord } from '#messages/operation.ts'
import { compareOrders, orderText, readOrder } from '#messages/order.ts'
import { groupOf } from '#messages/reassembly.ts'
import { supersedeTwin, twinsOf } from './apply.ts'
import { restoreArchived } from './archive.ts'
import type { LogPosition } from './contract.ts'
import {
  followNew,
  type Held,
  held,
  insertDelivery,
  originOf,
  type Placed,
  placeOf,
  placesOf,
  positionOf,
  REPLACED,
  stepAt,
  storeDelivery,
} from './deliveries.ts'
import { regroup } from './inbound.ts'
import type { Log } from './log.ts'
import { type Logs, SEQUENCES } from './logs.ts'
import {
  createToken,
  keepAudit,
  keepFailover,
  keepMember,
  keepRevision,
  keepSettled,
  rememberFact,
  revokeToken,
} from './records.ts'
import type { SnapshotHead, SnapshotPage, Value } from './snapshot-pages.ts'
import type { Tables } from './tables.ts'
import { keepSession, keepUser } from './users.ts'

type Fields = readonly Value[]

const textAt = (row: Fields, n: number): string => {
  const value = row[n]
  if (typeof value !== 'string') throw malformed()
  return value
}
const numberAt = (row: Fields, n: number): number => {
  const value = row[n]
  if (typeof value !== 'number') throw malformed()
  return value
}
const orNull = (row: Fields, n: number): string | null => (row[n] == null ? null : textAt(row, n))
const malformed = (): CodedError => new CodedError('log-malformed', 'a page of a snapshot cannot be read')

export class SnapshotTaker {
  readonly #tables: Tables
  readonly #logs: Logs
  readonly #log: Log
  #head: SnapshotHead | undefined
  #positions = new Map<string, number>()
  /** Messages of which the view knows that another one with their key stands. */
  readonly #superseded = new Set<string>()

  constructor(tables: Tables, logs: Logs, log: Log) {
    this.#tables = tables
    this.#logs = logs
    this.#log = log
  }

  complete(): boolean {
    return this.#tables.get("SELECT 1 FROM state WHERE name = 'incomplete'") === undefined
  }

  begin(): void {
    this.#head = undefined
    this.#superseded.clear()
    this.#tables.run("INSERT OR REPLACE INTO state (name, value) VALUES ('incomplete', '1')")
  }

  /** @throws CodedError `log-malformed` */
  add(text: string): void {
    let page: SnapshotPage
    try {
      page = JSON.parse(text)
    } catch {
      throw malformed()
    }
    if ('head' in page) {
      this.#head = page.head
      this.#positions = new Map(
        page.head.positions.map(({ incarnation, sequence }) => [incarnation, sequence]),
      )
      this.#log.seen(page.head.term, page.head.clock)
      return
    }
    if (!this.#head) throw malformed()
    const groups = new Set<string>()
    for (const row of page.rows) this.#row(page.kind, row, groups)
    for (const group of groups) regroup(this.#tables, group)
  }

  finish(positions: readonly LogPosition[]): void {
    for (const position of positions) {
      if (position.incarnation !== this.#log.own.incarnation) this.#logs.skipTo(position, this.#log.clock)
    }
    this.#log.remember()
    this.#tables.run("DELETE FROM state WHERE name = 'incomplete'")
    this.#head = undefined
  }

  abandon(): void {
    this.#head = undefined
  }

  #row(kind: string, row: Fields, groups: Set<string>): void {
    const tables = this.#tables
    switch (kind) {
      case 'revoked':
        revokeToken(tables, textAt(row, 0))
        break
      case 'token':
        if (!tables.get('SELECT 1 FROM tokens WHERE id = ?', textAt(row, 0))) {
          createToken(tables, textAt(row, 0), textAt(row, 1))
        }
        break
      case 'user':
        keepUser(tables, textAt(row, 0), orNull(row, 2), textAt(row, 1))
        break
      case 'session':
        keepSession(tables, textAt(row, 0), numberAt(row, 1), orNull(row, 2))
        break
      case 'fact':
        rememberFact(tables, textAt(row, 0), textAt(row, 1), orNull(row, 2))
        break
      case 'member':
        keepMember(tables, textAt(row, 0), orNull(row, 2), textAt(row, 1))
        break
      case 'revision':
        keepRevision(tables, textAt(row, 0), textAt(row, 1), textAt(row, 2))
        break
      case 'settled':
        keepSettled(tables, textAt(row, 0), textAt(row, 1))
        break
      case 'audit': {
        const record: AuditRecord = JSON.parse(textAt(row, 1))
        keepAudit(tables, textAt(row, 0), record)
        break
      }
      case 'failover':
        keepFailover(tables, numberAt(row, 0), textAt(row, 1), textAt(row, 2))
        break
      case 'span':
        tables.run(
          'INSERT OR IGNORE INTO spans (ordering, at, operation) VALUES (?, ?, ?)',
          textAt(row, 0),
          numberAt(row, 1),
          textAt(row, 2),
        )
        break
      case 'message':
        this.#message(row)
        break
      case 'delivery':
        this.#delivery(numberAt(row, 0), JSON.parse(textAt(row, 1)))
        break
      case 'pending':
        this.#pending(textAt(row, 0), JSON.parse(textAt(row, 1)))
        break
      case 'partial':
        tables.run(
          'INSERT OR IGNORE INTO partials (entry, ordering, at) VALUES (?, ?, ?)',
          textAt(row, 0),
          textAt(row, 1),
          numberAt(row, 2),
        )
        break
      case 'inbound':
        this.#inbound(row, groups)
        break
      case 'inbox':
        this.#inbox(JSON.parse(textAt(row, 0)))
        break
      case 'total':
        this.#total(row)
        break
      default:
        break
    }
  }

  #message(row: Fields): void {
    const tables = this.#tables
    const id = textAt(row, 0)
    const count = numberAt(row, 1)
    const at = numberAt(row, 2)
    const [key, bodyHash] = [orNull(row, 3), orNull(row, 4)]
    const order = readOrder(textAt(row, 5))
    if (row[8] === 1) this.#superseded.add(id)
    restoreArchived(tables, id)
    const known = placeOf(tables, id)
    if (known) {
      if (row[8] === 1) tables.run('UPDATE messages SET superseded = 1 WHERE position = ?', known.position)
      return
    }
    const twins = key === null || bodyHash === null ? [] : twinsOf(tables, id, at, key, bodyHash)
    const beaten = twins.some((twin) => twin.order === undefined || compareOrders(twin.order, order) < 0)
    tables.run(
      `INSERT INTO messages (position, id, count, at, key, body_hash, ordering, incarnation, sequence, superseded, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      tables.nextPosition,
      id,
      count,
      at,
      key,
      bodyHash,
      orderText(order),
      row[6] == null ? null : this.#logs.idOf(order.origin, textAt(row, 6), order.clock),
      row[7] == null ? null : numberAt(row, 7),
      row[8] === 1 || beaten ? 1 : null,
      textAt(row, 9),
    )
    tables.nextPosition += Math.max(count, 1)
    for (const twin of twins) {
      if (twin.order && compareOrders(twin.order, order) > 0) supersedeTwin(tables, this.#logs, twin.id, at)
    }
  }

  #delivery(changed: number, brought: Delivery): void {
    const tables = this.#tables
    const position = positionOf(tables, brought.id)
    if (position === undefined) return
    const { accepted, superseded } = originOf(tables, this.#logs, position)
    const before = held(tables, brought.id)
    const { delivery, places } = this.#onto(
      superseded && !this.#superseded.has(brought.message) ? supersede(brought) : brought,
      before,
    )
    const history = [REPLACED, ...places.map((place) => place.toString(36))].join(' ')
    if (before) storeDelivery(tables, before, delivery, changed, history)
    else {
      insertDelivery(tables, position, delivery, accepted.at, history)
      tables.run('UPDATE deliveries SET changed = max(changed, ?) WHERE position = ?', changed, position)
      followNew(tables, position, delivery)
    }
  }

  /** The delivery as it was brought, with what is known here beyond the snapshot on top. */
  #onto(brought: Delivery, before: Held | undefined): { delivery: Delivery; places: number[] } {
    const beyond: Placed[] = []
    let missing = false
    for (const place of before ? placesOf(before.history) : []) {
      const log = this.#logs.at(place)
      if (!log || place % SEQUENCES <= (this.#positions.get(log.incarnation) ?? 0)) continue
      const step = stepAt(this.#tables, this.#logs, place, brought.id)
      if (step) beyond.push({ step, place })
      else missing = true
    }
    beyond.sort((a, b) => compareOrders(a.step.order, b.step.order))
    let delivery = brought
    for (const { step } of beyond) {
      delivery = take(delivery, step) ?? delivery
      if (!delivery.latest || compareOrders(step.order, delivery.latest) > 0) {
        delivery = { ...delivery, latest: step.order }
      }
    }
    if (missing) delivery = { ...delivery, possibleDuplicate: true }
    return { delivery, places: beyond.map(({ place }) => place ?? 0) }
  }

  #pending(delivery: string, step: Step): void {
    if (positionOf(this.#tables, delivery) !== undefined) return
    this.#tables.run(
      'INSERT OR IGNORE INTO pending (delivery, ordering, place, at, step) VALUES (?, ?, NULL, ?, ?)',
      delivery,
      orderText(step.order),
      step.at,
      JSON.stringify(step),
    )
  }

  #inbound(row: Fields, groups: Set<string>): void {
    const tables = this.#tables
    const part: InboundPart = JSON.parse(textAt(row, 2))
    if (tables.get('SELECT 1 FROM inbound WHERE fingerprint = ?', part.fingerprint)) return
    const group = groupOf(part)
    tables.run(
      'INSERT INTO inbound (fingerprint, parts_of, entry, at, ordering, document) VALUES (?, ?, ?, ?, ?, ?)',
      part.fingerprint,
      group,
      textAt(row, 0),
      part.at,
      orNull(row, 1),
      textAt(row, 2),
    )
    groups.add(group)
  }

  /** Entries whose parts are not kept any more. */
  #inbox(entry: InboxEntry): void {
    this.#tables.run(
      'INSERT OR IGNORE INTO inbox (id, at, revision, document) VALUES (?, ?, ?, ?)',
      entry.id,
      entry.at,
      entry.revision,
      JSON.stringify(entry),
    )
  }

  /** Counters only grow, but for the rare correction: the higher one knows more. */
  #total(row: Fields): void {
    const columns = ['sent', 'delivered', 'failed', 'unknown', 'received']
    const line = this.#tables.line(textAt(row, 0), textAt(row, 1))
    this.#tables.run(
      `INSERT INTO totals (hour, line, ${columns.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (hour, line) DO UPDATE SET ${columns.map((c) => `${c} = max(${c}, excluded.${c})`).join(', ')}`,
      numberAt(row, 2),
      line,
      ...columns.map((_, n) => numberAt(row, 3 + n)),
    )
  }
}

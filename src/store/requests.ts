/** Answers one request inside the worker, within the transaction of its batch. Answers are JSON texts. */
import { CodedError, unreachable } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import { unpack } from '#messages/packing.ts'
import { incarnationsOwned } from './apply.ts'
import { KEY_MS, Sweeper } from './archive.ts'
import type { Acceptance, AcceptResult, Change, LogBatch, Merged, MergeResult } from './contract.ts'
import { positionOf } from './deliveries.ts'
import { documentsInUse, documentsNeeded } from './document-queries.ts'
import { waitingEntries } from './inbound.ts'
import { messages, spanOf, stateCounts } from './listing.ts'
import { entries, Log, read } from './log.ts'
import { Logs } from './logs.ts'
import { merge, noChange } from './merge.ts'
import type { Method, Methods, Request } from './protocol.ts'
import {
  callbacks,
  inbox,
  inboxEntry,
  inboxFacts,
  keyed,
  matchReport,
  message,
  received,
  tokens,
} from './queries.ts'
import { claim, depth, hold, overdue, release, submitting, unhold } from './queue.ts'
import { audit, facts, failover, members, newestFailover, revisions, settledConflicts } from './records.ts'
import { countHeldBack, heldBack, readRestored, releaseRestored } from './restored.ts'
import type { Views } from './snapshot-read.ts'
import { SnapshotTaker } from './snapshot-write.ts'
import type { Tables } from './tables.ts'
import { totalsSince } from './totals.ts'
import { sessions, users } from './users.ts'

export class Requests {
  readonly log: Log
  readonly taker: SnapshotTaker
  readonly #tables: Tables
  readonly #logs: Logs
  readonly #views: Views
  readonly #sweeper: Sweeper
  readonly #room: () => boolean
  readonly #reserve: (bytes: number) => void
  #merged: Merged | undefined
  #held: number | undefined

  /**
   * @param room whether the disk has room for more than what was accepted already
   * @param reserve told how much of it is to stay free from now on
   */
  constructor(
    tables: Tables,
    node: string,
    views: Views,
    room: () => boolean,
    reserve: (bytes: number) => void = () => {},
  ) {
    this.#tables = tables
    this.#logs = new Logs(tables, node)
    this.log = new Log(tables, this.#logs, node, room)
    this.taker = new SnapshotTaker(tables, this.#logs, this.log)
    this.#views = views
    this.#sweeper = new Sweeper(tables)
    this.#room = room
    this.#reserve = reserve
  }

  /** What is kept in memory is read anew: a transaction was rolled back. */
  reload(): void {
    this.#tables.reload()
    this.#logs.reload()
    this.log.reload()
    this.#merged = undefined
    this.#held = undefined
  }

  /** What other members' entries changed since the last call. */
  takeMerged(): Merged | undefined {
    const merged = this.#merged
    this.#merged = undefined
    return merged
  }

  /** @returns the result as JSON */
  answer(request: Request): string {
    const tables = this.#tables
    switch (request.method) {
      case 'setReserve':
        this.#reserve(request.args[0])
        return 'null'
      case 'accept': {
        const [batch, claimTerm] = request.args
        if (!this.#room()) return json(batch.map((): AcceptResult => ({ result: 'full' })))
        return `[${batch.map((acceptance) => this.#accept(unpack(acceptance), claimTerm)).join(',')}]`
      }
      case 'claim':
        this.log.observe(request.args[0].term)
        return claim(tables, request.args[0], this.#heldBelow())
      case 'restored':
        return json({ state: readRestored(tables) ?? null, deliveries: countHeldBack(tables) })
      case 'heldBack':
        return json<'heldBack'>(heldBack(tables, ...request.args))
      case 'releaseRestored':
        releaseRestored(tables, ...request.args)
        this.#held = undefined
        return 'null'
      case 'release':
        release(tables, request.args[0])
        return 'null'
      case 'record':
        return json(request.args[0].map((change) => this.#record(change)))
      case 'submitting':
        return submitting(tables)
      case 'overdue':
        return overdue(tables, ...request.args)
      case 'message':
        return message(tables, ...request.args)
      case 'messages':
        return messages(tables, ...request.args)
      case 'spanOf': {
        const [since, until] = request.args
        return json<'spanOf'>(spanOf(tables, since ?? undefined, until ?? undefined))
      }
      case 'stateCounts':
        return json<'stateCounts'>(stateCounts(tables))
      case 'depth':
        return json<'depth'>(depth(tables))
      case 'totals':
        return json<'totals'>(totalsSince(tables, ...request.args))
      case 'matchReport':
        return json<'matchReport'>(matchReport(tables, ...request.args))
      case 'receive': {
        const [part] = request.args
        return json<'receive'>(this.log.write({ op: 'inbound', part }, part.at).entry ?? null)
      }
      case 'completePartials': {
        const [olderThan, now] = request.args
        return json<'completePartials'>(
          waitingEntries(tables, olderThan).flatMap(
            (group) => this.log.write({ op: 'inboundPartial', group }, now).entry ?? [],
          ),
        )
      }
      case 'inbox':
        return inbox(tables, ...request.args)
      case 'inboxEntry':
        return inboxEntry(tables, ...request.args)
      case 'received':
        return json<'received'>(received(tables, ...request.args))
      case 'callbacks':
        return callbacks(tables, ...request.args)
      case 'inboxFacts':
        return inboxFacts(tables, ...request.args)
      case 'tokens':
        return json<'tokens'>(tokens(tables))
      case 'users':
        return json<'users'>(users(tables))
      case 'sessions':
        return json<'sessions'>(sessions(tables))
      case 'touch':
        for (const { id, at } of request.args[0]) {
          tables.run('UPDATE tokens SET last_used = ? WHERE id = ?', at, id)
        }
        return 'null'
      case 'recall': {
        const value = tables.get('SELECT value FROM facts WHERE name = ?', ...request.args)?.['value']
        return json(value ?? null)
      }
      case 'facts':
        return json<'facts'>(facts(tables, ...request.args))
      case 'operate':
        return json<'operate'>(this.log.write(...request.args).changed)
      case 'owned':
        return json<'owned'>(incarnationsOwned(tables, this.#logs, ...request.args))
      case 'documentsInUse':
        return json<'documentsInUse'>(documentsInUse(tables, ...request.args))
      case 'documentsNeeded':
        return json<'documentsNeeded'>(documentsNeeded(tables, ...request.args))
      case 'sweep':
        this.log.trim(request.args[0])
        return json<'sweep'>(this.#sweeper.sweep(...request.args))
      case 'entries':
        return json<'entries'>(entries(tables, this.#logs, ...request.args))
      default:
        return this.#replicate(request)
    }
  }

  /** Kept in memory: a claim is made all the time. */
  #heldBelow(): number {
    if (this.#held === undefined) {
      const state = readRestored(this.#tables)
      this.#held = state?.held === true ? state.before : 0
    }
    return this.#held
  }

  /** What the other members' logs are concerned with. */
  #replicate(request: Exclude<Request, { method: PlainMethod }>): string {
    const tables = this.#tables
    switch (request.method) {
      case 'listen':
        this.log.listen()
        return 'null'
      case 'positions':
        return json<'positions'>(this.#logs.positions())
      case 'read':
        return json<'read'>(read(tables, this.#logs, ...request.args))
      case 'merge':
        return json<'merge'>(this.#merge(request.args[0]))
      case 'openIncarnation':
        return json<'openIncarnation'>(this.log.open())
      case 'observe':
        this.log.observe(request.args[0])
        return 'null'
      case 'retain':
        this.log.retain(new Map(request.args[0]))
        return 'null'
      case 'snapshotOpen':
        return json<'snapshotOpen'>(this.#views.open({ term: this.log.term, clock: this.log.clock }))
      case 'snapshotPage':
        return json<'snapshotPage'>(this.#views.page(...request.args))
      case 'snapshotClose':
        this.#views.close(...request.args)
        return 'null'
      case 'loadBegin':
        this.taker.begin()
        return 'null'
      case 'loadPage':
        this.taker.add(...request.args)
        return 'null'
      case 'loadFinish':
        this.taker.finish(...request.args)
        this.#merged = {
          queue: true,
          tokens: true,
          users: true,
          members: true,
          revisions: true,
          inbox: true,
          facts: true,
          audit: true,
          failover: [],
        }
        return 'null'
      case 'loadAbandon':
        this.taker.abandon()
        return 'null'
      case 'members':
        return json<'members'>(members(tables))
      case 'revisions':
        return json<'revisions'>(revisions(tables))
      case 'settledConflicts':
        return json<'settledConflicts'>(settledConflicts(tables))
      case 'audit':
        return json<'audit'>(audit(tables, ...request.args))
      case 'failover':
        return json<'failover'>(failover(tables, ...request.args))
      case 'newestFailover':
        return json<'newestFailover'>(newestFailover(tables, ...request.args) ?? null)
      default:
        return unreachable(request)
    }
  }

  #merge(batch: LogBatch): MergeResult {
    const merged = this.#merged ?? noChange()
    const result = merge(this.#tables, this.#logs, this.log, batch, merged)
    const { failover, ...changed } = merged
    if (Object.values(changed).includes(true) || failover.length > 0) this.#merged = merged
    return result
  }

  /** @returns an AcceptResult as JSON */
  #accept(acceptance: Acceptance, claimTerm: Term | null): string {
    const tables = this.#tables
    const { message: asked, deliveries, key } = acceptance
    const known = key && keyed(tables, key.key, asked.at - KEY_MS)
    if (known && known.bodyHash !== key.bodyHash) return json({ result: 'conflict' })
    if (known) return `{"result":"replayed","message":${message(tables, known.id)}}`
    const position = tables.nextPosition
    if (!this.log.write({ op: 'accept', ...acceptance }, asked.at).changed) {
      throw new CodedError('message-known', `message ${asked.id} was accepted before`)
    }
    if (claimTerm) {
      this.log.observe(claimTerm)
      for (let n = 0; n < deliveries.length; n++) hold(tables, position + n)
    }
    return '{"result":"accepted"}'
  }

  #record({ delivery, event, at }: Change): boolean {
    const { changed } = this.log.write({ op: 'delivery', delivery, event }, at)
    if (!changed) return false
    // A status report for a former attempt says nothing about who has the delivery in hand now.
    if (event.event !== 'intend' && event.event !== 'confirm' && event.event !== 'report') {
      const position = positionOf(this.#tables, delivery)
      if (position !== undefined) unhold(this.#tables, position)
    }
    return true
  }
}

type PlainMethod = Exclude<Method, ReplicationMethod>
type ReplicationMethod =
  | 'listen'
  | 'positions'
  | 'read'
  | 'merge'
  | 'openIncarnation'
  | 'observe'
  | 'retain'
  | 'snapshotOpen'
  | 'snapshotPage'
  | 'snapshotClose'
  | 'loadBegin'
  | 'loadPage'
  | 'loadFinish'
  | 'loadAbandon'
  | 'members'
  | 'revisions'
  | 'settledConflicts'
  | 'audit'
  | 'failover'
  | 'newestFailover'

/** Types the value as the answer to a method, where one is named. */
function json<M extends keyof Methods | 'any' = 'any'>(
  value: M extends keyof Methods ? ReturnType<Methods[M]> : unknown,
): string {
  return JSON.stringify(value)
}

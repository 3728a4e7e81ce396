/** Answers one request inside the worker, within the transaction of its batch. Answers are JSON texts. */
import { CodedError, unreachable } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import { positionOf } from './apply.ts'
import { KEY_MS, Sweeper } from './archive.ts'
import type { Acceptance, AcceptResult, Change } from './contract.ts'
import { waitingEntries } from './inbound.ts'
import { entries, Log } from './log.ts'
import type { Methods, Request } from './protocol.ts'
import { inbox, keyed, matchReport, message, messages, tokens } from './queries.ts'
import { claim, depth, hold, overdue, release, submitting, unhold } from './queue.ts'
import type { Tables } from './tables.ts'
import { totalsSince } from './totals.ts'

export class Requests {
  readonly log: Log
  readonly #tables: Tables
  readonly #sweeper: Sweeper
  readonly #room: () => boolean

  /** @param room whether the disk has room for more than what was accepted already */
  constructor(tables: Tables, node: string, room: () => boolean) {
    this.#tables = tables
    this.log = new Log(tables, node)
    this.#sweeper = new Sweeper(tables)
    this.#room = room
  }

  /** @returns the result as JSON */
  answer(request: Request): string {
    const tables = this.#tables
    switch (request.method) {
      case 'accept': {
        const [batch, claimTerm] = request.args
        if (!this.#room()) return json(batch.map((): AcceptResult => ({ result: 'full' })))
        return `[${batch.map((acceptance) => this.#accept(acceptance, claimTerm)).join(',')}]`
      }
      case 'claim':
        this.log.observe(request.args[0].term)
        return claim(tables, request.args[0])
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
      case 'tokens':
        return json<'tokens'>(tokens(tables))
      case 'touch':
        for (const { id, at } of request.args[0]) {
          tables.run('UPDATE tokens SET last_used = ? WHERE id = ?', at, id)
        }
        return 'null'
      case 'recall': {
        const value = tables.get('SELECT value FROM facts WHERE name = ?', ...request.args)?.['value']
        return json(value ?? null)
      }
      case 'operate':
        return json<'operate'>(this.log.write(...request.args).changed)
      case 'sweep':
        this.log.trim(request.args[0])
        return json<'sweep'>(this.#sweeper.sweep(...request.args))
      case 'entries':
        return json<'entries'>(entries(tables, ...request.args))
      default:
        return unreachable(request)
    }
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

/** Types the value as the answer to a method, where one is named. */
function json<M extends keyof Methods | 'any' = 'any'>(
  value: M extends keyof Methods ? ReturnType<Methods[M]> : unknown,
): string {
  return JSON.stringify(value)
}

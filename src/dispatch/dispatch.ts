/**
 * Dispatch as the ways in see it: acceptance, cancelling and asking again, over the delivery loop and the store.
 */
import type { Config } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { assert } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Line } from '#lines/contract.ts'
import { type DeliveryEvent, mayHappen, type Reason } from '#messages/states.ts'
import type { Change, MessageView, Store } from '#store/contract.ts'
import { type AcceptanceRules, draft } from './accept.ts'
import { reasons } from './attempt.ts'
import type { ActionResult, Dispatch, SubmitRequest, SubmitResult } from './contract.ts'
import { Loop } from './loop.ts'
import type { Ownership } from './ownership.ts'
import { createRouter } from './routing.ts'

export interface DispatchDependencies {
  config: Pick<Config, 'node' | 'lines' | 'routes' | 'validity'>
  store: Store
  clock: Clock
  log: Log
  ownership: Ownership
  lines: readonly Line[]
}

export interface RunningDispatch extends Dispatch {
  readonly loop: Loop
}

export function createDispatch(deps: DispatchDependencies): RunningDispatch {
  const { config, store, clock, log, ownership, lines } = deps
  const router = createRouter(config.lines, config.routes)
  const rules: AcceptanceRules = { clock, router, lines: config.lines, validity: config.validity }
  const byId = new Map(config.lines.map((line) => [line.id, line]))
  const loop = new Loop({
    node: config.node,
    store,
    clock,
    log,
    ownership,
    router,
    lines: lines.map((line) => {
      const lineConfig = byId.get(line.id)
      assert(lineConfig, `line ${line.id} has no configuration`)
      return { line, config: lineConfig }
    }),
  })

  return {
    loop,
    lines: () => lines,
    submit,
    cancel: (id) =>
      act(id, 'cancel', reasons.cancelled, async (view) => {
        const open = view.deliveries.filter(({ state }) => mayHappen(state, 'cancel'))
        const tooLate = await loop.cancel(open, reasons.cancelled)
        return open.length > tooLate.length
      }),
    retry: (id) =>
      act(id, 'retry', retried, async (view) => {
        const at = clock.now()
        const event: DeliveryEvent = {
          event: 'retry',
          reason: retried,
          due: at,
          expires: at + view.message.validity,
        }
        const changes: Change[] = view.deliveries
          .filter(({ state }) => retriable.has(state))
          .map(({ id: delivery }) => ({ delivery, event, at }))
        const applied = await store.record(changes)
        loop.wake()
        return applied.includes(true)
      }),
  }

  async function submit(request: SubmitRequest): Promise<SubmitResult> {
    const made = draft(request, rules)
    if (made.result === 'invalid') return made
    const { message, deliveries } = made
    const claim = loop.claimFor(message.priority, deliveries.length)
    const acceptance = request.key ? { message, deliveries, key: request.key } : { message, deliveries }
    const [result] = await store.accept([acceptance], claim)
    switch (result?.result) {
      case 'accepted':
        loop.offer(message, deliveries, claim !== undefined)
        // An appliance without a pair has one disk, and says so.
        return { result: 'accepted', view: { message, deliveries }, replicated: false, replayed: false }
      case 'replayed':
        return { result: 'accepted', view: result.message, replicated: false, replayed: true }
      case 'conflict':
        return { result: 'conflict' }
      default:
        return { result: 'full' }
    }
  }

  async function act(
    id: string,
    what: 'cancel' | 'retry',
    reason: Reason,
    perform: (view: MessageView) => Promise<boolean>,
  ): Promise<ActionResult> {
    const before = await store.message(id)
    if (!before) return { result: 'notFound' }
    const done = await perform(before)
    const view = (await store.message(id)) ?? before
    if (done) {
      log.info({ message: id, what }, reason.text)
      return { result: 'done', view }
    }
    return { result: 'tooLate', reason: tooLate[what], view }
  }
}

const retried: Reason = { code: 'retried', text: 'Queued again on request.' }
const retriable: ReadonlySet<string> = new Set(['failed', 'expired', 'cancelled', 'unknown'])
const tooLate: Record<'cancel' | 'retry', Reason> = {
  cancel: {
    code: 'too-late',
    text: 'Nothing is left to cancel: each delivery has ended or may have been transmitted.',
  },
  retry: { code: 'nothing-to-retry', text: 'No delivery has failed, expired, been cancelled or is unknown.' },
}

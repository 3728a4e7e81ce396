/**
 * Dispatch as the ways in see it: acceptance, cancelling and asking again, over the delivery loop and the store.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Book } from '#config/contacts.ts'
import { preferredFor } from '#config/sources.ts'
import type { Config } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { assert, CodedError, errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Line, LineStatus } from '#lines/contract.ts'
import type { Channel, Delivery, Message } from '#messages/message.ts'
import { type DeliveryEvent, mayHappen, type Reason } from '#messages/states.ts'
import { type Change, type MessageView, type OperationLog, SHOWN, type Store } from '#store/contract.ts'
import { type AcceptanceRules, type Draft, draft, withoutLine } from './accept.ts'
import { reasons } from './attempt.ts'
import type { ActionResult, Dispatch, MoveResult, SubmitRequest, SubmitResult } from './contract.ts'
import { canSend } from './handing.ts'
import { Held } from './held.ts'
import { Loop } from './loop.ts'
import type { MemberLines } from './member-lines.ts'
import { Mutes } from './mutes.ts'
import type { Ownership, Replicas } from './ownership.ts'
import { createDirectory, type Directory } from './recipients.ts'
import { createRouter } from './routing.ts'
import type { StopList } from './stop-list.ts'
import { StormGuard, type StormView } from './storm-guard.ts'
import { tiersVia } from './via.ts'
import { type WaitingLine, waitsFor } from './waiting.ts'

export interface DispatchDependencies {
  config: Pick<
    Config,
    'node' | 'lines' | 'routes' | 'validity' | 'pair' | 'contacts' | 'groups' | 'storm' | 'sources'
  >
  store: Store & Pick<OperationLog, 'logged' | 'operate'>
  clock: Clock
  log: Log
  ownership: Ownership
  replicas: Replicas
  lines: readonly Line[]
  /** Another member removed this one from the pair: nobody would send what it takes. */
  removed?(): boolean
  /** What the lines of other members send beyond SMS; absent: nothing. */
  memberLines?: Pick<MemberLines, 'serve'>
  /** Whether other members have a document on their disks; absent: it is not asked. */
  documents?: { elsewhere(hash: string): boolean }
  /** Who wants no messages; absent: everybody wants them. */
  stops?: Pick<StopList, 'has'>
}

export interface RunningDispatch extends Dispatch {
  readonly loop: Loop
  /** What submit() would make of a request, and nothing is stored: for a client that names its recipients first. */
  check(request: SubmitRequest): Draft
  /** Why nothing goes out on a channel, before anything else is known of a message; undefined where something does. */
  withoutLine(channel: Channel): Extract<SubmitResult, { result: 'invalid' }> | undefined
  /** The replicated settings changed. */
  configure(
    settings: Pick<Config, 'routes' | 'validity' | 'contacts' | 'groups' | 'storm' | 'sources'>,
  ): Promise<void>
  /** Contacts and groups as they are now. */
  directory(): Directory
  storm(): StormView
  /** Ends the loop and what goes by time. */
  stop(): Promise<void>
}

export function createDispatch(deps: DispatchDependencies): RunningDispatch {
  const { config, store, clock, log, ownership, replicas, lines } = deps
  const router = createRouter(config.lines, config.routes)
  let { sources } = config
  const rules: AcceptanceRules = {
    node: config.node,
    clock,
    router,
    directory: createDirectory(config),
    lines: config.lines,
    validity: config.validity,
    paired: config.pair !== undefined,
    elsewhere: (channel) =>
      channel === 'sms' ? config.pair !== undefined : deps.memberLines?.serve(channel) === true,
    owned: config.pair?.mode === 'active-active',
    preferred(source) {
      const node = preferredFor(sources, source)
      return ownership.takers().some((member) => member.node === node && canSend(member)) ? node : undefined
    },
    stopped: (number) => deps.stops?.has(number) === true,
  }
  let book: Book = config
  let known = config.routes
  const waitMs = config.pair?.accept.wait ?? 0
  const refusesOneDisk = config.pair?.accept.oneDisk === 'refuse'
  const held = new Held(config.node, replicas)
  const byId = new Map(config.lines.map((line) => [line.id, line]))
  const guard = new StormGuard(
    { node: config.node, store, clock, log, submit: (request) => submit(request) },
    config.storm,
    rules.directory,
  )
  const loop = new Loop({
    node: config.node,
    store,
    clock,
    log,
    ownership,
    replicas,
    router,
    guard,
    lines: lines.map((line) => {
      const lineConfig = byId.get(line.id)
      assert(lineConfig, `line ${line.id} has no configuration`)
      return { line, config: lineConfig.kind === 'gsm' ? lineConfig : { reports: false } }
    }),
  })

  const mutes = new Mutes({
    node: config.node,
    store,
    clock,
    log,
    changed: (line, muted) => loop.setMuted(line, muted),
  })
  // The store answers in order: this comes before anything that the loop asks, and so before anything is sent.
  mutes
    .load(lines.map(({ id }) => id))
    .catch((error: unknown) => log.error({ error: errorText(error) }, 'mutes could not be read'))

  return {
    loop,
    lines: () => lines,
    submit,
    check: (request) => draft(request, rules),
    withoutLine: (channel) => withoutLine(channel, rules),
    replicated: isElsewhere,
    directory: () => rules.directory,
    storm: () => guard.view(),
    async configure({ routes, validity, contacts, groups, storm, sources: now }) {
      sources = now
      rules.validity = validity
      if (contacts !== book.contacts || groups !== book.groups) {
        book = { contacts, groups }
        rules.directory = createDirectory(book)
      }
      if (guard.configure(storm, rules.directory)) await loop.guardAnew()
      if (isDeepStrictEqual(routes, known)) return
      known = routes
      rules.router = createRouter(config.lines, routes)
      await loop.reroute(rules.router)
    },
    lineStatus,
    waiting,
    mute: (line, until) => mutes.mute(line, until),
    unmute: (line) => mutes.unmute(line),
    move,
    async stop() {
      mutes.stop()
      await loop.stop()
    },
    cancel: (id) =>
      act(id, 'cancel', reasons.cancelled, async (view) => {
        const open = view.deliveries.filter(({ state }) => mayHappen(state, 'cancel'))
        const tooLate = await loop.cancel(open, reasons.cancelled)
        return open.length > tooLate.length
      }),
    retry,
  }

  function lineStatus(): LineStatus[] {
    return lines.map((line) => {
      const muted = mutes.until(line.id)
      return { ...line.status(), ...(muted === undefined ? {} : { muted }) }
    })
  }

  function waiting(deliveries: readonly Delivery[]): ReadonlyMap<string, WaitingLine[]> {
    // What another member sends waits for that one's lines.
    if (ownership.stop() !== undefined) return new Map()
    const status = new Map(lineStatus().map((line) => [line.id, line]))
    const now = clock.now()
    return new Map(
      deliveries
        .filter(({ owner = config.node }) => owner === config.node)
        .map((delivery) => {
          const tiers = tiersVia(delivery, config.node, rules.router.tiers(delivery.channel, delivery.to))
          const may = (line: string): boolean => guard.lineMay(line, delivery.priority)
          return [delivery.id, waitsFor(delivery, tiers, status, may, now)]
        }),
    )
  }

  async function move(id: string, to: string): Promise<MoveResult> {
    const line = lines.find((one) => one.id === to)
    const view = await store.message(id)
    if (!view) return { result: 'notFound' }
    const channel = view.deliveries[0]?.channel
    if (line === undefined || line.channel !== channel) {
      const allowed = lines.filter((one) => one.channel === channel).map((one) => one.id)
      return { result: 'noLine', allowed }
    }
    const reason = { code: 'moved', text: `Given to line ${to} on request.` }
    const event = { event: 'move', node: config.node, line: to, due: clock.now(), reason } as const
    return act(id, 'move', reason, ({ deliveries }) =>
      loop.move(
        // What another member is to send goes over that one's lines.
        deliveries.filter(
          ({ state, owner = config.node }) => mayHappen(state, 'move') && owner === config.node,
        ),
        event,
      ),
    )
  }

  function retry(id: string): Promise<ActionResult> {
    return act(id, 'retry', retried, async (view) => {
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
    })
  }

  function documentElsewhere({ document }: Message): boolean {
    return document === undefined || deps.documents?.elsewhere(document.hash) === true
  }

  function isElsewhere(message: Message): boolean {
    return held.elsewhere(message) && documentElsewhere(message)
  }

  async function submit(request: SubmitRequest): Promise<SubmitResult> {
    if (deps.removed?.())
      throw new CodedError(
        'removed-from-pair',
        'this appliance was removed from its pair and takes no messages',
      )
    const made = draft(request, rules)
    if (made.result === 'invalid') return made
    const { message, deliveries } = made
    if (refusesOneDisk && !(replicas.available() && documentElsewhere(message))) return { result: 'oneDisk' }
    // Where one disk is not enough, nothing is transmitted before the second one has it.
    // What another member is to send, and what has ended already, is not for this one's lines.
    const notOurs = deliveries.some(
      ({ state, owner = config.node }) => state !== 'queued' || owner !== config.node,
    )
    const claim = refusesOneDisk || notOurs ? undefined : loop.claimFor(message.priority, deliveries.length)
    const acceptance = request.key ? { message, deliveries, key: request.key } : { message, deliveries }
    const [result] = await store.accept([acceptance], claim)
    switch (result?.result) {
      case 'accepted': {
        if (!refusesOneDisk) loop.offer(message, deliveries, claim !== undefined)
        const position = store.logged()
        const replicated = (await replicas.acknowledged(position, waitMs)) && documentElsewhere(message)
        if (!replicated) held.onlyHere(message.id)
        if (refusesOneDisk && !replicated) {
          await loop.cancel(deliveries, oneDisk)
          return { result: 'oneDisk' }
        }
        if (refusesOneDisk) loop.wake()
        return { result: 'accepted', view: firstOf(message, deliveries), replicated, replayed: false }
      }
      case 'replayed': {
        const { message: known, deliveries: before } = result.message
        const refused = before.some(
          ({ state, reason }) => state === 'cancelled' && reason?.code === oneDisk.code,
        )
        const replicated =
          isElsewhere(known) ||
          (refused && documentElsewhere(known) && (await replicas.acknowledged(store.logged(), waitMs)))
        if (!refused) return { result: 'accepted', view: result.message, replicated, replayed: true }
        // Its client was told that it is not sent, and asks again.
        if (!replicated) return { result: 'oneDisk' }
        const again = await retry(known.id)
        const view = again.result === 'notFound' ? result.message : again.view
        return { result: 'accepted', view, replicated, replayed: true }
      }
      case 'conflict':
        return { result: 'conflict' }
      default:
        return { result: 'full' }
    }
  }

  async function act(
    id: string,
    what: keyof typeof tooLate,
    reason: Reason,
    perform: (view: MessageView) => Promise<boolean>,
  ): Promise<ActionResult> {
    const before = await store.message(id)
    if (!before) return { result: 'notFound' }
    let done = await perform(before)
    for (let from = before.deliveries.length; from < (before.count ?? 0); from += SHOWN) {
      const more = await store.message(id, from)
      if (more && (await perform(more))) done = true
    }
    const view = (await store.message(id)) ?? before
    if (done) {
      log.info({ message: id, what }, reason.text)
      return { result: 'done', view }
    }
    return { result: 'tooLate', reason: tooLate[what], view }
  }
}

/** As the store shows a message: a job of thousands is not written out in one answer. */
function firstOf(message: Message, deliveries: Delivery[]): MessageView {
  const count = deliveries.length
  return count > SHOWN ? { message, deliveries: deliveries.slice(0, SHOWN), count } : { message, deliveries }
}

const oneDisk: Reason = {
  code: 'one-disk',
  text: 'No other member had it on disk in time, and one disk is not enough here; the client was told so.',
}
const retried: Reason = { code: 'retried', text: 'Queued again on request.' }
const retriable: ReadonlySet<string> = new Set(['failed', 'expired', 'cancelled', 'unknown'])
const tooLate: Record<'cancel' | 'retry' | 'move', Reason> = {
  cancel: {
    code: 'too-late',
    text: 'Nothing is left to cancel: each delivery has ended or may have been transmitted.',
  },
  retry: { code: 'nothing-to-retry', text: 'No delivery has failed, expired, been cancelled or is unknown.' },
  move: { code: 'nothing-to-move', text: 'No delivery is waiting to be sent.' },
}

/**
 * What is done about received messages: looks for those about which nothing is decided yet, keeps the decision, carries
 * it out in order, and keeps what became of it. Only the active member does; a member that takes over reads where the
 * other one was.
 *
 * The store is the queue: what is held here is a bounded beginning of what it holds open. Actions of one lane (a rule
 * and its target) happen one after the other; one that fails is tried again with growing pauses, holds up its lane
 * meanwhile, and is laid aside (`dead`) in the end.
 */
import type { InboundSettings } from '#config/inbound.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import type { InboxFacts, Store } from '#store/contract.ts'
import { Lanes, type Task } from './lanes.ts'
import { type Means, type Performed, perform } from './perform.ts'
import { containing, factName, type Plan, pauseAfter, readPlan } from './plan.ts'
import { planFor } from './rules.ts'

/** Messages with something open that are held here; the rest waits in the store. */
const MOST_HELD = 500
/** Senders whose replies are counted, before those that no longer count are strange. */
const MOST_SENDERS = 5_000
/** Between two looks that nobody asked for, ms. */
const LOOK_MS = 30_000
/** After the disk refused, ms. */
const AGAIN_MS = 5_000
/** Positions that are looked at once more: entries of another member may have been put together anew. */
const LOOK_BACK = 1_000
/** How long an action may take before it counts as failed, ms; every way out has a shorter deadline of its own. */
const ACTION_MS = 90_000
const GIVE_UP_MS = 86_400_000
const STOP_MS = 5_000
/** Messages that came before this appliance knew of actions get none. */
const SINCE = 'inbound-since'

export interface Actions {
  /** A message may have come, or the role changed. */
  wake(): void
  /** Reads a plan anew that was changed in the store, see dead.ts. */
  reload(entry: string): void
  /** Waits, bounded, for what is under way. */
  stop(): Promise<void>
}

export interface ActionsDependencies extends Omit<Means, 'store'> {
  store: Pick<Store, 'messages' | 'record' | 'inboxFacts' | 'remember' | 'recall'>
  log: Log
  settings(): InboundSettings
  /** Whether this member is the one that acts. */
  active(): boolean
}

interface Held {
  entry: InboxEntry
  plan: Plan
}

export function createActions(deps: ActionsDependencies): Actions {
  const { store, clock, log, audit, settings, active } = deps
  const held = new Map<string, Held>()
  /** What was done and the disk refused to keep: written first of all, since a restart would do it again. */
  const unwritten = new Map<string, Plan>()
  const replies = new Map<string, number[]>()
  const lanes = new Lanes(clock, run)
  /** Plans that cannot be read here, so that each is told once. */
  const strange = new Set<string>()
  let cursor = 0
  let fromStart = false
  let begun = false
  const startedAt = clock.now()
  let since = 0
  let stopping = false
  let looking: Promise<void> | undefined
  let lookAgain = false
  let again: NodeJS.Timeout | undefined
  const ticker = setInterval(wake, LOOK_MS)

  function wake(): void {
    if (stopping) return
    lookAgain = true
    looking ??= look().finally(() => {
      looking = undefined
      if (lookAgain) wake()
    })
  }

  async function look(): Promise<void> {
    lookAgain = false
    try {
      if (!active()) return rest()
      if (!begun) await begin()
      for (const [entry, plan] of unwritten) {
        await keep(entry, plan)
        unwritten.delete(entry)
      }
      cursor = fromStart ? 0 : Math.max(0, cursor - LOOK_BACK)
      fromStart = false
      while (held.size < MOST_HELD && active() && !stopping) {
        const slice = await store.inboxFacts({ after: cursor, containing: containing('open'), orNone: true })
        await take(slice.items)
        if (slice.next === undefined) break
        cursor = slice.next
      }
      lanes.pump()
    } catch (error) {
      // Replies were counted that may not come of it.
      begun = false
      log.error({ error: errorText(error) }, 'received messages could not be looked at; it is tried again')
      lookSoon()
    }
  }

  function lookSoon(): void {
    clearTimeout(again)
    again = setTimeout(wake, AGAIN_MS)
  }

  /** Another member acts now: what is held here would soon be outdated. */
  function rest(): void {
    begun = false
    cursor = 0
    held.clear()
    unwritten.clear()
    lanes.clear()
  }

  async function begin(): Promise<void> {
    const known = await store.recall(SINCE)
    since = known === undefined ? startedAt : Number(known)
    if (known === undefined) await store.remember(SINCE, String(since))
    replies.clear()
    let after: number | undefined = 0
    while (after !== undefined) {
      const slice = await store.inboxFacts({ after, containing: '"kind":"reply"', orNone: false })
      for (const { entry, fact } of slice.items) countReply(entry, readPlan(fact ?? ''))
      after = slice.next
    }
    begun = true
  }

  function countReply({ from }: InboxEntry, plan: Plan | undefined): void {
    const sent = plan?.actions.some((one) => one.kind === 'reply' && one.result?.code !== 'reply-withheld')
    if (!plan || !sent) return
    const now = clock.now()
    replies.set(from, [...recent(from, now), plan.at])
    if (replies.size <= MOST_SENDERS) return
    for (const sender of replies.keys()) if (recent(sender, now).length === 0) replies.delete(sender)
  }

  /** Replies to a sender that still count. */
  function recent(from: string, now: number): number[] {
    const { per } = settings().replies
    return (replies.get(from) ?? []).filter((at) => now - at < per)
  }

  /** Decisions of one look share one write; where it fails they are made anew. */
  async function take(items: InboxFacts['items']): Promise<void> {
    const found = items
      .filter(({ entry, fact }) => !held.has(entry.id) && (fact !== undefined || entry.at >= since))
      .map(({ entry, fact }) => ({ entry, fact, plan: fact === undefined ? decide(entry) : readPlan(fact) }))
    await Promise.all(
      found.map(({ entry, fact, plan }) => (fact === undefined && plan ? keep(entry.id, plan) : undefined)),
    )
    for (const { entry, plan } of found) {
      if (plan) hold(entry, plan)
      else if (!strange.has(entry.id) && strange.size < MOST_HELD) {
        strange.add(entry.id)
        log.warn({ entry: entry.id }, 'what another version decided is left to it')
      }
    }
  }

  function hold(entry: InboxEntry, plan: Plan): void {
    if (!plan.actions.some(({ state }) => state === 'open')) return
    held.set(entry.id, { entry, plan })
    for (const [n, action] of plan.actions.entries()) {
      if (action.state === 'open') lanes.add({ entry, n, action })
    }
  }

  function decide(entry: InboxEntry): Plan {
    const now = clock.now()
    const plan = planFor(entry, settings(), { repliesTo: (from) => recent(from, now).length }, now)
    countReply(entry, plan)
    return plan
  }

  const keep = (entry: string, plan: Plan): Promise<void> =>
    store.remember(factName(entry), JSON.stringify(plan))

  /** One attempt. */
  async function run(task: Task): Promise<void> {
    const { entry, n, action } = task
    const known = held.get(entry.id)
    if (known?.plan.actions[n] !== action || stopping || !active()) return
    const outcome = await inTime(perform(entry, n, action, deps))
    // Another member decides now: what was done here is done again there under the same id, and known by it.
    if (held.get(entry.id) !== known || !active()) return
    settle(task, outcome)
    try {
      await keep(entry.id, known.plan)
    } catch (error) {
      log.error({ entry: entry.id, error: errorText(error) }, 'what was done could not be written')
      unwritten.set(entry.id, known.plan)
      lookSoon()
    }
    if (known.plan.actions.every(({ state }) => state !== 'open')) held.delete(entry.id)
    if (held.size < MOST_HELD / 2) wake()
  }

  function settle({ entry, n, action }: Task, outcome: Performed): void {
    const { kind, rule } = action
    action.attempts += 1
    if (outcome.result === 'done') {
      action.state = 'done'
      delete action.result
      if (outcome.note) action.result = outcome.note
      log.info({ entry: entry.id, action: n, kind, rule }, 'a received message was acted upon')
      return
    }
    const now = clock.now()
    action.result = outcome.reason
    const over = now - action.since >= (deps.webhook?.retryFor ?? GIVE_UP_MS)
    if (outcome.permanent || over) {
      action.state = 'dead'
      audit.write(
        'inbound',
        'inbound-dead',
        `${kind} for inbox entry ${entry.id} was given up after ${action.attempts} attempts: ${outcome.reason.code}`,
      )
      return
    }
    action.due = now + pauseAfter(action.attempts)
    log.warn(
      { entry: entry.id, action: n, kind, rule, code: outcome.reason.code, attempts: action.attempts },
      'a received message could not be acted upon; it is tried again',
    )
  }

  wake()
  return {
    wake,
    reload(entry) {
      // Its lanes drop what they hold of it when its turn comes.
      held.delete(entry)
      fromStart = true
      wake()
    },
    async stop() {
      stopping = true
      clearInterval(ticker)
      clearTimeout(again)
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
      await Promise.race([Promise.all([looking, lanes.stop()]), deadline])
    },
  }
}

async function inTime(work: Promise<Performed>): Promise<Performed> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Performed>((resolve) => {
    const reason = { code: 'action-timeout', text: `It was not done within ${ACTION_MS / 1_000} s.` }
    timer = setTimeout(() => resolve({ result: 'failed', reason, permanent: false }), ACTION_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The order of actions: one lane for each rule and target, in each of which one thing happens at a time and nothing
 * overtakes. An action that is not finished stays at the head of its lane until it is due again.
 */
import type { Clock } from '#core/clock.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import { type Action, laneOf } from './plan.ts'

export interface Task {
  entry: InboxEntry
  /** The action's place in its plan. */
  n: number
  /** Changed in place by whoever carries it out. */
  action: Action
}

/** Actions under way at a time, over all lanes. */
const AT_ONCE = 8
/** The longest that a timer waits before it looks again, ms. */
const LONGEST_MS = 60_000

interface Lane {
  tasks: Task[]
  busy: boolean
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  readonly #clock: Clock
  readonly #run: (task: Task) => Promise<void>
  readonly #under = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** @param run one attempt; never rejects. A task whose action is still `open` afterwards stays. */
  constructor(clock: Clock, run: (task: Task) => Promise<void>) {
    this.#clock = clock
    this.#run = run
  }

  add(task: Task): void {
    const name = laneOf(task.action)
    const lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, { tasks: [task], busy: false })
    else lane.tasks.push(task)
  }

  /** Forgets everything but what is under way. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#lanes.clear()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.clear()
    await Promise.all(this.#under)
  }

  /** Begins what is due and may begin. */
  pump(): void {
    if (this.#stopped) return
    const now = this.#clock.now()
    let next = LONGEST_MS
    for (const [name, lane] of this.#lanes) {
      if (this.#under.size >= AT_ONCE) return
      if (lane.busy) continue
      const [head] = lane.tasks
      if (head === undefined) this.#lanes.delete(name)
      else if (head.action.due <= now) this.#begin(name, lane, head)
      else next = Math.min(next, head.action.due - now)
    }
    clearTimeout(this.#timer)
    if (this.#lanes.size > 0) this.#timer = setTimeout(() => this.pump(), next)
  }

  #begin(name: string, lane: Lane, head: Task): void {
    lane.busy = true
    const { attempts } = head.action
    const work = this.#run(head).finally(() => {
      this.#under.delete(work)
      lane.busy = false
      // Not attempted at all: it is no longer this member's, or no longer held.
      const given = head.action.attempts === attempts
      if (head.action.state !== 'open' || given) lane.tasks.shift()
      // Another one of the same name may stand there after clear().
      if (lane.tasks.length === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name)
      this.pump()
    })
    this.#under.add(work)
  }
}

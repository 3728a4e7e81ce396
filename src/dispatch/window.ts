/**
 * The window: the due deliveries that this process holds in memory, most urgent first, per set of routes.
 *
 * The truth is in the store; the window is bounded, so a million queued deliveries cost disk, not heap. Pure data
 * structure: one binary heap per set of tiers, ordered by priority, due time and arrival.
 */
import type { Delivery, Message } from '#messages/message.ts'
import type { Tiers } from './routing.ts'

export interface Held {
  delivery: Delivery
  message: Message
  tiers: Tiers
  /** Lines that refused it in this round of tries. */
  tried: ReadonlySet<string>
  order: number
  /** Taken out of the window other than by take(); its heap entry is passed over. */
  gone: boolean
}

export class Window {
  readonly limit: number
  #heaps = new Map<string, { tiers: Tiers; tried: ReadonlySet<string>; heap: Held[] }>()
  #held = new Map<string, Held>()
  #order = 0
  /** How many are held of each priority. */
  #perPriority = [0, 0, 0, 0]

  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.#held.size
  }

  get room(): number {
    return this.limit - this.#held.size
  }

  has(id: string): boolean {
    return this.#held.has(id)
  }

  add(delivery: Delivery, message: Message, tiers: Tiers, tried: ReadonlySet<string> = none): void {
    if (this.#held.has(delivery.id)) return
    const held: Held = { delivery, message, tiers, tried, order: this.#order++, gone: false }
    this.#held.set(delivery.id, held)
    this.#count(held, 1)
    const key = `${tiers.map((tier) => tier.join(',')).join('|')}!${[...tried].join(',')}`
    let entry = this.#heaps.get(key)
    if (!entry) {
      entry = { tiers, tried, heap: [] }
      this.#heaps.set(key, entry)
    }
    push(entry.heap, held)
  }

  /** Takes a delivery out wherever it stands; undefined when it is not in the window. */
  remove(id: string): Held | undefined {
    const held = this.#held.get(id)
    if (!held) return undefined
    held.gone = true
    this.#held.delete(id)
    this.#count(held, -1)
    return held
  }

  #count({ delivery }: Held, by: number): void {
    this.#perPriority[delivery.priority] = (this.#perPriority[delivery.priority] ?? 0) + by
  }

  /**
   * The most urgent delivery for which `choose` names a line, with that line.
   * @param choose gets the tiers of a group of deliveries, the lines they have tried and the priority of the first
   */
  next(
    choose: (tiers: Tiers, tried: ReadonlySet<string>, priority: number) => string | undefined,
  ): { held: Held; line: string } | undefined {
    let best: { held: Held; line: string } | undefined
    for (const [key, { tiers, tried, heap }] of this.#heaps) {
      const head = firstPresent(heap)
      if (!head) {
        this.#heaps.delete(key)
        continue
      }
      if (best && !before(head, best.held)) continue
      const line = choose(tiers, tried, head.delivery.priority)
      if (line !== undefined) best = { held: head, line }
    }
    return best
  }

  /** The least urgent priority held; undefined when empty. */
  worstPriority(): number | undefined {
    const worst = this.#perPriority.findLastIndex((count) => count > 0)
    return worst < 0 ? undefined : worst
  }

  /** The least urgent delivery, to make room for a more urgent one. */
  last(): Held | undefined {
    let last: Held | undefined
    for (const held of this.#held.values()) if (!last || before(last, held)) last = held
    return last
  }

  /** Those whose lines are such, in no order. */
  among(such: (tiers: Tiers) => boolean): Held[] {
    const groups = [...this.#heaps.values()].filter(({ tiers }) => such(tiers))
    return groups.flatMap(({ heap }) => heap.filter(({ gone }) => !gone))
  }

  /** Those past their validity. */
  expired(now: number): Held[] {
    return [...this.#held.values()].filter((held) => held.delivery.expires <= now)
  }

  /** Everything held, for giving it back at the end. */
  ids(): string[] {
    return [...this.#held.keys()]
  }
}

const none: ReadonlySet<string> = new Set()

function before(a: Held, b: Held): boolean {
  const difference =
    a.delivery.priority - b.delivery.priority || a.delivery.due - b.delivery.due || a.order - b.order
  return difference < 0
}

function firstPresent(heap: Held[]): Held | undefined {
  while (heap[0]?.gone) pop(heap)
  return heap[0]
}

function push(heap: Held[], held: Held): void {
  let at = heap.push(held) - 1
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (!parent || !before(held, parent)) break
    heap[at] = parent
    heap[parentAt] = held
    at = parentAt
  }
}

function pop(heap: Held[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let childAt = 2 * at + 1
    let child = heap[childAt]
    const right = heap[childAt + 1]
    if (right && child && before(right, child)) {
      childAt += 1
      child = right
    }
    if (!child || !before(child, last)) break
    heap[at] = child
    at = childAt
  }
  heap[at] = last
}

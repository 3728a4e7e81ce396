/**
 * Tells clients of Kannel's and Twilio's interfaces what becomes of their messages: delivery reports and status
 * callbacks. Where to tell it stands in the message, and what was told in the fact `callback:ID`, so that both are on
 * every member's disk and neither a restart nor a failover loses a report; one may come twice when a member dies right
 * after telling it. Only the active member tells.
 *
 * Each message that has something left to tell is looked at again and again, seldom when it is old. A place that does
 * not answer is tried less and less often, for all its messages together, and given up a day after the news.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Message } from '#messages/message.ts'
import { isFinal } from '#messages/states.ts'
import type { MessageView, Store } from '#store/contract.ts'
import { type Notice, noticesOf } from './callback-words.ts'
import { tell } from './tell.ts'

const EVERY_MS = 500
/** Messages that are looked after at a time; the others wait on disk. */
const PENDING_MOST = 5_000
/** Messages that are told about at a time. */
const AT_ONCE = 8
const GIVE_UP_MS = 86_400_000
/** How long after its validity a message that came to no end is looked after. */
const LOOK_MS = 7 * 86_400_000
const RETRY_MOST_MS = 300_000
/** How long a message is left alone whose record the disk would not take. */
const TROUBLE_MS = 10_000
const DONE = 'done'

interface Pending {
  id: string
  /** What was told: words by place of the delivery. */
  told: Map<number, string[]>
  /** The fact as it stands on disk. */
  saved: string
  /** Not before, ms since 1970. */
  due: number
}

export interface CallbackDependencies {
  store: Pick<Store, 'callbacks' | 'message' | 'remember'>
  clock: Clock
  log: Log
  /** Whether this member is the one that tells. */
  active(): boolean
}

export class Callbacks {
  readonly #deps: CallbackDependencies
  readonly #pending = new Map<string, Pending>()
  /** Places that did not answer: how often in a row, and when they are tried again, ms since 1970. */
  readonly #resting = new Map<string, { failures: number; until: number }>()
  #cursor = 0
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> | undefined
  readonly #stopping = new AbortController()

  constructor(deps: CallbackDependencies) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#turn = this.#round().finally(() => {
        if (!this.#stopping.signal.aborted) this.start()
      })
    }, EVERY_MS)
  }

  /** What is being told now is given up, and told again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#turn
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    const { active, log } = this.#deps
    if (!active()) {
      // Another member tells now; what it told is read anew when it is this one's turn again.
      this.#pending.clear()
      this.#resting.clear()
      this.#cursor = 0
      return
    }
    try {
      await this.#discover()
      const now = this.#deps.clock.now()
      for (const [place, { until }] of this.#resting) {
        if (now - until > GIVE_UP_MS) this.#resting.delete(place)
      }
      const due = [...this.#pending.values()].filter((one) => one.due <= now)
      const worker = async () => {
        for (let one = due.shift(); one !== undefined; one = due.shift()) {
          if (this.#stopping.signal.aborted) return
          await this.#visit(one).catch((error: unknown) => this.#postpone(one, error))
        }
      }
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, due.length) }, worker))
    } catch (error) {
      log.error({ error: errorText(error) }, 'callbacks could not be looked after; they are tried again')
    }
  }

  async #discover(): Promise<void> {
    const { store } = this.#deps
    while (this.#pending.size < PENDING_MOST) {
      const { items, next } = await store.callbacks(this.#cursor, DONE)
      for (const { id, told } of items) {
        if (!this.#pending.has(id)) {
          const read = readTold(told)
          this.#pending.set(id, { id, told: read, saved: writeTold(read), due: 0 })
        }
      }
      if (next === undefined) return
      this.#cursor = next
    }
  }

  async #visit(pending: Pending): Promise<void> {
    const { store, clock } = this.#deps
    const view = await store.message(pending.id)
    const callback = view?.message.callback
    if (view === undefined || callback === undefined) {
      this.#pending.delete(pending.id)
      return
    }
    const place = URL.canParse(callback.url) ? new URL(callback.url).host : callback.url
    for (const notice of untold(view, pending.told)) {
      if (this.#stopping.signal.aborted || !this.#deps.active()) break
      if (!(await this.#told(notice, view, place))) break
      pending.told.set(notice.delivery, [...(pending.told.get(notice.delivery) ?? []), notice.word])
    }
    const now = clock.now()
    const over = isOver(view, now) && untold(view, pending.told).length === 0
    const after = over ? DONE : writeTold(pending.told)
    if (after !== pending.saved) await store.remember(`callback:${pending.id}`, after)
    pending.saved = after
    if (over) this.#pending.delete(pending.id)
    else pending.due = Math.max(nextLook(view.message, now), this.#resting.get(place)?.until ?? 0)
  }

  /** What was told is known here and written down later; a member that dies before then lets it be told twice. */
  #postpone(pending: Pending, error: unknown): void {
    const { clock, log } = this.#deps
    pending.due = clock.now() + TROUBLE_MS
    log.error(
      { message: pending.id, error: errorText(error) },
      'a callback could not be looked after; tried again',
    )
  }

  /** @returns whether this notice is settled: told, or given up */
  async #told(notice: Notice, { message, deliveries }: MessageView, place: string): Promise<boolean> {
    const { clock, log } = this.#deps
    const rest = this.#resting.get(place)
    if (rest !== undefined && rest.until > clock.now()) return false
    const problem = await tell(notice.request, this.#stopping.signal)
    if (problem === undefined) {
      this.#resting.delete(place)
      return true
    }
    if (this.#stopping.signal.aborted) return false
    const failures = (rest?.failures ?? 0) + 1
    const now = clock.now()
    // Of several that were under way together the first one counts.
    if (this.#resting.get(place) === rest) {
      const pause = Math.min(RETRY_MOST_MS, 1_000 * 2 ** Math.min(failures - 1, 20))
      this.#resting.set(place, { failures, until: now + pause })
    }
    const news = deliveries[notice.delivery]?.timeline.at(-1)?.at ?? message.at
    const about = { message: message.id, place, problem, failures }
    if (now - news < GIVE_UP_MS) {
      log.info(about, 'a callback was not taken; it is tried again')
      return false
    }
    log.warn({ ...about, code: 'callback-failed' }, 'a callback was not taken for a day and is given up')
    return true
  }
}

const untold = ({ message, deliveries }: MessageView, told: Pending['told']): Notice[] =>
  deliveries.flatMap((delivery, place) =>
    message.callback === undefined
      ? []
      : noticesOf(message, message.callback, delivery, place).filter(
          ({ word }) => told.get(place)?.includes(word) !== true,
        ),
  )

/** Nothing more will happen to it, as far as anybody knows. */
const isOver = ({ message, deliveries }: MessageView, now: number): boolean =>
  now > message.at + message.validity + LOOK_MS ||
  deliveries.every((delivery) => isFinal(delivery) && delivery.state !== 'unknown')

const nextLook = ({ at }: Message, now: number): number =>
  now + Math.min(30_000, Math.max(EVERY_MS, (now - at) / 20))

/** As the fact holds it: `{"0":["8","1"]}`. */
function readTold(text: string | undefined): Pending['told'] {
  const object = JSON.parse(text ?? '{}') as Record<string, string[]>
  return new Map(Object.entries(object).map(([place, words]) => [Number(place), words]))
}

const writeTold = (told: Pending['told']): string => JSON.stringify(Object.fromEntries(told))

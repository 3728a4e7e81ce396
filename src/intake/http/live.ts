/**
 * Live events for open panels, as server-sent events (HTML Living Standard, 9.2). Parts of the appliance say that
 * something has changed; what is told then is looked up here, at most twice a second, and only while somebody listens.
 * Listeners are counted, and one that does not read is cut off before it costs memory: its browser comes back by itself.
 */
import type { ServerResponse } from 'node:http'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { ApplianceView } from './appliance-name.ts'
import type { HomePage } from './home.ts'
import type { LiveEvents } from './panel-schemas.ts'
import { iso } from './views.ts'

/** What the rest of the appliance tells; each costs nothing while nobody listens. */
export interface LiveFeed {
  /** Lines, roles, members, the queue: something that the front page shows. */
  changed(): void
  /** @param id the message; absent where it may be any */
  message(id?: string): void
  configuration(head: string | undefined): void
  /** A line of the failover log. @param line `at` in ms since 1970 */
  failover(line: { origin: string; at: number; text: string }): void
  /** The audit log of any member has a new record. */
  audit(): void
  /** Something that a person must know. */
  alarm(code: string, text: string): void
}

export interface Listener {
  response: ServerResponse
  /** The appliance as this listener reaches it. */
  appliance(): ApplianceView
  /** Asked now and then: whether it may still listen. */
  may(): boolean
}

export interface Live extends LiveFeed {
  /** Nobody more may listen. */
  full(): boolean
  listen(listener: Listener): void
  /** Lets all of them go. */
  stop(): void
}

export const MOST_LISTENERS = 64
/** Between two events of a kind, ms. */
const PAUSE_MS = 500
/** Signal strength and the like change without a word, so it is looked at by itself, ms. */
const LOOK_MS = 2_000
/** A page learns by their silence alone that the member behind its address has gone without a word. */
const HEARTBEAT_MS = 5_000
/** Messages named at a time; beyond that it may be any. */
const MOST_IDS = 200
/** What a listener may leave unread, bytes. */
const UNREAD = 1_000_000

export function createLive({ home, clock, log }: { home: HomePage; clock: Clock; log: Log }): Live {
  const listeners = new Set<Listener>()
  const ids = new Set<string>()
  let anyMessage = false
  let messages: NodeJS.Timeout | undefined
  /** The pause after an audit event. */
  let audits: NodeJS.Timeout | undefined
  let moreAudits = false
  let last = ''
  let lookedAt = 0
  let looking = false
  let soon: NodeJS.Timeout | undefined
  let timers: NodeJS.Timeout[] = []

  function leave(listener: Listener): void {
    if (!listeners.delete(listener)) return
    if (listeners.size > 0) return
    for (const timer of [...timers, messages, audits, soon]) clearTimeout(timer)
    timers = []
    messages = undefined
    audits = undefined
    moreAudits = false
    soon = undefined
    last = ''
    ids.clear()
    anyMessage = false
  }

  function write(listener: Listener, text: string): void {
    const { response } = listener
    if (response.writableLength > UNREAD) {
      leave(listener)
      response.destroy()
    } else response.write(text)
  }

  function tell<E extends keyof LiveEvents>(event: E, data: LiveEvents[E]): void {
    const text = eventText(event, data)
    for (const listener of [...listeners]) write(listener, text)
  }

  const status = (listener: Listener, body: string): string =>
    `event: status\ndata: {"appliance":${JSON.stringify(listener.appliance())},"at":"${iso(clock.now())}",${body.slice(1)}\n\n`

  async function look(only?: Listener): Promise<void> {
    if (looking && only === undefined) return
    looking = true
    try {
      dismiss()
      const body = JSON.stringify(await home.body())
      lookedAt = clock.monotonic()
      if (only !== undefined) write(only, status(only, body))
      if (body === last) return
      last = body
      for (const listener of [...listeners]) if (listener !== only) write(listener, status(listener, body))
    } catch (error) {
      // The store is busy or stopping; the next look finds out.
      log.debug({ error: errorText(error) }, 'the live status could not be read')
    } finally {
      looking = false
    }
  }

  const beat = (): void => {
    for (const listener of [...listeners]) write(listener, ':\n\n')
  }

  /** Lets those go whose login is over or whose token was revoked. */
  function dismiss(): void {
    for (const listener of [...listeners]) {
      if (listener.may()) continue
      leave(listener)
      listener.response.end()
    }
  }

  function changed(): void {
    if (listeners.size === 0 || soon !== undefined) return
    const wait = Math.max(0, lookedAt + PAUSE_MS - clock.monotonic())
    soon = setTimeout(() => {
      soon = undefined
      void look()
    }, wait).unref()
  }

  /** The first is told at once, because the appliance may be about to start anew; others wait for the pause to end. */
  function audit(): void {
    if (listeners.size === 0) return
    if (audits !== undefined) {
      moreAudits = true
      return
    }
    tell('audit', {})
    audits = setTimeout(() => {
      audits = undefined
      if (!moreAudits) return
      moreAudits = false
      audit()
    }, PAUSE_MS).unref()
  }

  return {
    changed,
    audit,
    message(id) {
      if (listeners.size === 0) return
      if (id === undefined || ids.size >= MOST_IDS) anyMessage = true
      else ids.add(id)
      messages ??= setTimeout(() => {
        messages = undefined
        tell('message', { ids: anyMessage ? [] : [...ids] })
        ids.clear()
        anyMessage = false
      }, PAUSE_MS).unref()
      changed()
    },
    configuration(head) {
      if (listeners.size > 0) tell('configuration', { head: head ?? null })
      changed()
    },
    failover(line) {
      home.failover(line)
      const { origin, at, text } = line
      if (listeners.size > 0) tell('failover', { at: iso(at), node: origin, text })
      changed()
    },
    alarm(code, text) {
      home.alarm(code, text)
      changed()
    },
    full: () => listeners.size >= MOST_LISTENERS,
    listen(listener) {
      if (listeners.size === 0)
        timers = [setInterval(() => void look(), LOOK_MS).unref(), setInterval(beat, HEARTBEAT_MS).unref()]
      listeners.add(listener)
      const { response } = listener
      response.once('close', () => leave(listener))
      // The listeners keep connections whose client has closed its half, for the sake of those that wait for an answer.
      response.socket?.once('end', () => response.destroy())
      // Where the connection breaks, the browser asks again after so long, ms.
      response.write('retry: 2000\n\n')
      void look(listener)
    },
    stop() {
      for (const listener of [...listeners]) {
        leave(listener)
        listener.response.end()
      }
    },
  }
}

const eventText = <E extends keyof LiveEvents>(event: E, data: LiveEvents[E]): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

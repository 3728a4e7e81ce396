/**
 * What the pair tells the rest of the program, as one list of typed callbacks: actions, alarms and SNMP hang here. A
 * listener that fails is logged and never keeps another one from hearing, nor the pair from going on.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { PairEvents } from '#pair/contract.ts'

export interface PairEventList {
  /** Told by the pair; each call reaches every listener, in the order in which they were added. */
  readonly events: PairEvents
  /** @returns takes the listener off the list */
  add(name: string, listener: Partial<PairEvents>): () => void
}

export function createPairEvents(log: Log): PairEventList {
  const listeners: { name: string; listener: Partial<PairEvents> }[] = []

  function tell(event: keyof PairEvents, call: (listener: Partial<PairEvents>) => unknown): void {
    for (const { name, listener } of [...listeners]) {
      const failed = (error: unknown) =>
        log.error({ listener: name, event, error: errorText(error) }, 'a listener of the pair failed')
      try {
        const result = call(listener)
        // A listener may be an asynchronous function all the same; nobody waits for it, but its failure is said.
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  return {
    events: {
      role: (state) => tell('role', (listener) => listener.role?.(state)),
      signal: (node, signal) => tell('signal', (listener) => listener.signal?.(node, signal)),
      alarm: (code, text) => tell('alarm', (listener) => listener.alarm?.(code, text)),
      failover: (text) => tell('failover', (listener) => listener.failover?.(text)),
    },
    add(name, listener) {
      const entry = { name, listener }
      listeners.push(entry)
      return () => {
        const index = listeners.indexOf(entry)
        if (index >= 0) listeners.splice(index, 1)
      }
    },
  }
}

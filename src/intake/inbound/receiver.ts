/**
 * Received short messages: kept part by part as lines hand them in, and given out as partial when a part stays away.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { Store } from '#store/contract.ts'

/** How long missing parts are waited for, ms. A part that comes later still amends the entry. */
const PARTIAL_AFTER_MS = 600_000
const CHECK_MS = 30_000

export interface Receiver {
  /**
   * Resolves when the part is on disk; only then may the line forget it.
   * @param node the member that received it, where that is another one
   */
  receive(part: Omit<InboundPart, 'node'>, node?: string): Promise<void>
  stop(): void
}

export function createReceiver(deps: {
  node: string
  store: Store
  clock: Clock
  log: Log
  /** Told when a message is in the inbox. */
  received(): void
}): Receiver {
  const { node, store, clock, log, received } = deps
  const timer = setInterval(() => void completePartials(), CHECK_MS)
  return {
    async receive(part, from = node) {
      const entry = await store.receive({ ...part, node: from })
      if (!entry) return
      log.info({ line: part.line, entry: entry.id, parts: entry.parts.received }, 'message received')
      received()
    },
    stop: () => clearInterval(timer),
  }

  async function completePartials(): Promise<void> {
    try {
      for (const entry of await store.completePartials(clock.now() - PARTIAL_AFTER_MS)) {
        log.warn({ entry: entry.id, ...entry.parts }, 'message received in part; the rest did not come')
        received()
      }
    } catch (error) {
      log.error({ error: errorText(error) }, 'partial messages could not be completed')
    }
  }
}

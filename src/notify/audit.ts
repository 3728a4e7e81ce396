/**
 * The audit log of this member: who did what. Records are operations of the own log, where the store chains them (each
 * carries a hash over the one before, messages/audit.ts), and every other member gets a copy that this one cannot change
 * afterwards. What is written here is said in the general log too.
 *
 * Whoever writes waits for nothing: a record that the disk refuses is told to the general log, and the chain goes on
 * without it. No secrets and no message texts go in.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { OperationLog } from '#store/contract.ts'

export interface Audit {
  /**
   * @param who the user, token or member that did it
   * @param what a code of docs/errors.md
   * @param text a sentence for people
   */
  write(who: string, what: string, text: string): void
  /** Resolves when everything written before is on disk or given up. */
  settled(): Promise<void>
}

/** Records that wait for the disk; beyond them records are counted instead of kept. */
const MOST_WAITING = 500
const LONGEST = { who: 100, what: 60, text: 1_000 } as const

export function createAudit({
  store,
  node,
  clock,
  log,
  written = () => {},
}: {
  store: Pick<OperationLog, 'operate'>
  node: string
  clock: Clock
  log: Log
  /** A record is in the log. */
  written?: () => void
}): Audit {
  const writing = new Set<Promise<void>>()
  let dropped = 0

  async function append(who: string, what: string, text: string): Promise<void> {
    try {
      // Number and hash are the store's: nobody but it knows what the record before is.
      const record = { number: 0, at: clock.now(), who, what, text, hash: '' }
      await store.operate({ op: 'audit', record })
      written()
    } catch (error) {
      log.error({ what, error: errorText(error) }, 'an audit record could not be written')
    }
  }

  function start(who: string, what: string, text: string): void {
    const one = append(who, what, text).finally(() => writing.delete(one))
    writing.add(one)
  }

  return {
    write(who, what, text) {
      log.info({ audit: what, by: who }, text)
      if (writing.size >= MOST_WAITING) {
        dropped += 1
        return
      }
      if (dropped > 0) {
        start(node, 'audit-dropped', `${dropped} records came faster than the disk took them`)
        dropped = 0
      }
      start(who.slice(0, LONGEST.who), what.slice(0, LONGEST.what), text.slice(0, LONGEST.text))
    },
    async settled() {
      await Promise.all(writing)
    },
  }
}

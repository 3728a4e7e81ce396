/**
 * The audit log of this member: who did what, one record after another, each carrying a hash over the one before
 * (messages/audit.ts). Records are operations of the own log, so every other member gets a copy that this one cannot
 * change afterwards. What is written here is said in the general log too.
 *
 * Writes are made one after another, so that numbers never fork. Whoever writes waits for nothing: a record that the
 * disk refuses is told to the general log, and the chain goes on without it. No secrets and no message texts go in.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { auditHash } from '#messages/audit.ts'
import type { AuditRecord } from '#messages/operation.ts'
import type { OperationLog } from '#store/contract.ts'

export interface Audit {
  /**
   * @param who the user, token or member that did it
   * @param what a code of docs/errors.md, or a short kebab-case word such as `token-created`
   * @param text a sentence for people
   */
  write(who: string, what: string, text: string): void
  /** Resolves when everything written before is on disk or given up. */
  settled(): Promise<void>
}

/** Records that wait for the disk; beyond them records are counted instead of kept. */
const MOST_WAITING = 500
const LONGEST = { who: 100, what: 60, text: 1_000 } as const

type Chain = Pick<AuditRecord, 'number' | 'hash'>

export function createAudit({
  store,
  node,
  clock,
  log,
}: {
  store: Pick<OperationLog, 'audit' | 'operate'>
  node: string
  clock: Clock
  log: Log
}): Audit {
  let head: Chain | undefined
  let turn: Promise<void> = Promise.resolve()
  let waiting = 0
  let dropped = 0

  async function append(fields: Pick<AuditRecord, 'at' | 'who' | 'what' | 'text'>): Promise<void> {
    head ??= await newest(store, node)
    const record = { number: head.number + 1, ...fields }
    const hash = auditHash(head.hash, record)
    await store.operate({ op: 'audit', record: { ...record, hash } })
    head = { number: record.number, hash }
  }

  async function one(fields: Pick<AuditRecord, 'at' | 'who' | 'what' | 'text'>): Promise<void> {
    try {
      if (dropped > 0) {
        const text = `${dropped} records came faster than the disk took them and are not in this log`
        dropped = 0
        await append({ at: clock.now(), who: node, what: 'audit-dropped', text })
      }
      await append(fields)
    } catch (error) {
      // The write may have reached the disk all the same: the next one looks where the chain ends.
      head = undefined
      log.error({ what: fields.what, error: errorText(error) }, 'an audit record could not be written')
    } finally {
      waiting -= 1
    }
  }

  return {
    write(who, what, text) {
      log.info({ audit: what, by: who }, text)
      if (waiting >= MOST_WAITING) {
        dropped += 1
        return
      }
      waiting += 1
      const fields = {
        at: clock.now(),
        who: who.slice(0, LONGEST.who),
        what: what.slice(0, LONGEST.what),
        text: text.slice(0, LONGEST.text),
      }
      turn = turn.then(() => one(fields))
    },
    settled: () => turn,
  }
}

/**
 * Where a member's chain ends as held here. The store finds records after a number, so the end is found by doubling and
 * halving instead of reading the whole chain.
 */
export async function newest(store: Pick<OperationLog, 'audit'>, origin: string): Promise<Chain> {
  const after = async (number: number) => (await store.audit({ origin, after: number, limit: 1 }))[0]
  let known: Chain = { number: 0, hash: '' }
  let step = 1
  for (;;) {
    const found = await after(known.number + step - 1)
    if (found !== undefined) {
      known = found
      step *= 2
    } else if (step === 1) return known
    else step = Math.max(1, Math.floor(step / 4))
  }
}

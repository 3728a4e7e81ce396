/** What of the pair's events is written down: role changes in the audit log, lines in the failover log, the rest in the general one. */
import type { Log } from '#core/log.ts'
import type { Term } from '#messages/operation.ts'
import type { PairEvents, Role } from '#pair/contract.ts'
import type { Audit } from './audit.ts'
import type { FailoverLog } from './failover-log.ts'

/** For the list of pair-events.ts. The audit log gets a role once, not every change of its reason. */
export function pairRecords({
  node,
  audit,
  failover,
  log,
}: {
  node: string
  audit: Pick<Audit, 'write'>
  failover: Pick<FailoverLog, 'write'>
  log: Log
}): PairEvents {
  let last: { role: Role; term: Term } | undefined
  return {
    role({ role, term, reason }) {
      const same = last?.role === role && last.term.counter === term.counter && last.term.node === term.node
      last = { role, term }
      if (same) log.debug({ role, term: term.counter }, reason)
      else {
        const when = term.node === '' ? 'before any term' : `in term ${term.counter} of ${term.node}`
        audit.write(node, 'role-changed', `${role} ${when}: ${reason}`)
      }
    },
    signal: (member, signal) => log.info({ member, signal }, 'a member changed its state'),
    alarm: (code, text) => log.warn({ code }, text),
    failover: (text) => failover.write(text),
  }
}

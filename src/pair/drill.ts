/**
 * Drills: faults on purpose, on this appliance alone, so that an operator sees a failover before the day it is needed. Each
 * is bounded, heals by itself, and is refused unless another member could take over without losing anything.
 *
 *   kill     gateway and guard are killed (SIGKILL); the service manager starts them again
 *   freeze   the gateway is stopped (SIGSTOP) and goes on after five seconds; a child of its own sees to it
 *   cut      nothing goes to or comes from the other members for ten seconds; clients still reach the appliance
 *
 * Signals go only to this process and to its own guard.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#core/clock.ts'
import type { PairStatus } from './contract.ts'
import type { DrillKind, DrillResult, Refused } from './control.ts'

export const FREEZE_MS = 5_000
const CUT_MS = 10_000
/** So long after the answer the fault begins: by then it has left, and the audit line is on disk. */
export const DELAY_MS = 500
/** After a drill the pair is left alone for so long, to settle. */
const REST_MS = 20_000

export interface DrillParts {
  clock: Clock
  status(): PairStatus
  guardPid(): number | undefined
  /** A service manager starts this process again when it dies. */
  supervised: boolean
  /** Guard and links drop what goes to members and comes from them, for so long. */
  cut(ms: number): void
  audit(who: string, what: string, text: string): void
  /** Starts the child that does it; a test passes its own. */
  begin?(kind: 'kill' | 'freeze', gateway: number, guard: number | undefined): void
}

/** systemd sets the first, a container's image the second where its restart policy does the same. */
export const isSupervised = (environment: NodeJS.ProcessEnv): boolean =>
  environment['INVOCATION_ID'] !== undefined || environment['TWINLINE_SUPERVISED'] === '1'

export function createDrill(parts: DrillParts): (kind: DrillKind, who: string) => Promise<DrillResult> {
  const { clock, status, guardPid, supervised, cut, audit, begin = beginChild } = parts
  let restUntil = Number.NEGATIVE_INFINITY

  function refusal(kind: DrillKind): Refused | undefined {
    const rest = restUntil - clock.monotonic()
    if (rest > 0) {
      const seconds = Math.ceil(rest / 1_000)
      return {
        result: 'refused',
        code: 'drill-running',
        text: `a drill has just been run; the next can begin in ${seconds} s`,
        values: { seconds },
      }
    }
    if (kind === 'kill' && !supervised) {
      return {
        result: 'refused',
        code: 'drill-unsupervised',
        text: 'nothing would start this appliance again: it does not run under systemd (in a container with a restart policy set TWINLINE_SUPERVISED=1)',
      }
    }
    const problem = whyNobodyTakesOver(status())
    return problem === undefined ? undefined : { result: 'refused', code: 'drill-no-standby', text: problem }
  }

  return async (kind, who) => {
    const refused = refusal(kind)
    if (refused !== undefined) {
      audit(who, refused.code, `drill ${kind}: ${refused.text}`)
      return refused
    }
    const lasts = kind === 'freeze' ? FREEZE_MS : kind === 'cut' ? CUT_MS : 0
    restUntil = clock.monotonic() + DELAY_MS + lasts + REST_MS
    const text = announcements[kind]
    audit(who, 'pair-drill', `drill ${kind}: ${text}`)
    if (kind === 'cut') setTimeout(() => cut(CUT_MS), DELAY_MS).unref()
    else begin(kind, process.pid, guardPid())
    return { result: 'done', text }
  }
}

const announcements: Record<DrillKind, string> = {
  kill: 'gateway and guard of this appliance are killed now; the service manager starts them again',
  freeze: `the gateway of this appliance stands still for ${FREEZE_MS / 1_000} s and goes on by itself`,
  cut: `this appliance and the other members do not hear each other for ${CUT_MS / 1_000} s; then all is as before`,
}

/** @returns why a fault now would be an outage, as a sentence; undefined when another member is ready */
function whyNobodyTakesOver({ members, replication }: PairStatus): string | undefined {
  if (members.length === 0) return 'there is no other member that could take over'
  const living = members.filter(({ signal, healthy }) => signal === 'LIVE' && healthy !== false)
  if (living.length === 0) return 'no other member is LIVE and healthy, so nobody would take over'
  const ready = living.some(({ node }) =>
    replication.some((each) => each.node === node && each.state === 'current' && each.problem === undefined),
  )
  return ready
    ? undefined
    : 'no other member holds everything that this one holds yet; see twinline pair status'
}

/** A process of its own, since a stopped or killed one cannot undo what happened to it. */
function beginChild(kind: 'kill' | 'freeze', gateway: number, guard: number | undefined): void {
  const suffix = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
  const file = fileURLToPath(new URL(`./drill-child.${suffix}`, import.meta.url))
  const words = [file, kind, String(gateway), ...(guard === undefined ? [] : [String(guard)])]
  spawn(process.execPath, words, { detached: true, stdio: 'ignore' }).unref()
}

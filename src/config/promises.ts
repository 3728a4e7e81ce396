/**
 * What a pair promises for each fault, from its heartbeat profile alone: for people, in `twinline check`, `pair status`
 * and the docs. The bounds rest on the measurements behind the profiles and are what the lab's tests hold. Pure.
 */
import { silenceAfter } from './heartbeat.ts'
import type { HeartbeatProfile, VirtualIp } from './types.ts'

export interface FaultPromise {
  fault:
    | 'gateway-killed'
    | 'gateway-hung'
    | 'guard-killed'
    | 'box-dead'
    | 'link-down'
    | 'split'
    | 'heal'
    | 'handover'
  /** As a person would say it. */
  text: string
  /** The longest that clients are expected to wait, ms. */
  outage: number
  /** Whether two members serve at once, until they hear each other again. */
  bothServe: boolean
}

export interface Circumstances {
  /** A witness, or a third member: somebody else can tell a dead member from a cut cable. */
  witness: boolean
  driver?: VirtualIp['driver']
  /** PairConfig.selfCheck, ms. */
  selfCheck?: number
}

/** What a line takes to be connected: the port, and the modem behind it; figures that operators of such systems use, ms. */
const PORT_MS = 200
const DEVICE_MS = 200

/** How long clients are expected to wait when a member fails without a word, all in ms. */
export interface ExpectedFailover {
  /** misses × interval + timeout */
  silence: number
  /** Lines that have to be connected first. */
  start: number
  expected: number
}

/** @param toStart lines that are connected only at a takeover: definitions of another member's */
export function expectedFailover(profile: HeartbeatProfile, toStart: number): ExpectedFailover {
  const silence = silenceAfter(profile)
  const start = toStart * (PORT_MS + DEVICE_MS)
  return { silence, start, expected: silence + start }
}

/** To write the term, add the address and announce it, ms. */
const TAKING = 50

export function promises(profile: HeartbeatProfile, circumstances: Circumstances): FaultPromise[] {
  const { witness, driver, selfCheck = 2_000 } = circumstances
  // The member that takes over asks the witness; renewals that go through it are older by a round trip.
  const asked = witness ? (driver === 'nft' ? 150 : 400) : 0
  const alone = profile.grantWait + TAKING
  const takeover = Math.max(silenceAfter(profile), alone) + asked
  const row = (fault: FaultPromise['fault'], text: string, outage: number, bothServe = false) => ({
    fault,
    text,
    outage,
    bothServe,
  })
  return [
    row('gateway-killed', 'the gateway process crashes or is killed', 100),
    row('gateway-hung', 'the gateway process hangs', selfCheck + 300),
    row('guard-killed', 'the guard process is killed', alone),
    row('box-dead', 'power loss, or every process killed or frozen', takeover),
    row('link-down', "the active's network cable is pulled", takeover),
    witness
      ? row('split', 'the members cannot hear each other, everybody else hears both', 0)
      : row(
          'split',
          'the members cannot hear each other: both serve until they do, and flag what is sent twice',
          0,
          true,
        ),
    row('heal', 'the members hear each other again', 150),
    row('handover', 'planned handover', 50),
  ]
}

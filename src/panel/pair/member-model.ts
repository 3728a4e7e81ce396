/**
 * The members of a pair as the page shows them: the one that answers and the others alike, each with a tone and with
 * what may be asked of it. Pure.
 */
import type { Tone } from '../components/status.tsx'
import type { MemberView } from '../shell/shapes.ts'
import type { OtherMember, PairView } from './shapes.ts'

export interface Member {
  node: string
  here: boolean
  /** A role, or `stopped`, `silent`, `unknown`. */
  standing: string
  tone: Tone
  fingerprint: string
  addresses: readonly string[]
  paths: OtherMember['paths']
  lines?: { ready: number; total?: number }
  queue?: number
  priority?: number
  revision?: string
  /** Own entries of the member that answers, which this one has not acknowledged. */
  behind?: number
  replication?: NonNullable<OtherMember['replication']>['state']
  problem?: string
  skewMs?: number
  silentMs?: number
  term?: string
}

const tones: Record<string, Tone> = {
  active: 'ok',
  standby: 'ok',
  single: 'ok',
  isolated: 'bad',
  error: 'bad',
  silent: 'bad',
  stopped: 'off',
}

export const toneOf = (standing: string): Tone => tones[standing] ?? 'busy'

/** What a member that is not heard said last is no longer true of it. */
function standingOf({ signal, role }: OtherMember): string {
  if (signal === 'DEAD') return 'silent'
  if (signal === 'CLOSE') return 'stopped'
  return role ?? 'unknown'
}

const termText = (term: { counter: number; node: string } | undefined) =>
  term === undefined ? {} : { term: `${term.counter} · ${term.node}` }

/** Present parts only. */
function given<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** The member that answers first, the others by name. @param home what the front page knows of each */
export function membersOf(pair: PairView, home: readonly MemberView[]): Member[] {
  const seen = (node: string) => home.find((one) => one.node === node)
  const own = seen(pair.node)
  const first: Member = {
    node: pair.node,
    here: true,
    standing: pair.role,
    tone: toneOf(pair.role),
    fingerprint: pair.fingerprint,
    addresses: own?.address === undefined ? [] : [own.address],
    paths: [],
    ...termText(pair.term),
    ...given({ lines: own?.lines, queue: own?.queue, revision: pair.revision }),
  }
  const others = pair.members.map((each): Member => {
    const standing = standingOf(each)
    const heard = each.signal === 'LIVE'
    const lines = seen(each.node)?.lines ?? linesOf(each)
    return {
      node: each.node,
      here: false,
      standing,
      tone: toneOf(standing),
      fingerprint: each.fingerprint,
      addresses: each.addresses,
      paths: each.paths,
      priority: each.priority,
      ...termText(each.term),
      ...given({
        lines: heard ? lines : undefined,
        queue: heard ? each.queued : undefined,
        revision: each.revision,
        behind: each.replication?.behind,
        replication: each.replication?.state,
        problem: each.replication?.problem,
        skewMs: heard ? each.skewMs : undefined,
        silentMs: each.silentMs,
      }),
    }
  })
  return [first, ...others.sort((a, b) => (a.node < b.node ? -1 : 1))]
}

const linesOf = ({ linesHealthy }: OtherMember) =>
  linesHealthy === undefined ? undefined : { ready: linesHealthy }

export type Switch =
  | { can: true; command: 'takeover' | 'handover'; gives: string; takes: string }
  /** `elsewhere`: only that member itself can be told. */
  | { can: false; why: 'is-so' | 'elsewhere' | 'nobody' | 'not-ready' | 'not-heard' }

/** Whether the member that answers can make `node` active, and by which command. */
export function toActive(pair: PairView, members: readonly Member[], node: string): Switch {
  const target = members.find((one) => one.node === node)
  if (target === undefined) return { can: false, why: 'nobody' }
  if (target.standing === 'active' || target.standing === 'single') return { can: false, why: 'is-so' }
  const active = pair.active ?? members.find((one) => one.standing === 'active')?.node ?? ''
  if (target.here) return { can: true, command: 'takeover', gives: active, takes: node }
  if (target.standing === 'silent' || target.standing === 'stopped' || target.standing === 'unknown')
    return { can: false, why: 'not-heard' }
  if (pair.role !== 'active') return { can: false, why: 'elsewhere' }
  if (target.replication !== 'current') return { can: false, why: 'not-ready' }
  return { can: true, command: 'handover', gives: pair.node, takes: node }
}

/** Whether the member that answers can make `node` stand by, and by which command. */
export function toStandby(pair: PairView, members: readonly Member[], node: string): Switch {
  const target = members.find((one) => one.node === node)
  if (target === undefined || members.length < 2) return { can: false, why: 'nobody' }
  if (target.standing !== 'active') return { can: false, why: 'is-so' }
  if (!target.here) {
    return pair.role === 'standby'
      ? { can: true, command: 'takeover', gives: node, takes: pair.node }
      : { can: false, why: 'elsewhere' }
  }
  const ready = members.find(
    ({ here, standing, replication }) => !here && standing === 'standby' && replication === 'current',
  )
  return ready === undefined
    ? { can: false, why: 'not-ready' }
    : { can: true, command: 'handover', gives: node, takes: ready.node }
}

/** Clocks that differ by more get a warning; the appliance alarms at the same figure. */
export const SKEW_MS = 2_000

/** Whether all members that are heard have the same settings; undefined when that is not known. */
export function sameRevision(members: readonly Member[]): boolean | undefined {
  const known = members.flatMap(({ revision, standing }) =>
    revision === undefined || standing === 'silent' || standing === 'stopped' ? [] : [revision],
  )
  return known.length < 2 ? undefined : new Set(known).size === 1
}

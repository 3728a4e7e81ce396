/**
 * The members of a pair as the page shows them: the one that answers and the others alike, each with a tone and with
 * what may be asked of it. Pure.
 */
import type { MemberView } from '../shell/shapes.ts'
import type { OtherMember, PairView } from './shapes.ts'

/** As components/status.tsx has them. */
type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'off'

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
  /** The newest entry of its own log. */
  position?: number
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
  standby: 'busy',
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

/**
 * The member that answers first, the others by name.
 * @param home what the front page knows of each
 * @param address of the one that answers, when the front page does not know it
 */
export function membersOf(pair: PairView, home: readonly MemberView[], address?: string): Member[] {
  const seen = (node: string) => home.find((one) => one.node === node)
  const own = seen(pair.node)
  const first: Member = {
    node: pair.node,
    here: true,
    standing: pair.role,
    tone: toneOf(pair.role),
    fingerprint: pair.fingerprint,
    addresses: [own?.address ?? address].filter((one) => one !== undefined),
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
      addresses: [...new Set(each.addresses.map(hostOf))],
      paths: each.paths,
      priority: each.priority,
      ...termText(each.term),
      ...given({
        lines: heard ? lines : undefined,
        queue: heard ? each.queued : undefined,
        revision: each.revision,
        position: each.position,
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

/** Of `10.77.0.2:8883` and `[fd00::2]:8883`, whose ports are those of the members and no panel's. */
const hostOf = (address: string): string => address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')

const linesOf = ({ linesHealthy }: OtherMember) =>
  linesHealthy === undefined ? undefined : { ready: linesHealthy }

/** `at` is the member that is told; `gives` is empty where nobody is known to be active. */
export interface Way {
  can: true
  command: 'takeover' | 'handover'
  at: string
  gives: string
  takes: string
}
export type Switch = Way | { can: false; why: 'is-so' | 'nobody' | 'not-ready' | 'not-heard' }

const unheard = new Set(['silent', 'stopped', 'unknown'])

/** Whether `node` can be made active: it takes over. */
export function toActive(pair: PairView, members: readonly Member[], node: string): Switch {
  const target = members.find((one) => one.node === node)
  if (target === undefined) return { can: false, why: 'nobody' }
  if (target.standing === 'active' || target.standing === 'single') return { can: false, why: 'is-so' }
  if (unheard.has(target.standing)) return { can: false, why: 'not-heard' }
  if (!target.here && target.replication !== 'current') return { can: false, why: 'not-ready' }
  const active = pair.active ?? members.find((one) => one.standing === 'active')?.node ?? ''
  return { can: true, command: 'takeover', at: node, gives: active, takes: node }
}

/** Whether `node` can be made to stand by: it hands over to another member that is ready. */
export function toStandby(members: readonly Member[], node: string): Switch {
  const target = members.find((one) => one.node === node)
  if (target === undefined || members.length < 2) return { can: false, why: 'nobody' }
  if (target.standing !== 'active') return { can: false, why: 'is-so' }
  const ready = members.find(
    (one) => one.node !== node && one.standing === 'standby' && (one.here || one.replication === 'current'),
  )
  return ready === undefined
    ? { can: false, why: 'not-ready' }
    : { can: true, command: 'handover', at: node, gives: node, takes: ready.node }
}

/** Clocks that differ by more get a warning; the appliance alarms at the same figure. */
export const SKEW_MS = 2_000
/** A difference that small is none to anybody who looks at times. */
export const SAME_CLOCK_MS = 50

/** Whether all members that are heard have the same settings; undefined when that is not known. */
export function sameRevision(members: readonly Member[]): boolean | undefined {
  const known = members.flatMap(({ revision, standing }) =>
    revision === undefined || standing === 'silent' || standing === 'stopped' ? [] : [revision],
  )
  return known.length < 2 ? undefined : new Set(known).size === 1
}

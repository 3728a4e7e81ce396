/**
 * The front page of the panel as one object: am I active, is my peer well, are my lines well, and what else a person
 * should know. What is wrong is derived from how things are now, so nothing has to be taken back when it is mended; only
 * what the pair reports as an event is kept for an hour.
 */
import type { Clock } from '#core/clock.ts'
import type { LineStatus } from '#lines/contract.ts'
import type { MemberRecord } from '#messages/operation.ts'
import type { MemberView, PairStatus } from '#pair/contract.ts'
import { isFailover } from '#pair/role/switched.ts'
import { type ApplianceNames, roleOf } from './appliance-name.ts'
import { memberLabel, roleLabels } from './pair-view.ts'
import type * as schemas from './panel-schemas.ts'
import type { Services } from './parts.ts'
import type { Shape } from './schemas.ts'
import { depthView, iso, lineView } from './views.ts'

type Home = Shape<typeof schemas.home>
type Member = Home['members'][number]
/** Without what differs by who asks, and when. */
export type HomeBody = Omit<Home, 'appliance' | 'at'>

interface Found {
  code: string
  text: string
  /** ms since 1970; since it was first seen here when absent */
  since?: number
}

export interface HomePage {
  body(): Promise<HomeBody>
  /** The pair reported something that a person must know. */
  alarm(code: string, text: string): void
  /** A line of the failover log, of any member. */
  failover(line: { origin: string; at: number; text: string }): void
}

type Parts = Pick<
  Services,
  'node' | 'store' | 'clock' | 'dispatch' | 'pair' | 'settings' | 'ready' | 'records' | 'backup' | 'documents'
> & { names: ApplianceNames }

const KEPT_MS = 3_600_000
const MOST_KEPT = 20

export function createHome(parts: Parts): HomePage {
  const { node, store, clock, dispatch, pair, names, records } = parts
  /** By code and text, so that what is reported again and again is one. */
  const reported = new Map<string, Required<Found>>()
  const firstSeen = new Map<string, number>()
  let lastSwitch: Home['failover'] | undefined

  /** @param addressHere then nobody else has the common address any more */
  function stillReported(addressHere: boolean): Found[] {
    for (const [key, { code, since }] of reported) {
      if (clock.now() - since > KEPT_MS || (addressHere && code === 'address-taken')) reported.delete(key)
    }
    return [...reported.values()]
  }

  function alarms(found: readonly Found[]): Home['alarms'] {
    const keys = new Set(found.map(({ code, text }) => `${code} ${text}`))
    for (const key of firstSeen.keys()) if (!keys.has(key)) firstSeen.delete(key)
    return found.map(({ code, text, since }) => {
      const key = `${code} ${text}`
      const at = since ?? firstSeen.get(key) ?? clock.now()
      firstSeen.set(key, at)
      return { code, text, since: iso(at) }
    })
  }

  async function switched(): Promise<Home['failover']> {
    if (lastSwitch === undefined) {
      const line = await records?.lastSwitch?.()
      lastSwitch = line === undefined ? null : { at: iso(line.at), node: line.origin, text: line.text }
    }
    return lastSwitch
  }

  return {
    async body() {
      const depth = await store.depth()
      const statuses = dispatch.lineStatus()
      const status = pair?.control.status()
      const others = status === undefined ? [] : membersOf(status, pair?.control.members() ?? [])
      const role = roleOf(pair)
      return {
        answer: {
          active: role === 'active' || role === 'single',
          peer: peerOf(others.map(({ view }) => view)),
          lines: { ready: readyOf(statuses), total: statuses.length },
        },
        members: [
          {
            node,
            name: names.of(node),
            role,
            label: roleLabels[role],
            here: true,
            lines: { ready: readyOf(statuses), total: statuses.length },
            queue: depth.queued,
          },
          ...others.map((other) => memberView(other, names, clock)),
        ],
        lines: statuses.map((one) => lineView(one)),
        depth: depthView(depth),
        failover: await switched(),
        alarms: alarms([
          ...wrongNow(parts, status, others, statuses),
          ...(await heldBack(parts)),
          ...stillReported(status?.vip?.here === true),
        ]),
      }
    },
    alarm(code, text) {
      const key = `${code} ${text}`
      reported.delete(key)
      reported.set(key, { code, text, since: clock.now() })
      const [oldest] = reported.keys()
      if (reported.size > MOST_KEPT && oldest !== undefined) reported.delete(oldest)
    },
    failover({ origin, at, text }) {
      if (isFailover(text)) lastSwitch = { at: iso(at), node: origin, text }
    },
  }
}

interface Other {
  record: MemberRecord
  view: MemberView
  lag: number | undefined
}

function membersOf({ node, members, replication }: PairStatus, records: readonly MemberRecord[]): Other[] {
  return records
    .filter((record) => record.node !== node)
    .map((record) => ({
      record,
      view: members.find((view) => view.node === record.node) ?? { node: record.node, paths: [] },
      lag: replication.find((copy) => copy.node === record.node)?.behind,
    }))
}

/** Those that send: what is muted only receives. */
const readyOf = (lines: readonly LineStatus[]): number =>
  lines.filter(({ state, muted }) => state === 'ready' && muted === undefined).length

/** The worst of them, where there are several. */
function peerOf(others: readonly MemberView[]): Home['answer']['peer'] {
  if (others.length === 0) return 'none'
  if (others.some(({ signal }) => signal !== 'LIVE' && signal !== 'CLOSE')) return 'silent'
  return others.some(({ signal }) => signal === 'CLOSE') ? 'away' : 'well'
}

/** To whole seconds: between two looks it would otherwise move with the clocks. */
const lastSeen = (silentMs: number, now: number): string => iso(Math.round((now - silentMs) / 1_000) * 1_000)

function memberView({ record, view, lag }: Other, names: ApplianceNames, clock: Clock): Member {
  const { signal, silentMs, linesHealthy, queued } = view
  const live = signal === 'LIVE'
  // What a silent member said last is no longer true of it.
  const role = live
    ? (view.role ?? 'unknown')
    : signal === 'CLOSE'
      ? 'away'
      : signal === 'DEAD'
        ? 'silent'
        : 'unknown'
  const address = record.guard[0]?.replace(/:\d+$/, '')
  return {
    node: record.node,
    name: names.of(record.node),
    role,
    label: memberLabel(view),
    here: false,
    ...(live || silentMs === undefined ? {} : { lastSeen: lastSeen(silentMs, clock.now()) }),
    ...(live && linesHealthy !== undefined ? { lines: { ready: linesHealthy } } : {}),
    ...(live && queued !== undefined ? { queue: queued } : {}),
    ...(lag === undefined ? {} : { lag }),
    ...(address === undefined ? {} : { address }),
  }
}

/** What a restore holds back waits for a person where there is no other member that knows. */
async function heldBack({ backup }: Parts): Promise<Found[]> {
  const state = await backup?.restored.state()
  if (state?.held !== true || state.deliveries === 0) return []
  const text = `${state.deliveries} deliveries of the backup that was restored are held back: say whether they are to be sent`
  return [{ code: 'restore-held', text, since: state.at }]
}

function wrongNow(
  { names, settings, ready, clock, documents }: Parts,
  status: PairStatus | undefined,
  others: readonly Other[],
  lines: readonly LineStatus[],
): Found[] {
  const found: Found[] = []
  const role = status?.role.role
  if (role === 'isolated' || role === 'error')
    found.push({
      code: 'not-transmitting',
      text: `This appliance sends nothing: ${status?.role.reason ?? ''}`,
    })
  const reason = ready().reason
  if (lines.length > 0 && readyOf(lines) === 0)
    found.push({
      code: 'no-line-ready',
      text: `No line here can send now: ${reason ?? 'what is ready is muted'}`,
    })
  for (const { view, lag } of others) {
    const name = names.of(view.node)
    if (view.signal === 'DEAD' || view.signal === undefined) {
      const since = view.silentMs === undefined ? {} : { since: clock.now() - view.silentMs }
      const text = `${name} is not heard; if this appliance fails too, nothing is sent`
      found.push({ code: 'member-silent', text, ...rounded(since) })
    }
    if (view.signal === 'LIVE' && lag !== undefined && lag > BEHIND)
      found.push({
        code: 'member-behind',
        text: `${name} lacks much of what was written here and catches up`,
      })
  }
  for (const text of documents?.troubles() ?? []) found.push({ code: 'fax-program-missing', text })
  const conflicts = settings?.conflicts().length ?? 0
  if (conflicts > 0)
    found.push({
      code: 'settings-conflict',
      text: `Settings were changed on two members apart (${conflicts}); look at which value is to stand`,
    })
  for (const { path, text } of settings?.problems().slice(0, MOST_KEPT) ?? [])
    found.push({ code: 'setting-unusable', text: `${path} cannot be used here: ${text}` })
  return found
}

/** Entries; a busy moment is no alarm. */
const BEHIND = 1_000

const rounded = ({ since }: { since?: number }): { since?: number } =>
  since === undefined ? {} : { since: Math.round(since / 1_000) * 1_000 }

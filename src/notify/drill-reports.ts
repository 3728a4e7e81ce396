/**
 * What a drill showed, kept by every member: how long until another one was active, and what became of the messages
 * accepted meanwhile. The member with the fault cannot measure that itself, so the report is a remembered fact that the
 * members write on in turn: who begins it says when the fault is, who becomes active says when it was, and whoever is
 * active when all has settled counts.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { PairStatus, Role, RoleState } from '#pair/contract.ts'
import type { DrillKind } from '#pair/control.ts'
import { DELAY_MS } from '#pair/drill.ts'
import type { MessageView, Store } from '#store/contract.ts'

export interface DrillReport {
  id: string
  kind: DrillKind
  /** The member that the fault was on, and its role then. */
  node: string
  role: Role
  who: string
  /** When the fault began, ms since 1970, by the clock of `node`. */
  at: number
  /** The member that became active; absent when none had to. */
  takenBy?: string
  /** From the fault until then, ms. */
  outage?: number
  /** Of the messages accepted meanwhile. */
  counted?: { messages: number; lost: number; duplicated: number }
}

export interface DrillReports {
  /** A drill begins on this member. @returns the report's id, once it is on disk */
  begin(kind: DrillKind, who: string): Promise<string>
  /** Newest first. */
  list(): readonly DrillReport[]
  /** The role of this member changed. */
  role(state: RoleState): void
  /** Another member may have written on a report. */
  refresh(): Promise<void>
  stop(): void
}

/** Reports that are kept; the oldest makes room. */
const KEPT = 50
/** Everything that a drill brings about has happened by then, ms after the fault. */
const SETTLED_MS = 30_000
/** Messages that were accepted so long before the fault may still have been under way. */
const BEFORE_MS = 2_000
const PAGE = 250
const PAGES = 20

export function createDrillReports(deps: {
  node: string
  store: Pick<Store, 'remember' | 'facts' | 'messages'>
  clock: Clock
  log: Log
  status(): PairStatus
}): DrillReports {
  const { node, store, clock, log, status } = deps
  let reports: { slot: string; report: DrillReport }[] = []
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  /** Since when this member is active, ms since 1970; the report of its drill may reach it later than the role does. */
  let activeSince: number | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** What is written follows what was read before it. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch((error: unknown) => {
      log.warn({ error: errorText(error) }, 'the report of a drill could not be written')
    })
    return done
  }

  async function read(): Promise<void> {
    const facts = await store.facts('drill/')
    reports = facts
      .flatMap(({ name, value }) => {
        const report = parsed(value)
        return report === undefined ? [] : [{ slot: name, report }]
      })
      .sort((a, b) => b.report.at - a.report.at)
    schedule()
  }

  async function write(slot: string, report: DrillReport): Promise<void> {
    await store.remember(slot, JSON.stringify(report))
    await read()
  }

  const running = () => reports.filter(({ report }) => report.counted === undefined)
  const active = () => ['active', 'single'].includes(status().role.role)

  function schedule(): void {
    clearTimeout(timer)
    const next = Math.min(...running().map(({ report }) => report.at)) + SETTLED_MS
    if (stopped || !Number.isFinite(next)) return
    timer = setTimeout(() => void inTurn(count).catch(() => {}), Math.max(1_000, next - clock.now())).unref()
  }

  /** Ends the reports of what has settled. Only one member writes that: the active one. */
  async function count(): Promise<void> {
    await read()
    if (!active()) return
    for (const { slot, report } of running()) {
      if (clock.now() < report.at + SETTLED_MS) continue
      await write(slot, { ...report, counted: await counted(store, report.at) })
    }
  }

  /** Reads the reports, and writes into those of drills that made this member active that they did. */
  async function look(): Promise<void> {
    await read()
    if (activeSince !== undefined) await taken(activeSince)
  }

  async function taken(since: number): Promise<void> {
    for (const { slot, report } of running()) {
      const mine = report.takenBy === undefined && report.node !== node && report.role !== 'standby'
      const skew = status().members.find((member) => member.node === report.node)?.skewMs ?? 0
      const outage = since - (report.at - skew)
      // What happened before the fault, or long after it, is none of its doing.
      if (mine && outage > -DELAY_MS && outage < SETTLED_MS)
        await write(slot, { ...report, takenBy: node, outage: Math.max(0, Math.round(outage)) })
    }
  }

  return {
    begin: (kind, who) =>
      inTurn(async () => {
        await read()
        const at = clock.now() + DELAY_MS
        const used = new Set(reports.map(({ slot }) => slot))
        const free = Array.from({ length: KEPT }, (_, n) => `drill/${n}`).find((slot) => !used.has(slot))
        const slot = free ?? reports.at(-1)?.slot ?? 'drill/0'
        const id = newId(at)
        await write(slot, { id, kind, node, role: status().role.role, who, at })
        return id
      }),
    list: () => reports.map(({ report }) => report),
    role({ role, since }) {
      const serves = role === 'active' || role === 'single'
      activeSince = serves ? clock.now() - (clock.monotonic() - since) : undefined
      if (serves) inTurn(look).catch(() => {})
    },
    refresh: () => inTurn(look),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function parsed(value: string): DrillReport | undefined {
  try {
    const report = JSON.parse(value) as Partial<DrillReport>
    return typeof report.id === 'string' && typeof report.at === 'number'
      ? (report as DrillReport)
      : undefined
  } catch {
    return undefined
  }
}

async function counted(
  store: Pick<Store, 'messages'>,
  at: number,
): Promise<NonNullable<DrillReport['counted']>> {
  const sums = { messages: 0, lost: 0, duplicated: 0 }
  let after: string | undefined
  for (let page = 0; page < PAGES; page += 1) {
    const found = await store.messages({
      since: at - BEFORE_MS,
      until: at + SETTLED_MS,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const view of found.items) add(sums, view)
    after = found.next
    if (after === undefined) break
  }
  return sums
}

const unsent: ReadonlySet<string> = new Set(['failed', 'expired', 'unknown'])

function add(
  sums: { messages: number; lost: number; duplicated: number },
  { deliveries }: MessageView,
): void {
  for (const { state, possibleDuplicate } of deliveries) {
    sums.messages += 1
    if (unsent.has(state)) sums.lost += 1
    if (possibleDuplicate) sums.duplicated += 1
  }
}

/** All of it as a sentence. */
export function drillSentence({ kind, node, role, takenBy, outage = 0, counted: sums }: DrillReport): string {
  const what = `${kind} on ${node}, which was ${role}`
  const who =
    takenBy === undefined
      ? 'nobody had to take over'
      : `${takenBy} was active after ${(outage / 1_000).toFixed(2)} s`
  if (sums === undefined) return `${what}: ${who} so far; what became of the messages is counted soon`
  const { messages, lost, duplicated } = sums
  const plural = messages === 1 ? 'delivery' : 'deliveries'
  return `${what}: ${who}; ${messages} ${plural} accepted meanwhile, ${lost} not sent, ${duplicated} possibly sent twice`
}

/**
 * The gateway's side of the pair: opens membership, replication and guard in their order, keeps them told of each
 * other, and answers what people ask of the pair. The guard decides the role; here it is only passed on.
 *
 *   identity ─▶ replication (opens a new incarnation of the log) ─▶ membership ─▶ ceremony ─▶ guard
 */
import { join } from 'node:path'
import type { Config } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Reason } from '#messages/states.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { type Ceremony, createCeremony } from './ceremony/ceremony.ts'
import { loadPairingKey } from './ceremony/pairing-key.ts'
import { createPairControl } from './commands.ts'
import type { MemberView, PairEvents, PairStatus, RoleState, SwitchResult } from './contract.ts'
import type { PairControl } from './control.ts'
import { createDrill, isSupervised } from './drill.ts'
import { bytesPerHour } from './guard/traffic.ts'
import { type GuardProcess, startGuard } from './guard-process.ts'
import { identityFor } from './links/certificate.ts'
import { openLinks } from './links/links.ts'
import { type Membership, openMembership, otherModes, ownRecord } from './membership.ts'
import { recover } from './recovery.ts'
import { type Replication, startReplication } from './replication/replication.ts'

/** How often the guard hears how the gateway is: several times within the shortest self-check. */
const HEALTH_MS = 200
/** How often the depth of the queue is asked for; it is for people, in heartbeats. */
const DEPTH_MS = 5_000
/** How long an announced stop waits for the others to have everything. */
const FLUSH_MS = 3_000

export type PairedConfig = Config & { pair: NonNullable<Config['pair']> }

export interface PairParts {
  config: PairedConfig
  store: Store & OperationLog
  clock: Clock
  log: Log
  events: PairEvents & {
    /** Nothing may be transmitted from now on, and connections to the address are to be reset. Not awaited. */
    releasing(reason: string): void
    /** The members changed: `joined` when it was this appliance that joined others. */
    members(joined: boolean): void
  }
  /** The gateway's self-check. */
  problem(): Reason | undefined
  linesHealthy(): number
  /** The newest revision of the configuration. */
  revision(): string | undefined
  conflicts(): Promise<readonly { revision: string; path: string }[]>
  audit(who: string, what: string, text: string): void
}

export interface Pair {
  readonly control: PairControl
  readonly replication: Replication
  readonly membership: Membership
  /** The names of the other members. */
  others(): string[]
  readonly config: PairedConfig['pair']
  role(): RoleState
  members(): readonly MemberView[]
  /** The gateway of this member is connected to ours. */
  connected(node: string): boolean
  /** Until when this member may transmit, ms of the monotonic clock; 0 without a guard. */
  transmitUntil(): number
  /** Starts the guard: from now on this appliance may become active. To be called when everything else serves. */
  begin(): void
  /** Announced: gives the address up and says CLOSE. What is in hand may still be finished, and is replicated. */
  leave(): Promise<void>
  /** Brings what others lack to them, and ends. */
  stop(): Promise<void>
}

/** @throws CodedError when the links cannot listen or the certificate cannot be used */
export async function startPair(parts: PairParts): Promise<Pair> {
  const { config, store, clock, log, events, audit } = parts
  const { node, pair } = config
  const directory = join(config.data, 'pair')
  const identity = await identityFor(directory, node)
  const started = new AsyncDisposableStack()

  let ceremony: Ceremony | undefined
  let known: Membership | undefined
  let guard: GuardProcess | undefined
  let queued = 0
  /** While a drill cuts this member off. */
  let cutUntil = Number.NEGATIVE_INFINITY
  const cutOff = () => clock.monotonic() < cutUntil
  /** For the audit log, unless it is known who knocks: nobody needs to look for whoever joins in this moment. */
  const tellRefusal: typeof audit = (address, code, text) => {
    if (code !== 'unknown-certificate' || ceremony?.welcomes(address) !== true) audit(address, code, text)
  }

  const replication = await startReplication({
    store,
    clock,
    log,
    members: [],
    openLinks: (own) =>
      openLinks({
        ...own,
        node,
        identity,
        listen: pair.logListen,
        interval: pair.profile.interval,
        ...(pair.allow.sync === undefined ? {} : { allow: pair.allow.sync }),
        onRefused(address, code, text) {
          // In a drill it is a member that knocks, and nobody needs to look who it is.
          if (!cutOff()) tellRefusal(address, code, text)
        },
        onJoin: (socket) => ceremony?.receive(socket),
        removed: (fingerprint) => known?.removed(fingerprint),
        log: (level, fields, text) => log[level](fields, text),
      }),
    events: { alarm: events.alarm },
  })
  started.defer(() => replication.stop())

  const ports = { guard: pair.listen.port, log: replication.links.listening.port }
  const membership = await openMembership(store, ownRecord(config, identity.fingerprint, ports))
  known = membership
  const logMembers = () =>
    cutOff() ? [] : membership.others().map((each) => ({ ...each, addresses: each.log }))
  const guardMembers = () => membership.others().map((each) => ({ ...each, addresses: each.guard }))
  const former = () => ({ removed: membership.standing() === 'removed', members: membership.former() })
  replication.setMembers(logMembers())

  ceremony = createCeremony({
    identity,
    directory,
    membership,
    clock,
    audit,
    onPairingKey: (key) => guard?.setMembers(guardMembers(), former(), { pairingKey: key, joined: false }),
  })
  started.defer(() => ceremony?.close())
  const compareModes = () => {
    for (const { node: other, mode } of otherModes(membership))
      events.alarm(
        'mode-differs',
        `${other} has pair.mode ${mode}, this member ${pair.mode}; set the same on all`,
      )
  }
  compareModes()
  membership.onChange(({ joined }) => {
    compareModes()
    replication.setMembers(logMembers())
    guard?.setMembers(guardMembers(), former(), { joined })
    events.members(joined)
  })

  const pairingKey = await loadPairingKey(directory)
  const health = () => ({
    ...optional('problem', parts.problem()),
    ...optional('revision', parts.revision()),
    synchronised: replication.synchronised(),
    position: replication.positions().own,
    merged: replication.positions().merged,
    linesHealthy: parts.linesHealthy(),
    queued,
  })
  const notStarted: RoleState = {
    role: 'standby',
    term: { counter: 0, node },
    since: clock.monotonic(),
    reason: 'the guard has not started yet',
  }

  const control = createPairControl({
    node,
    ceremony,
    membership,
    status,
    command: async (command) => (await guard?.command(command)) ?? noGuard,
    drill: createDrill({
      clock,
      status,
      guardPid: () => guard?.pid(),
      supervised: isSupervised(process.env),
      cut(ms) {
        guard?.cut(ms)
        cutUntil = clock.monotonic() + ms
        replication.setMembers(logMembers())
        const heal = setTimeout(() => replication.setMembers(logMembers()), ms + 1)
        started.defer(() => clearTimeout(heal))
      },
      audit,
    }),
    recover: (from) =>
      recover(
        { node, clock, store, status, resynchronise: (member) => again(member), conflicts: parts.conflicts },
        from,
      ),
    audit,
  })

  return {
    control,
    replication,
    membership,
    others: () => membership.others().map((each) => each.node),
    config: pair,
    role: () => guard?.state() ?? notStarted,
    members: () => guard?.views().members ?? [],
    connected: (member) =>
      replication.views().some((view) => view.node === member && view.state !== 'disconnected'),
    transmitUntil: () => guard?.transmitUntil() ?? 0,
    begin() {
      const running = startGuard(
        {
          node,
          pair,
          identity,
          directory,
          log,
          members: guardMembers(),
          former: former(),
          ...optional('pairingKey', pairingKey),
        },
        {
          ...events,
          releasing(reason) {
            events.releasing(reason)
            running.released()
          },
          views: () => {},
          lease: () => {},
          gone: (text) => events.failover(text),
          audit: tellRefusal,
        },
      )
      guard = running
      running.health(health())
      const healthTimer = setInterval(() => running.health(health()), HEALTH_MS)
      started.defer(() => clearInterval(healthTimer))
      const depthTimer = setInterval(() => void look(), DEPTH_MS)
      started.defer(() => clearInterval(depthTimer))
    },
    leave: async () => guard?.stop(),
    async stop() {
      await replication.flush(FLUSH_MS)
      await started.disposeAsync()
    },
  }

  function status(): PairStatus {
    const { members, witness, vipHere } = guard?.views() ?? nothingSeen
    const { name, interval, misses, lease, grantWait } = pair.profile
    return {
      node,
      role: guard?.state() ?? notStarted,
      members: [...members],
      ...optional('witness', witness),
      ...(pair.vip && pair.vip.driver !== 'none'
        ? { vip: { address: pair.vip.address, driver: pair.vip.driver, here: vipHere } }
        : {}),
      profile: { name, interval, misses, lease, grantWait, bytesPerHour: bytesPerHour(pair.profile) },
      replication: replication.views(),
    }
  }

  async function look(): Promise<void> {
    try {
      queued = (await store.depth()).queued
    } catch (error) {
      log.debug({ error: errorText(error) }, 'the depth of the queue could not be read')
    }
  }

  /** Members say hello anew when their links are: each then tells what it holds and what it lacks. */
  function again(from: string | undefined): void {
    replication.setMembers(from === undefined ? [] : logMembers().filter((member) => member.node !== from))
    replication.setMembers(logMembers())
  }
}

const nothingSeen: ReturnType<GuardProcess['views']> = { members: [], vipHere: false }
const noGuard: SwitchResult = {
  result: 'refused',
  code: 'pair-starting',
  text: 'the guard of this appliance has not started yet; try again in a moment',
}

/** A property that is left out when there is no value for it. */
function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V })
}

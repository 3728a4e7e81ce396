/**
 * The guard's executor: it gives the role machine what happens and carries out what the machine decides, one after the
 * other. It decides nothing itself. What must never be late lives in this process, so it waits for nothing: every
 * answer comes as an input of its own.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic } from '#core/clock.ts'
import { errorText, unreachable } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import type { Links } from '../links/contract.ts'
import { openLinks } from '../links/links.ts'
import type { Beat, RoleEffect, RoleInput } from '../role/contract.ts'
import { startMachine, step } from '../role/machine.ts'
import { roleSettings } from '../role/settings.ts'
import { memberViews } from '../role/views.ts'
import { type CommonAddress, openCommonAddress } from './common-address.ts'
import type { Parent } from './parent.ts'
import type { GuardMember, ToGuard } from './protocol.ts'
import { readTerm, writeTerm } from './term-file.ts'
import { decodeBeat, encodeBeat, LARGEST, type Reads, versionFor } from './wire.ts'
import { openWitness } from './witness.ts'

/** Rare heartbeats go over one path at a time: what they cost on the wire is the reason for their profile. */
const RARE_MS = 10_000
const VIEWS_MS = 1_000
/** What was said last may take so long to leave, ms. */
const FLUSH_MS = 200
const FLUSH_STEP_MS = 10
/** The address that an earlier guard left must be gone by then, or its lease ends it. */
const READY_MS = 1_000

type Begin = Extract<ToGuard, { kind: 'begin' }>

export interface Guard {
  take(message: ToGuard): void
  give(input: Extract<RoleInput, { input: 'gatewayGone' | 'stop' }>): void
  /** Gives up the address and ends, whatever the machine thinks. */
  abandon(): Promise<void>
  /** Settles when everything is given up and said. */
  readonly ended: Promise<void>
}

/** A drill ends by itself, whatever it was asked for. */
const LONGEST_CUT_MS = 60_000

const topic = 'beat'

/** Heartbeats that another member waits for now. */
const urgent = (beat: Beat): boolean =>
  beat.asks !== undefined || beat.closing === true || beat.wants !== undefined || beat.declines !== undefined

/** @throws when the brokers' address cannot be listened at */
export async function startGuard(begin: Begin, parent: Parent): Promise<Guard> {
  const { node, pair, directory } = begin
  const { interval, misses } = pair.profile
  const ended = Promise.withResolvers<void>()
  let { former } = begin
  const reads = new Map<string, Reads>()
  const troubles = new Set<string>()
  /** Before the machine runs, what happens waits here. */
  const inputs: RoleInput[] = []
  let running = true
  let begun = false
  let over = false
  let timer: NodeJS.Timeout | undefined
  let leaseUntil = 0
  /** A drill: until then no heartbeat goes or comes. */
  let cutUntil = 0

  const log = (
    level: 'debug' | 'info' | 'warn' | 'error',
    fields: Record<string, unknown>,
    text: string,
  ): void => parent.tell({ kind: 'log', level, fields, text })
  function trouble(text: string): void {
    log('warn', {}, text)
    if (troubles.has(text) || troubles.size > 64) return
    troubles.add(text)
    parent.tell({ kind: 'alarm', code: 'guard-trouble', text })
  }

  const stored = await readTerm(directory)
  if ('problem' in stored) parent.tell({ kind: 'alarm', code: 'term-unreadable', text: stored.problem })
  const address: CommonAddress = openCommonAddress(pair, {
    carrier: (up) => input({ input: 'carrier', up }),
    added() {
      input({ input: 'addressAdded' })
      showViews()
    },
    removed() {
      input({ input: 'addressRemoved' })
      showViews()
    },
    failed: (text) => input({ input: 'addressFailed', text }),
    trouble,
  })
  const late = new AbortController()
  await Promise.race([address.ready, sleep(READY_MS, undefined, { signal: late.signal }).catch(() => {})])
  late.abort()

  const links: Links = await openLinks({
    node,
    identity: begin.identity,
    listen: pair.listen,
    interval,
    ...(interval < RARE_MS && { silence: Math.max(500, interval * misses * 1.5) }),
    largest: LARGEST,
    ...(pair.allow.sync && { allow: pair.allow.sync }),
    onMessage: heard,
    onPaths: (member, paths) => input({ input: 'paths', node: member, paths }),
    removed: (fingerprint) => former.members.find((each) => each.fingerprint === fingerprint)?.node,
    onRefused: (who, what, text) => parent.tell({ kind: 'audit', who, what, text }),
    log,
  }).catch(async (error: unknown) => {
    await address.close()
    throw error
  })
  const witness = await openWitness({
    node,
    pair,
    directory,
    onAnswer: input,
    onEvent: (what, text) => parent.tell({ kind: 'audit', who: 'witness', what, text }),
  })

  function heard(from: string, what: string, payload: Buffer, path: string): void {
    if (what !== topic || monotonic() < cutUntil) return
    const decoded = decodeBeat(payload)
    if ('reads' in decoded) reads.set(from, decoded.reads)
    if ('problem' in decoded) {
      const { problem } = decoded
      trouble(
        `heartbeats of ${from} cannot be read: ${problem === 'version' ? 'its version is too far away' : problem}`,
      )
    } else if (decoded.beat.node === from)
      input({ input: 'beat', beat: decoded.beat, path, wall: wallOffset() + monotonic() })
  }

  const terms = termWriter(directory, input)
  let machine = startMachine(
    roleSettings(node, pair),
    {
      members: begin.members,
      removed: former.removed,
      stored: ('term' in stored ? stored.term : undefined) ?? { counter: 0, node: '' },
      session: randomBytes(6).toString('base64url'),
      wallOffset: wallOffset(),
    },
    monotonic(),
  )

  function input(next: RoleInput): void {
    if (over) return
    inputs.push(next)
    if (!running) work()
  }
  function work(): void {
    running = true
    for (let next = inputs.shift(); next !== undefined && !over; next = inputs.shift()) {
      const { state, effects } = step(machine, next, monotonic())
      machine = state
      for (const effect of effects) perform(effect)
    }
    running = false
    clearTimeout(timer)
    if (!over)
      timer = setTimeout(() => input({ input: 'tick' }), Math.max(0, Math.ceil(machine.wakeAt - monotonic())))
  }

  function perform(effect: RoleEffect): void {
    switch (effect.effect) {
      case 'send': {
        const version = versionFor(reads.get(effect.to))
        if (version === undefined || monotonic() < cutUntil) return
        const rare = interval >= RARE_MS && !urgent(effect.beat)
        links.send(effect.to, topic, encodeBeat(effect.beat, version), rare ? 'turn' : 'all')
        return
      }
      case 'storeTerm':
        terms.store(effect.term)
        return
      case 'probe':
        address.probe().then(
          (answered) => input({ input: 'probed', ...(answered !== undefined && { answered }) }),
          (error: unknown) => trouble(errorText(error)),
        )
        return
      case 'addAddress':
        address.add()
        return
      case 'renewAddress':
        address.renew()
        return
      case 'removeAddress':
        address.remove()
        return
      case 'announce':
        address.announce()
        return
      case 'askWitness':
        witness.ask(effect.request, effect.term, leaseUntil > monotonic(), effect.released)
        return
      case 'releaseWitness':
        witness.release(effect.term)
        return
      case 'askRouter':
        address.router().then(
          (reachable) => input({ input: 'router', reachable }),
          (error: unknown) => trouble(errorText(error)),
        )
        return
      case 'role':
        parent.tell({ kind: 'role', state: effect.state })
        showViews()
        return
      case 'lease':
        leaseUntil = effect.until
        parent.tell({ kind: 'lease', until: effect.until, term: effect.term })
        return
      case 'releasing':
        leaseUntil = 0
        parent.tell({ kind: 'releasing', reason: effect.reason })
        return
      case 'signal':
        parent.tell({ kind: 'signal', node: effect.node, signal: effect.signal })
        showViews()
        return
      case 'alarm':
        parent.tell({ kind: 'alarm', code: effect.code, text: effect.text })
        return
      case 'failover':
        parent.tell({ kind: 'failover', text: effect.text })
        return
      case 'result':
        parent.tell({ kind: 'result', id: effect.id, result: effect.result })
        return
      case 'exit':
        abandon().then(undefined, ended.reject)
        return
      default:
        unreachable(effect)
    }
  }

  function showViews(): void {
    if (!begun || over) return
    const witnessView = witness.view()
    parent.tell({
      kind: 'views',
      members: memberViews(machine, monotonic()),
      ...(witnessView && { witness: witnessView }),
      vipHere: address.here(),
    })
  }
  const views = setInterval(showViews, VIEWS_MS)

  let closing: Promise<void> | undefined
  function abandon(): Promise<void> {
    closing ??= finish()
    return closing
  }
  async function finish(): Promise<void> {
    over = true
    clearTimeout(timer)
    clearInterval(views)
    const gone = address.close()
    for (let left = FLUSH_MS; left > 0; left -= FLUSH_STEP_MS) {
      // Once at least: aedes hands over what it was given in a later turn of the loop.
      await sleep(FLUSH_STEP_MS)
      if (machine.peers.every((peer) => links.waiting(peer.node) === 0)) break
    }
    witness.close()
    await Promise.all([gone, links.close(), terms.idle()])
    ended.resolve()
  }

  function setMembers(members: readonly GuardMember[]): void {
    links.setMembers(members)
    for (const known of [...reads.keys()])
      if (!members.some((member) => member.node === known)) reads.delete(known)
  }
  witness.setKey(begin.pairingKey)
  setMembers(begin.members)
  parent.tell({ kind: 'ready', listening: links.listening })
  begun = true
  work()

  return {
    ended: ended.promise,
    abandon,
    give: input,
    take(message) {
      switch (message.kind) {
        case 'begin':
          return
        case 'members':
          witness.setKey(message.pairingKey)
          former = message.former
          setMembers(message.members)
          input({
            input: 'members',
            members: message.members,
            joined: message.joined === true,
            removed: former.removed,
          })
          return
        case 'cut':
          cutUntil = monotonic() + Math.min(message.ms, LONGEST_CUT_MS)
          return
        case 'health':
          input({ input: 'health', health: message.health })
          return
        case 'command':
          input({ input: 'command', id: message.id, command: message.command })
          return
        case 'released':
          input({ input: 'gatewayReleased' })
          return
        case 'stop':
          input({ input: 'stop' })
          return
        default:
          unreachable(message)
      }
    },
  }
}

/** For people and for the comparison of clocks only: nothing is ordered by it, so it may jump. */
const wallOffset = (): number => performance.timeOrigin + performance.now() - monotonic()

/** One write at a time, the newest term that waits next. */
function termWriter(
  directory: string,
  input: (input: RoleInput) => void,
): { store(term: Term): void; idle(): Promise<void> } {
  let next: Term | undefined
  let busy: Promise<void> | undefined
  async function drain(): Promise<void> {
    for (let term = next; term !== undefined; term = next) {
      next = undefined
      try {
        await writeTerm(directory, term)
        input({ input: 'termStored', term })
      } catch (error) {
        input({ input: 'termRefused', text: errorText(error) })
      }
    }
    busy = undefined
  }
  return {
    store(term) {
      next = term
      busy ??= drain()
    },
    idle: () => busy ?? Promise.resolve(),
  }
}

/**
 * Who belongs to the pair, as this appliance knows it. The records live in the operation log (`member`, `memberRemove`),
 * so that every member learns of each admission and removal; what is pinned follows from them. An appliance whose own
 * record is gone while others remain was removed: it trusts nobody any more and nobody trusts it.
 *
 * Touches the store only. Changes are made one after another.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config, Listen } from '#config/types.ts'
import type { MemberRecord } from '#messages/operation.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { addressText } from './links/address.ts'

/** `removed`: another member removed this one; until it joins again it is as alone as a single one. */
export type Standing = 'single' | 'member' | 'removed'

export interface Membership {
  readonly own: MemberRecord
  standing(): Standing
  /** All members but this one; nobody when it is single or removed. */
  others(): readonly MemberRecord[]
  /** Members that were removed, the newest at the end. */
  former(): readonly Gone[]
  /** The name of a member that was removed, by its certificate, so that its refusal can say so. */
  removed(fingerprint: string): string | undefined
  /** Takes in a member; settles when it is on disk. */
  admit(member: MemberRecord): Promise<void>
  /** This appliance becomes a member among these, or single. What it knew of others is forgotten. */
  join(members: readonly MemberRecord[]): Promise<void>
  /**
   * @param told awaited between the entry in the log and the cut, so that the removed one can still learn of it
   * @returns false when there is no such other member
   */
  remove(node: string, told: () => Promise<void>): Promise<boolean>
  /** Looks at the store again: entries of other members changed something. */
  reload(): Promise<void>
  /** Told after every change, in order. `joined`: it was this appliance that joined. */
  onChange(listener: (change: MembershipChange) => void): void
}

export interface MembershipChange {
  others: readonly MemberRecord[]
  standing: Standing
  joined: boolean
  /** Certificates that are pinned no longer. */
  dropped: readonly MemberRecord[]
}

type UsedStore = Pick<OperationLog, 'operate' | 'members'> & Pick<Store, 'remember' | 'recall'>

/** The name under which the store remembers who was removed. */
const REMOVED = 'pair.removed'
const MOST_REMOVED = 64

export type Gone = { node: string; fingerprint: string }

/**
 * Under which name the store remembers that a removed member went on alone: the counter of the first term in which it
 * sent by itself, 0 until there is one. What is older may have been sent by its former pair.
 */
export const wentAlone = (node: string): string => `pair.alone.${node}`

/** @param own the record as it is now; where the log has an older one, it is brought up to date */
export async function openMembership(store: UsedStore, own: MemberRecord): Promise<Membership> {
  let listed: readonly MemberRecord[] = []
  let gone: readonly Gone[] = []
  const listeners: ((change: MembershipChange) => void)[] = []
  let turn: Promise<unknown> = Promise.resolve()

  const known = () => listed.some(({ node }) => node === own.node)
  const others = () => (known() ? listed.filter(({ node }) => node !== own.node) : [])
  function standing(): Standing {
    if (others().length > 0) return 'member'
    return listed.length > 0 && !known() ? 'removed' : 'single'
  }

  async function load(): Promise<void> {
    const [members, text] = await Promise.all([store.members(), store.recall(REMOVED)])
    listed = members
    gone = text === undefined ? [] : (JSON.parse(text) as Gone[])
  }

  async function refresh(before: readonly MemberRecord[], was: Standing, joined: boolean): Promise<void> {
    await load()
    const now = others()
    const dropped = before.filter(({ fingerprint }) => !now.some((each) => each.fingerprint === fingerprint))
    if (!joined && was === standing() && isDeepStrictEqual(before, now)) return
    for (const listener of listeners) listener({ others: now, standing: standing(), joined, dropped })
  }

  /** One after another, and the listeners hear of each. */
  function change<T>(work: () => Promise<T>, joined = false): Promise<T> {
    const done = turn.then(async () => {
      const before = others()
      const was = standing()
      const result = await work()
      await refresh(before, was, joined)
      return result
    })
    turn = done.catch(() => {})
    return done
  }

  /** Writes what is not in the log yet, this appliance itself first. */
  async function list(members: readonly MemberRecord[]): Promise<void> {
    // Records of a pair that this appliance has left must not come along into the next one.
    const stale = known() && standing() === 'member' ? [] : listed.filter(({ node }) => node !== own.node)
    for (const { node } of stale) {
      if (!members.some((member) => member.node === node)) await store.operate({ op: 'memberRemove', node })
    }
    for (const member of [own, ...members.filter(({ node }) => node !== own.node)]) {
      const same = listed.find(({ node }) => node === member.node)
      if (!isDeepStrictEqual(same, member)) await store.operate({ op: 'member', member })
    }
    const still = gone.filter(
      ({ fingerprint }) => !members.some((member) => member.fingerprint === fingerprint),
    )
    if (still.length < gone.length) await store.remember(REMOVED, JSON.stringify(still))
  }

  /** A removed member goes on without its former pair. */
  async function leave(): Promise<void> {
    if (standing() === 'removed') await store.remember(wentAlone(own.node), '0')
  }

  await load()
  const stored = listed.find(({ node }) => node === own.node)
  // With another certificate nobody would believe the change; joining again is the way then.
  if (stored?.fingerprint === own.fingerprint && !isDeepStrictEqual(stored, own)) {
    await store.operate({ op: 'member', member: own })
    await load()
  }

  return {
    own,
    standing,
    others,
    former: () => gone,
    removed: (fingerprint) => gone.find((each) => each.fingerprint === fingerprint)?.node,
    admit: (member) =>
      change(async () => {
        await leave()
        await list([...others().filter(({ node }) => node !== member.node), member])
      }),
    join: (members) =>
      change(async () => {
        if (members.length === 0) await leave()
        await list(members)
      }, members.length > 0),
    remove: (node, told) =>
      change(async () => {
        const member = others().find((each) => each.node === node)
        if (member === undefined) return false
        const { fingerprint } = member
        await store.remember(REMOVED, JSON.stringify([...gone, { node, fingerprint }].slice(-MOST_REMOVED)))
        await store.operate({ op: 'memberRemove', node })
        await told()
        return true
      }),
    reload: () => change(async () => {}),
    onChange: (listener) => {
      listeners.push(listener)
    },
  }
}

/** Hosts that mean every address of a box, or only the box itself: no other one reaches them as they stand. */
const everywhere = new Set(['0.0.0.0', '::', '*', ''])
const loopback = /^(127\.|::1$|localhost$)/

/** What other members are told of this one. @param ports as they were bound, where the configuration leaves them open */
export function ownRecord(
  {
    node,
    pair,
    http,
    https,
  }: Pick<Config, 'node' | 'http' | 'https'> & { pair: NonNullable<Config['pair']> },
  fingerprint: string,
  ports: { guard: number; log: number },
): MemberRecord {
  const hosts = [...new Set(pair.advertise.map(({ host }) => host))]
  const web = (
    [
      ['https', https?.listen],
      ['http', http?.listen],
    ] as const
  ).flatMap(([scheme, listen]) => (listen === undefined ? [] : webAddresses(scheme, listen, hosts)))
  return {
    node,
    fingerprint,
    guard: pair.advertise.map(({ host, port }) =>
      addressText({ host, port: port === 0 ? ports.guard : port }),
    ),
    log: hosts.map((host) => addressText({ host, port: ports.log })),
    ...(web.length === 0 ? {} : { web }),
    priority: pair.priority,
    mode: pair.mode,
  }
}

/** Members whose `pair.mode` is another one, so that each would have a wrong idea of what the other one transmits. */
export const otherModes = ({ own, others }: Pick<Membership, 'own' | 'others'>): MemberRecord[] =>
  others().filter(({ mode }) => mode !== undefined && mode !== own.mode)

function webAddresses(scheme: string, { host, port }: Listen, hosts: readonly string[]): string[] {
  if (port === 0 || loopback.test(host)) return []
  const reached = everywhere.has(host) ? hosts : [host]
  return reached.map((each) => `${scheme}://${addressText({ host: each, port })}`)
}

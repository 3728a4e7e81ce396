/**
 * Recovery after an outage, as one command on either box: asks the other members for what is missing here, brings them
 * what is missing there, waits until both hold the same, and says in plain words what it found and what is left to do.
 * Replication would do the first two by itself; this makes it happen now, and shows it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'
import type { MessageView, OperationLog, Store } from '#store/contract.ts'
import type { PairStatus } from './contract.ts'
import type { RecoveredMember, RecoveryReport, Refused } from './control.ts'

export interface RecoveryParts {
  node: string
  clock: Clock
  store: Pick<OperationLog, 'positions' | 'complete'> & Pick<Store, 'messages'>
  status(): PairStatus
  /** Asks this member, or all, anew for what they hold and what they lack. */
  resynchronise(from?: string): void
  /** Settings that were changed apart and that nobody has looked at yet. */
  conflicts(): Promise<readonly { revision: string; path: string }[]>
}

/** Below the minute after which a silent HTTP connection is cut. */
const LONGEST_MS = 50_000
const LOOK_MS = 100
/** Nothing changed for so long, and members are missing: they will not come now. */
const UNREACHED_MS = 10_000
/** Newest messages that are looked through for possible duplicates. */
const PAGES = 8
const PAGE = 250
const MOST_LISTED = 50

export async function recover(
  { node, clock, store, status, resynchronise, conflicts }: RecoveryParts,
  from: string | undefined,
): Promise<RecoveryReport | Refused> {
  const names = status().members.map((member) => member.node)
  if (names.length === 0) {
    return {
      result: 'refused',
      code: 'pair-single',
      text: 'no other appliance is a member, so there is nobody to ask',
    }
  }
  if (from !== undefined && !names.includes(from)) {
    return {
      result: 'refused',
      code: 'member-unknown',
      text: `${from} is no other member; members: ${names.join(', ')}`,
      values: { members: names.join(', ') },
    }
  }
  const asked = from === undefined ? names : [from]
  const before = await heights(store)
  const owed = new Map(status().replication.map((each) => [each.node, each.behind]))
  resynchronise(from)
  await settle(() => status(), asked, store, clock)

  const after = await heights(store)
  const { replication } = status()
  const members = asked.map((name): RecoveredMember => {
    const view = replication.find((each) => each.node === name)
    const behind = view?.behind ?? 0
    return {
      node: name,
      reached: view !== undefined && view.state !== 'disconnected',
      received: (after.get(name) ?? 0) - (before.get(name) ?? 0),
      sent: Math.max(0, (owed.get(name) ?? 0) - behind),
      behind,
    }
  })
  const whole = store.complete()
  const same = whole && members.every((member) => member.reached && holdsSame(status(), member.node))
  const open = await conflicts()
  const duplicates = await possibleDuplicates(store)
  return {
    steps: steps(node, members, status(), whole),
    members,
    conflicts: open,
    duplicates,
    same,
    advice: advice(members, status(), open.length, duplicates.length),
  }
}

const holdsSame = ({ replication }: PairStatus, node: string): boolean =>
  replication.some((each) => each.node === node && each.state === 'current' && each.behind === 0)

/** Entries of each member's logs that are on this disk. */
async function heights(store: Pick<OperationLog, 'positions'>): Promise<Map<string, number>> {
  const sums = new Map<string, number>()
  for (const { origin, sequence } of await store.positions()) {
    sums.set(origin, (sums.get(origin) ?? 0) + sequence)
  }
  return sums
}

/** Until all asked hold the same, or nobody new can be expected. */
async function settle(
  status: () => PairStatus,
  asked: readonly string[],
  store: Pick<OperationLog, 'complete'>,
  clock: Clock,
): Promise<void> {
  const begun = clock.monotonic()
  let changed = begun
  let last = ''
  for (;;) {
    // The request is under way first: what it finds behind shows only then.
    await pause(LOOK_MS)
    const { replication } = status()
    if (store.complete() && asked.every((node) => holdsSame(status(), node))) return
    const picture = JSON.stringify(replication)
    const now = clock.monotonic()
    if (picture !== last) changed = now
    last = picture
    if (now - begun > LONGEST_MS) return
    const connected = replication.some(({ node, state }) => asked.includes(node) && state !== 'disconnected')
    if (!connected && now - changed > UNREACHED_MS) return
  }
}

function steps(
  node: string,
  members: readonly RecoveredMember[],
  { role }: PairStatus,
  whole: boolean,
): string[] {
  const sentences = [
    `${node} is ${role.role}${role.active === undefined || role.active === node ? '' : `, ${role.active} is active`}.`,
  ]
  for (const member of members) {
    if (!member.reached) {
      sentences.push(`${member.node} was not reached.`)
      continue
    }
    const took =
      member.received === 0 ? 'had nothing new' : `gave ${entries(member.received)} that ${node} lacked`
    const gave = member.sent === 0 ? 'lacked nothing' : `took ${entries(member.sent)} that it lacked`
    sentences.push(
      `${member.node} ${took} and ${gave}.${member.behind === 0 ? '' : ` It still lacks ${entries(member.behind)}.`}`,
    )
  }
  if (!whole) sentences.push(`${node} is still receiving a copy of everything.`)
  return sentences
}

const entries = (count: number): string => (count === 1 ? '1 entry' : `${count} entries`)

function advice(
  members: readonly RecoveredMember[],
  { replication }: PairStatus,
  conflicts: number,
  duplicates: number,
): string[] {
  const sentences: string[] = []
  for (const { node, reached, behind } of members) {
    const problem = replication.find((each) => each.node === node)?.problem
    if (!reached) sentences.push(`Start ${node}, or look at the network between the two, and run this again.`)
    else if (problem !== undefined)
      sentences.push(`The disk of ${node} takes no more writes (${problem}): free space on it.`)
    else if (behind > 0) sentences.push(`${node} is still catching up: run this again in a minute.`)
  }
  if (conflicts > 0) {
    sentences.push(
      'Settings were changed on both sides apart: twinline config conflicts shows which stands; restore the other where it was right.',
    )
  }
  if (duplicates > 0) {
    sentences.push(
      'Some messages may have been received twice; each is flagged possibleDuplicate. Nothing needs to be done.',
    )
  }
  return sentences
}

async function possibleDuplicates(store: Pick<Store, 'messages'>): Promise<RecoveryReport['duplicates']> {
  const found: { message: string; delivery: string; to: string }[] = []
  let after: string | undefined
  for (let page = 0; page < PAGES && found.length < MOST_LISTED; page += 1) {
    const { items, next } = await store.messages({ limit: PAGE, ...(after === undefined ? {} : { after }) })
    found.push(...items.flatMap(flagged))
    if (next === undefined) break
    after = next
  }
  return found.slice(0, MOST_LISTED)
}

const flagged = ({ message, deliveries }: MessageView) =>
  deliveries
    .filter(({ possibleDuplicate }) => possibleDuplicate)
    .map(({ id, to }) => ({ message: message.id, delivery: id, to }))

/**
 * In mode active-active a member sends what it accepted. What it has no line for it hands to a member that has one
 * (operation `hand`): when the routes lead to lines of other members only, or when every own line that they name has
 * been out of use for a while. Nobody gets a delivery a second time, so none goes round in circles; when everybody had
 * it, it goes back to the one that accepted it, and stays there.
 *
 * Decides in pure functions, and acts on what the loop's window holds: a delivery that is handed on has left it before.
 */
import type { Log } from '#core/log.ts'
import type { MemberView } from '#pair/contract.ts'
import type { Claim, OperationLog, Store } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'
import type { Router, Tiers } from './routing.ts'
import type { Held, Window } from './window.ts'

/** How long a line may be out of use before its deliveries are handed on, ms: a replugged modem is back sooner. */
export const PATIENCE_MS = 10_000
/** Handed on at a time; each is an entry of the log. */
const BATCH = 100

/** Whether no line of these tiers has been usable lately. @param usedAt when it was usable last, ms; undefined: not ours */
export const isStranded = (
  tiers: Tiers,
  usedAt: (line: string) => number | undefined,
  now: number,
): boolean => tiers.flat().every((line) => now - (usedAt(line) ?? Number.NEGATIVE_INFINITY) > PATIENCE_MS)

/** It is heard and well, and has a line that works. */
export const canSend = ({ signal, healthy, linesHealthy = 0 }: MemberView): boolean =>
  signal === 'LIVE' && healthy !== false && linesHealthy > 0

/**
 * Who gets it: a member that is heard and well, has a line that works and has not had it, of several the one with the
 * shortest queue; else the one that accepted it.
 * @param named members by whose lines the routes lead to its recipient; undefined where any member's will do
 */
export function chooseMember(
  { delivery: { handed = [] }, message }: Claim,
  named: readonly string[] | undefined,
  members: readonly MemberView[],
): string | undefined {
  const able = members
    .filter(canSend)
    .filter(({ node }) => named?.includes(node) ?? true)
    .sort((a, b) => (a.queued ?? 0) - (b.queued ?? 0) || (a.node < b.node ? -1 : 1))
  const next =
    able.find(({ node }) => !handed.includes(node)) ?? able.find(({ node }) => node === message.node)
  return next?.node
}

export interface HandingDependencies {
  store: Pick<OperationLog, 'operate'> & Pick<Store, 'release'>
  log: Log
  ownership: Pick<Ownership, 'takers'>
}

/** @returns whether anything was handed on, so that there is room for more */
export async function handOn(
  deps: HandingDependencies,
  window: Window,
  router: Router,
  usedAt: (line: string) => number | undefined,
  now: number,
): Promise<boolean> {
  const { store, log, ownership } = deps
  const members = ownership.takers()
  if (members.length === 0) return false
  const chosen: { held: Held; to: string }[] = []
  for (const held of window.among((tiers) => isStranded(tiers, usedAt, now))) {
    if (chosen.length === BATCH) break
    const to = chooseMember(held, router.members(held.delivery.to), members)
    if (to !== undefined) chosen.push({ held, to })
  }
  for (const { held } of chosen) window.remove(held.delivery.id)
  try {
    await Promise.all(
      chosen.map(async ({ held: { delivery }, to }) => {
        await store.operate({ op: 'hand', delivery: delivery.id, to })
        log.info({ delivery: delivery.id, to }, 'handed to a member that has a line for it')
      }),
    )
  } finally {
    // Where the disk refused the entry it is still this member's, and is claimed again.
    if (chosen.length > 0) await store.release(chosen.map(({ held }) => held.delivery.id))
  }
  return chosen.length > 0
}

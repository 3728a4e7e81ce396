/**
 * What dispatch does when the pair changes: takes the role over in order, tells the loop, wakes and rests other
 * members' lines. The guard may change its mind faster than a disk writes, so changes are taken one after another.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { RoleState, Signal } from '#pair/contract.ts'
import type { Loop } from './loop.ts'
import type { PairOwnership } from './pair-ownership.ts'
import type { PassiveLines } from './passive-lines.ts'

/** After a failed takeover, and while the connection of a silent member has not ended yet, ms. */
const AGAIN_MS = 1_000

export interface Leadership {
  role(state: RoleState): void
  signal(node: string, signal: Signal): void
}

export function followLeadership(deps: {
  ownership: PairOwnership
  loop: Pick<Loop, 'ownershipChanged' | 'adopt'>
  passive: PassiveLines
  log: Log
}): Leadership {
  const { ownership, loop, passive, log } = deps
  let turn: Promise<void> = Promise.resolve()
  let newest: RoleState | undefined

  function then(work: () => Promise<void>, failed: () => void): void {
    turn = turn.then(work).catch((error: unknown) => {
      log.error({ error: errorText(error) }, 'a change of the pair could not be followed')
      failed()
    })
  }

  function follow(state: RoleState): void {
    newest = state
    then(
      async () => {
        if (await ownership.follow(state)) await loop.ownershipChanged()
        updateLines()
      },
      () => {
        // A role is told once. A disk that was full at that moment must not leave an active that never sends.
        setTimeout(() => {
          if (newest === state) follow(state)
        }, AGAIN_MS).unref()
      },
    )
  }

  const looks = new Map<string, NodeJS.Timeout>()

  /** A frozen member falls silent first and is cut off later; until then it counts as alive. */
  function lookAgain(node: string): void {
    if (!ownership.alive(node)) return
    const look = () => {
      updateLines()
      lookAgain(node)
    }
    looks.set(node, setTimeout(look, AGAIN_MS).unref())
  }

  const updateLines = () => passive.update(ownership.owner().active, (node) => ownership.alive(node))

  return {
    role: follow,
    signal(node, signal) {
      if (signal === 'LIVE') ownership.met()
      clearTimeout(looks.get(node))
      then(
        async () => {
          if (signal !== 'LIVE') await loop.adopt()
          updateLines()
          clearTimeout(looks.get(node))
          if (signal !== 'LIVE') lookAgain(node)
        },
        // The loop's own periodic look adopts again.
        () => {},
      )
    },
  }
}

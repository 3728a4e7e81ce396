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

  function then(work: () => Promise<void>): void {
    turn = turn.then(work).catch((error: unknown) => {
      // The loop's own periodic look tries again.
      log.error({ error: errorText(error) }, 'a change of the role could not be followed')
    })
  }

  const updateLines = () => passive.update(ownership.owner().active, (node) => ownership.alive(node))

  return {
    role: (state) =>
      then(async () => {
        if (await ownership.follow(state)) await loop.ownershipChanged()
        updateLines()
      }),
    signal(_node, signal) {
      if (signal === 'LIVE') ownership.met()
      then(async () => {
        if (signal !== 'LIVE') await loop.adopt()
        updateLines()
      })
    },
  }
}

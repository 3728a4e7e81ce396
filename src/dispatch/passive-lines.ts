/**
 * Definitions of another member's lines: connected while that member is lost and this one is active, so that its modems
 * and accounts (at a serial device server, say) go on serving; let go as soon as it is back.
 */
import type { LineConfig } from '#config/types.ts'
import type { Line } from '#lines/contract.ts'

export interface PassiveLines {
  /** To be called whenever the role or what is seen of a member changed. */
  update(active: boolean, alive: (node: string) => boolean): void
}

export function passiveLines(
  configs: readonly Pick<LineConfig, 'id' | 'passive'>[],
  lines: readonly Pick<Line, 'id' | 'wake' | 'rest'>[],
): PassiveLines {
  const owners = new Map(configs.flatMap(({ id, passive }) => (passive === undefined ? [] : [[id, passive]])))
  return {
    update(active, alive) {
      for (const line of lines) {
        const owner = owners.get(line.id)
        if (owner === undefined) continue
        if (active && !alive(owner)) line.wake()
        else line.rest()
      }
    },
  }
}

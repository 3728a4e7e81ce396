/**
 * Why a delivery that is due has not begun: none of the lines that may send it can be used. Nothing is written for it; it
 * is looked at when somebody asks. One that waits only because its line is busy with others waits for nothing else. Pure.
 */
import type { LineStatus } from '#lines/contract.ts'
import type { Delivery } from '#messages/message.ts'
import type { Reason } from '#messages/states.ts'
import type { Tiers } from './routing.ts'

/** A line that may send it, and why it cannot be used. */
export interface WaitingLine {
  line: string
  reason: Reason
  /** When it can be used again, as far as that is known; ms since 1970. */
  until?: number
}

/**
 * @param may whether a line has some of its budget left
 * @param now ms since 1970
 * @returns the lines in the order in which they would be taken; none where nothing is in the way
 */
export function waitsFor(
  { state, due }: Pick<Delivery, 'state' | 'due'>,
  tiers: Tiers,
  lines: ReadonlyMap<string, LineStatus>,
  may: (line: string) => boolean,
  now: number,
): WaitingLine[] {
  if ((state !== 'queued' && state !== 'claimed') || due > now) return []
  const waiting: WaitingLine[] = []
  for (const line of tiers.flat()) {
    const status = lines.get(line)
    const why = status === undefined ? undefined : outOfUse(status, may)
    if (why === undefined) return []
    waiting.push({ line, ...why })
  }
  return waiting
}

function outOfUse(
  { id, state, reason, muted }: LineStatus,
  may: (line: string) => boolean,
): Omit<WaitingLine, 'line'> | undefined {
  if (state === 'disabled') return { reason: { code: 'disabled', text: 'The line was switched off' } }
  if (state !== 'ready') return { reason: reason ?? { code: 'not-ready', text: 'The line is not ready yet' } }
  if (muted !== undefined) return { reason: { code: 'muted', text: 'The line is muted' }, until: muted }
  if (!may(id)) return { reason: { code: 'line-budget', text: 'The budget of the line is used up' } }
  return undefined
}

/** `takeover` on a standby and `handover` on the active: begun at once, answered when done or when it is clear why not. */
import type { SwitchResult } from '../contract.ts'
import { bestStandby, gatewayAlive } from './condition.ts'
import { leave } from './leaving.ts'
import type { Draft, RoleMachine } from './state.ts'
import { activePeer, voting } from './votes.ts'

/** Over what a take-over by waiting out the lease needs: for the disk, the address, the votes. ms */
const EXTRA = 5_000

export function command(d: Draft, id: number, which: 'takeover' | 'handover'): void {
  const { s, now } = d
  const refusal =
    s.command !== undefined ? busy : which === 'takeover' ? noTakeover(s, now) : noHandover(s, now)
  if (refusal !== undefined) {
    answer(d, id, refusal)
    return
  }
  if (which === 'takeover' && s.phase === 'serving') {
    answer(d, id, { result: 'done' })
    return
  }
  s.command = { id, command: which, at: now, until: now + 2 * s.settings.profile.grantWait + EXTRA }
  s.retryAt = now
  if (which === 'handover') {
    const standby = bestStandby(s, now, true)
    if (standby !== undefined) leave(d, `told to hand over to ${standby.node}`, standby.node)
  } else {
    s.yieldUntil = now
  }
}

const refused = (code: string, text: string): SwitchResult => ({ result: 'refused', code, text })

const busy: SwitchResult = {
  result: 'refused',
  code: 'switch-under-way',
  text: 'another switch is under way; wait for its end',
}

function noTakeover(s: RoleMachine, now: number): SwitchResult | undefined {
  if (!gatewayAlive(s, now)) {
    return { result: 'refused', code: 'gateway-silent', text: 'the gateway of this box does not answer' }
  }
  if (!s.carrier && voting(s) !== 'alone') {
    return {
      result: 'refused',
      code: 'no-carrier',
      text: 'the interface of the common address has no carrier',
    }
  }
  return undefined
}

function noHandover(s: RoleMachine, now: number): SwitchResult | undefined {
  if (s.phase !== 'serving' || voting(s) === 'alone') {
    return { result: 'refused', code: 'not-active', text: 'only the active member of a pair can hand over' }
  }
  if (bestStandby(s, now, true) === undefined) {
    return {
      result: 'refused',
      code: 'no-standby',
      text: 'no other member is heard, healthy and synchronised',
    }
  }
  return undefined
}

/** Whether the command is done, impossible, or out of time. */
export function followCommand(d: Draft): void {
  const { s, now } = d
  const { command: under } = s
  if (under === undefined) return
  const active = activePeer(s, now)
  if (under.command === 'takeover') {
    if (s.phase === 'serving') finish(d, { result: 'done' })
    else if (active?.beat?.declines !== undefined && (active.acknowledged ?? 0) > under.at) {
      finish(d, refused(active.beat.declines, `${active.node} does not hand over: ${active.beat.declines}`))
    }
  } else if (s.phase === 'waiting' && active !== undefined) {
    finish(d, { result: 'done' })
  } else if (s.phase === 'serving' && now > under.at && s.released === undefined) {
    finish(d, {
      result: 'refused',
      code: 'handover-failed',
      text: 'the standby did not take over; this box serves again',
    })
  }
  if (s.command === under && now >= under.until) {
    finish(d, { result: 'refused', code: 'switch-timeout', text: `not done in time: ${s.reason}` })
  }
}

function finish(d: Draft, result: SwitchResult): void {
  const { command: under } = d.s
  d.s.command = undefined
  if (under !== undefined) answer(d, under.id, result)
}

function answer({ out }: Draft, id: number, result: SwitchResult): void {
  out.push({ effect: 'result', id, result })
}

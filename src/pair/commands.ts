/**
 * The commands of control.ts out of the parts that do the work: looks at what is asked, refuses with a reason, tells the
 * audit log, and hands on.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Ceremony } from './ceremony/ceremony.ts'
import type { PairStatus, SwitchResult } from './contract.ts'
import type { DrillKind, DrillResult, PairControl, RecoveryReport, Refused } from './control.ts'
import type { Membership } from './membership.ts'

export interface CommandParts {
  node: string
  ceremony: Ceremony
  membership: Membership
  status(): PairStatus
  /** The guard's answer, within its own time. */
  command(command: 'takeover' | 'handover'): Promise<SwitchResult>
  drill(kind: DrillKind, who: string): Promise<DrillResult>
  recover(from: string | undefined): Promise<RecoveryReport | Refused>
  audit(who: string, what: string, text: string): void
}

/** How long a removed member has to learn of it before it is cut off, ms. */
const TOLD_MS = 2_000
const LOOK_MS = 50

export function createPairControl(parts: CommandParts): PairControl {
  const { node, ceremony, membership, status, audit } = parts

  function active(): string | undefined {
    const { role, members } = status()
    return role.active ?? members.find((member) => member.role === 'active' && member.signal === 'LIVE')?.node
  }

  async function change(command: 'takeover' | 'handover', who: string): Promise<SwitchResult> {
    const result = await parts.command(command)
    const text = result.result === 'done' ? `${command} on command` : `${command}: ${result.text}`
    audit(who, result.result === 'done' ? `pair-${command}` : result.code, text)
    return result
  }

  /** It can act on its removal only if it hears of it: a box that keeps believing would reach for the address. */
  async function told(removed: string): Promise<void> {
    for (let waited = 0; waited < TOLD_MS; waited += LOOK_MS) {
      const view = status().replication.find((each) => each.node === removed)
      if (view === undefined || view.state === 'disconnected' || (waited > 0 && view.behind === 0)) return
      await pause(LOOK_MS)
    }
  }

  return {
    status,
    standing: membership.standing,
    members: () => [membership.own, ...membership.others()],

    activeAt() {
      const name = active()
      return membership.others().find((each) => each.node === name)?.web ?? []
    },

    async invite(who) {
      return { result: 'done', ...(await ceremony.invite(who)) }
    },

    async join(code, who) {
      const joined = await ceremony.join(code, who)
      if (joined.result === 'refused') return joined
      return {
        result: 'done',
        inviter: joined.inviter.node,
        members: joined.members.map((member) => member.node),
      }
    },

    async takeover(who) {
      if (membership.standing() === 'removed') {
        await membership.join([])
        audit(who, 'pair-left', 'this appliance was removed from its pair; on command it goes on alone')
      }
      return change('takeover', who)
    },
    handover: (who) => change('handover', who),

    async remove(name, who) {
      if (name === node) {
        const text = 'a member cannot remove itself; run this on another one'
        return { result: 'refused', code: 'member-self', text }
      }
      const view = status().members.find((member) => member.node === name)
      if (view?.signal === 'LIVE' && active() === name) {
        const text = `${name} is active: run twinline pair handover on it first, so that clients are not cut off`
        return { result: 'refused', code: 'member-active', text, values: { member: name } }
      }
      if (!(await membership.remove(name, () => told(name)))) {
        const others = membership.others().map((member) => member.node)
        const text = `there is no other member ${name}; members: ${others.join(', ') || 'none'}`
        return { result: 'refused', code: 'member-unknown', text, values: { members: others.join(', ') } }
      }
      audit(
        who,
        'pair-removed',
        `${name} was removed; it is refused everywhere until it joins with a new code`,
      )
      return { result: 'done' }
    },

    drill: parts.drill,

    async recover(from, who) {
      const report = await parts.recover(from)
      if ('same' in report) audit(who, 'pair-recovered', report.steps.join(' '))
      return report
    },
  }
}

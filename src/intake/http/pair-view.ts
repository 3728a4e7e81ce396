/** The pair as people and programs see it from outside: roles with their names, times as text, promises in figures. */
import { expectedFailover, promises } from '#config/promises.ts'
import type { Clock } from '#core/clock.ts'
import type { MemberRecord } from '#messages/operation.ts'
import type { MemberView, PairStatus, Role } from '#pair/contract.ts'
import type { PairService } from './pair-routes.ts'
import type * as schemas from './pair-schemas.ts'
import type { Shape } from './schemas.ts'
import { iso } from './views.ts'

type Status = Shape<typeof schemas.pairStatus>

export const roleLabels: Record<Role, string> = {
  active: 'Active (Primary)',
  standby: 'Standby (Backup)',
  single: 'Single',
  isolated: 'Isolated',
  error: 'Error',
}

/** @param revision the newest of the settings here */
export function pairView(
  { control, config, toStart = 0 }: Pick<PairService, 'control' | 'config' | 'toStart'>,
  clock: Clock,
  revision: string | undefined,
): Status {
  const { node, role, members, witness, vip, profile, replication } = control.status()
  const records = control.members()
  const views = new Map(members.map((view) => [view.node, view]))
  const others = records.filter((record) => record.node !== node)
  return {
    node,
    fingerprint: records.find((record) => record.node === node)?.fingerprint ?? '',
    standing: control.standing(),
    role: role.role,
    label: roleLabels[role.role],
    term: role.term,
    since: iso(clock.now() - Math.max(0, Math.round(clock.monotonic() - role.since))),
    reason: role.reason,
    ...(role.active === undefined ? {} : { active: role.active }),
    ...(revision === undefined ? {} : { revision }),
    failover: expectedFailover(config.profile, toStart),
    ...(vip === undefined ? {} : { vip }),
    members: others.map((record) => memberView(record, views.get(record.node), replication)),
    ...(witness === undefined ? {} : { witness }),
    profile,
    promises: promises(config.profile, {
      // A third member has a vote as a witness has.
      witness: config.witness !== undefined || others.length > 1,
      selfCheck: config.selfCheck,
      ...(config.vip === undefined ? {} : { driver: config.vip.driver }),
    }),
  }
}

function memberView(
  { node, fingerprint, guard, priority }: MemberRecord,
  view: MemberView | undefined,
  replication: PairStatus['replication'],
): Status['members'][number] {
  const { position, paths = [], ...seen } = view ?? { node }
  const copy = replication.find((each) => each.node === node)
  return {
    ...seen,
    fingerprint,
    addresses: [...guard],
    priority,
    label: memberLabel(view),
    paths,
    ...(position === undefined ? {} : { position: position.sequence }),
    ...(copy === undefined ? {} : { replication: { ...without(copy) } }),
  }
}

const without = ({ node: _, ...rest }: PairStatus['replication'][number]) => rest

/** What a silent member said last is no longer true of it. */
export function memberLabel(view: MemberView | undefined): string {
  if (view?.signal === 'CLOSE') return 'Stopped'
  if (view?.signal === 'DEAD') return roleLabels.error
  return view?.role === undefined ? 'Unknown' : roleLabels[view.role]
}

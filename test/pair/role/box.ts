/** What the world of the role machine is made of: profiles, a box with all that belongs to it, events in their order. */
import type { HeartbeatProfile } from '#config/types.ts'
import type { Term } from '#messages/operation.ts'
import type { RoleState } from '#pair/contract.ts'
import type { GatewayHealth, RoleInput, RoleSettings } from '#pair/role/contract.ts'
import type { RoleMachine } from '#pair/role/state.ts'

export const normal: HeartbeatProfile = {
  name: 'normal',
  interval: 200,
  misses: 4,
  timeout: 0,
  lease: 1_000,
  renew: 250,
  grantWait: 1_650,
}
export const fast: HeartbeatProfile = { ...normal, name: 'fast', interval: 100, misses: 3, renew: 100 }

export interface WorldOptions {
  members: number
  witness: boolean
  seed: number
  profile?: HeartbeatProfile
  paths?: number
  settings?: Partial<RoleSettings>
  /** Own settings of single boxes, by index. */
  own?: readonly Partial<RoleSettings>[]
}

export interface Box {
  index: number
  node: string
  settings: RoleSettings
  machine: RoleMachine | undefined
  /** Of this process's life; what was on the way to an earlier one is dropped. */
  life: number
  /** Own monotonic clock minus the world's. */
  clock: number
  wall: number
  frozenUntil: number
  waitingInputs: RoleInput[]
  disk: Term
  diskDelay: number
  address: { here: boolean; until: number }
  carrier: boolean
  gateway: {
    hungUntil: number
    transmitUntil: number
    role: RoleState | undefined
    problem: boolean
    synchronised: boolean
  }
  log: string[]
  alarms: string[]
  results: { id: number; result: string; code?: string }[]
  signals: string[]
}

export interface TakeOver {
  at: number
  node: string
  term: Term
  reason: string
}

export interface Event {
  at: number
  order: number
  run: () => void
}

export const before = (one: Event, other: Event) =>
  one.at < other.at || (one.at === other.at && one.order < other.order)

export const healthOf = (box: Box): GatewayHealth => ({
  ...(box.gateway.problem ? { problem: { code: 'lines-dead', text: 'no line works' } } : {}),
  synchronised: box.gateway.synchronised,
  position: { origin: box.node, incarnation: 'i', sequence: 1 },
  linesHealthy: 1,
  queued: 0,
})

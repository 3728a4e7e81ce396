/** A pair that answers as a test tells it and keeps what it was asked. */
import { profileNamed } from '#config/heartbeat.ts'
import type { PairConfig } from '#config/types.ts'
import type { PairStatus } from '#pair/contract.ts'
import type { PairControl, Refused } from '#pair/control.ts'

export const pairConfig: PairConfig = {
  listen: { host: '127.0.0.1', port: 8883 },
  logListen: { host: '127.0.0.1', port: 8884 },
  advertise: [{ host: '127.0.0.1', port: 8883 }],
  priority: 150,
  profile: profileNamed('normal', 'iproute2'),
  mode: 'active-standby',
  allow: {},
  preempt: false,
  switchover: 'automatic',
  accept: { wait: 500, oneDisk: 'accept' },
  aloneAfter: 30_000,
  selfCheck: 2_000,
  redirect: false,
}

const record = (node: string, priority: number) => ({
  node,
  fingerprint: node.padEnd(64, '0'),
  guard: [`${node}:8883`],
  log: [`${node}:8884`],
  priority,
})

export interface PairStandIn {
  control: PairControl
  config: PairConfig
  asked: string[]
  /** When set, every command is refused with it. */
  refusal: Refused | undefined
  active: readonly string[]
  status: PairStatus
}

export function pairStandIn(config: Partial<PairConfig> = {}): PairStandIn {
  const asked: string[] = []
  const status: PairStatus = {
    node: 'alpha',
    role: {
      role: 'active',
      term: { counter: 7, node: 'alpha' },
      since: performance.now(),
      reason: 'beta was silent on all paths',
      active: 'alpha',
    },
    members: [
      {
        node: 'beta',
        signal: 'LIVE',
        role: 'standby',
        term: { counter: 7, node: 'alpha' },
        silentMs: 120,
        paths: [
          { address: 'beta:8883', up: true, roundTripMs: 0.8 },
          { address: '10.0.0.2:8883', up: false },
        ],
        skewMs: 3_500,
        healthy: true,
        linesHealthy: 2,
        queued: 0,
        position: { origin: 'beta', incarnation: 'i', sequence: 12 },
      },
    ],
    witness: { address: '10.77.0.250:8885', state: 'silent' },
    vip: { address: '10.77.0.100', driver: 'iproute2', here: true },
    profile: {
      name: 'normal',
      interval: 200,
      misses: 4,
      lease: 1_000,
      grantWait: 1_700,
      bytesPerHour: 31_000_000,
    },
    replication: [{ node: 'beta', state: 'lagging', behind: 17, problem: 'no space left on its disk' }],
  }
  const stand: PairStandIn = {
    asked,
    refusal: undefined,
    active: [],
    status,
    config: { ...pairConfig, ...config },
    control: {
      status: () => status,
      standing: () => 'member',
      members: () => [record('alpha', 150), record('beta', 100)],
      activeAt: () => stand.active,
      invite: (who) =>
        answer(`invite ${who}`, { result: 'done', code: 'AAAAAA-BBBBBB', expires: 1_700_000_600_000 }),
      join: (code, who) =>
        answer(`join ${code} ${who}`, { result: 'done', inviter: 'beta', members: ['beta', 'gamma'] }),
      takeover: (who) => answer(`takeover ${who}`, { result: 'done' }),
      handover: (who) => answer(`handover ${who}`, { result: 'done' }),
      remove: (node, who) => answer(`remove ${node} ${who}`, { result: 'done' }),
      drill: (kind, who) =>
        answer(`drill ${kind} ${who}`, { result: 'done', text: 'it stands still for 5 s' }),
      recover: (from, who) =>
        answer(`recover ${from ?? 'all'} ${who}`, {
          steps: ['alpha is active.', 'beta took 3 entries that it lacked.'],
          members: [{ node: 'beta', reached: true, received: 0, sent: 3, behind: 0 }],
          conflicts: [{ revision: 'r1', path: 'routes' }],
          duplicates: [{ message: 'm1', delivery: 'd1', to: '+4917012345' }],
          same: true,
          advice: ['Settings were changed on both sides apart.'],
        }),
    },
  }
  async function answer<T>(what: string, result: T): Promise<T | Refused> {
    asked.push(what)
    return stand.refusal ?? result
  }
  return stand
}

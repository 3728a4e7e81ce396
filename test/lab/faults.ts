/**
 * The faults: what is done to whom, what the address should do, and how it is mended. Who is active is looked up when
 * the trial begins, so that repeated trials hit every member in turn.
 */
import { until } from '../system/appliance.ts'
import type { Fault, MemberName } from './contract.ts'
import { cable, muteCuts, partitionCuts, setCuts } from './network.ts'
import { signal, spin } from './processes.ts'

export interface Box {
  readonly name: MemberName
  readonly running: boolean
  readonly pids: readonly number[]
  /** Absent where there is no such process. */
  readonly gateway?: number
  readonly guard?: number
  start(): Promise<void>
  kill(pids?: readonly number[]): Promise<void>
  stop(): Promise<void>
  call?(method: string, path: string, body?: unknown): Promise<{ status: number; body: object }>
  fillDisk?(full: boolean): void
}

export interface Scene {
  active: Box
  standby: Box
  all: readonly Box[]
  witness?: { start(): void; kill(): Promise<void> }
  /** One more member joins the pair that runs. */
  join(): Promise<void>
}

export interface FaultPlan {
  /**
   * `moves`: another member has the address in the end. `stays`: nothing moves. `any`: either, or both serve, as
   * without a witness when two boxes cannot hear each other.
   */
  address: 'moves' | 'stays' | 'any'
  apply(scene: Scene): Promise<void> | void
  repair(scene: Scene): Promise<void> | void
}

async function startDead({ all }: Scene): Promise<void> {
  await Promise.all(all.filter(({ running }) => !running).map((box) => box.start()))
}

function known(pid: number | undefined, what: string): number {
  if (!pid) throw new Error(`there is no ${what} process`)
  return pid
}

/** Over the box's own control socket: a command line takes longer to start than the thing itself. */
async function order(box: Box, what: 'handover' | 'takeover'): Promise<void> {
  const answer = await box.call?.('POST', `/api/v1/pair/${what}`)
  if (answer && answer.status >= 300) {
    throw new Error(`${box.name}: ${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
}

let unload: () => void = () => {}
const heal = (): void => setCuts([])
const nothing = (): void => {}
/** Frozen processes, to be thawed: their tree may have changed meanwhile. */
const frozen = new WeakMap<Box, readonly number[]>()

function freeze(box: Box, pids: readonly number[]): void {
  frozen.set(box, pids)
  signal(pids, 'SIGSTOP')
}

async function thaw(scene: Scene): Promise<void> {
  signal(frozen.get(scene.active) ?? [], 'SIGCONT')
  await startDead(scene)
}

export function faultPlan(fault: Fault, witness: boolean): FaultPlan {
  return plans(witness)[fault]
}

const plans = (witness: boolean): Record<Fault, FaultPlan> => ({
  'kill-gateway': {
    address: 'moves',
    apply: ({ active }) => active.kill([known(active.gateway, 'gateway')]),
    repair: startDead,
  },
  'kill-guard': {
    address: 'any',
    apply: ({ active }) => signal([known(active.guard, 'guard')], 'SIGKILL'),
    repair: nothing,
  },
  'kill-all': { address: 'moves', apply: ({ active }) => active.kill(), repair: startDead },
  'freeze-gateway': {
    address: 'moves',
    apply: ({ active }) => freeze(active, [known(active.gateway, 'gateway')]),
    repair: thaw,
  },
  'freeze-all': { address: 'moves', apply: ({ active }) => freeze(active, active.pids), repair: thaw },
  'link-down': {
    address: 'moves',
    apply: ({ active }) => cable(active.name, false),
    repair: ({ active }) => cable(active.name, true),
  },
  mute: { address: 'moves', apply: ({ active }) => setCuts(muteCuts(active.name)), repair: heal },
  partition: {
    address: witness ? 'stays' : 'any',
    apply: ({ active, standby }) => setCuts(partitionCuts(active.name, standby.name)),
    repair: heal,
  },
  'one-way': {
    address: witness ? 'stays' : 'any',
    apply: ({ active, standby }) => setCuts([{ from: active.name, to: standby.name }]),
    repair: heal,
  },
  // With `preempt` and the active as master: it loses the address, comes back, and takes it up again by itself.
  failback: {
    address: 'any',
    async apply({ active, standby }) {
      await active.kill()
      const serves = async () => Object(await standby.call?.('GET', '/api/v1/pair')).body?.role === 'active'
      await until(serves, 'the standby serves')
      await active.start()
    },
    repair: nothing,
  },
  'reboot-both': {
    address: 'any',
    async apply(scene) {
      await Promise.all(scene.all.map((box) => box.kill()))
      await startDead(scene)
    },
    repair: nothing,
  },
  stop: { address: 'moves', apply: ({ active }) => active.stop(), repair: startDead },
  handover: {
    address: 'moves',
    apply: ({ active }) => order(active, 'handover'),
    repair: nothing,
  },
  takeover: {
    address: 'moves',
    apply: ({ standby }) => order(standby, 'takeover'),
    repair: nothing,
  },
  'witness-lost': {
    address: 'stays',
    apply: async (scene) => void (await scene.witness?.kill()),
    repair: (scene) => scene.witness?.start(),
  },
  'disk-full': {
    address: 'stays',
    apply: ({ standby }) => standby.fillDisk?.(true),
    repair: ({ standby }) => standby.fillDisk?.(false),
  },
  'standby-killed': { address: 'stays', apply: ({ standby }) => standby.kill(), repair: startDead },
  busy: {
    address: 'any',
    apply() {
      unload = spin(4)
    },
    repair: () => unload(),
  },
  'third-joins': { address: 'stays', apply: ({ join }) => join(), repair: nothing },
  'two-killed': {
    address: 'any',
    async apply({ active, standby }) {
      await Promise.all([active.kill(), standby.kill()])
    },
    repair: startDead,
  },
})

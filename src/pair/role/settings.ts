/** From the configuration of the pair to what the role machine needs of it. Pure. */
import type { HeartbeatProfile, PairConfig, VirtualIp } from '#config/types.ts'
import type { RoleSettings } from './contract.ts'

/** Round trips above this were never seen on a working local network; slower ones are no proof of the present. ms. */
const ROUND_TRIP = 150

export function roleSettings(node: string, pair: PairConfig): RoleSettings {
  const driver = pair.vip?.driver ?? 'none'
  return {
    node,
    priority: pair.priority,
    ...(pair.master === undefined ? {} : { master: pair.master }),
    profile: pair.profile,
    mode: pair.mode,
    preempt: pair.preempt,
    switchover: pair.switchover,
    aloneAfter: pair.aloneAfter,
    selfCheck: pair.selfCheck,
    witness: pair.witness !== undefined,
    router: pair.lan !== undefined,
    address: driver === 'iproute2' || driver === 'nft',
    ackWithin: ackWithin(pair.profile, driver),
  }
}

/**
 * The address lives from the moment of its renewal, the promise of another member from the sending of what it answers.
 * So an answer may be only so old that the address is gone before the promise ends: the kernel removes one at most
 * 0.5 s late (measured: 0.26 s), and an nft element can be renewed once too late by a command that was stuck in its pipe.
 */
function ackWithin({ lease, grantWait }: HeartbeatProfile, driver: VirtualIp['driver']): number {
  const longest = driver === 'nft' ? 2 * lease : driver === 'iproute2' ? lease + 500 : lease
  return Math.max(0, Math.min(ROUND_TRIP, grantWait - longest))
}

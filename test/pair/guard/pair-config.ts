/** A pair's configuration for tests, on loopback and with nothing that waits for long. */
import { profileNamed } from '../../../src/config/heartbeat.ts'
import type { PairConfig } from '../../../src/config/types.ts'

export const pairConfig = (changes: Partial<PairConfig> = {}): PairConfig => ({
  listen: { host: '127.0.0.1', port: 0 },
  logListen: { host: '127.0.0.1', port: 0 },
  advertise: [],
  priority: 100,
  profile: profileNamed('fast', changes.vip?.driver),
  mode: 'active-standby',
  allow: {},
  preempt: false,
  switchover: 'automatic',
  accept: { wait: 500, oneDisk: 'accept' },
  aloneAfter: 300,
  selfCheck: 2_000,
  redirect: false,
  ...changes,
})

/**
 * Plays a gateway that has nothing but a guard. Takes JSON lines (`{"command":"takeover"}`, `{"members":[…]}`,
 * `{"health":false}`, `{"stop":true}`, `{"state":true}`) and says what happens as JSON lines.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { PairConfig } from '../../../src/config/types.ts'
import { monotonic } from '../../../src/core/clock.ts'
import { silent } from '../../../src/core/log.ts'
import type { GuardMember } from '../../../src/pair/guard/protocol.ts'
import { startGuard } from '../../../src/pair/guard-process.ts'
import { identityFor } from '../../../src/pair/links/certificate.ts'
import { pairConfig } from './pair-config.ts'

interface Order {
  command?: 'takeover' | 'handover'
  members?: GuardMember[]
  health?: boolean
  stop?: boolean
  state?: boolean
}

const say = (event: string, value: unknown = null): void => console.log(JSON.stringify({ event, value }))

const setup: { node: string; data: string; pair: Partial<PairConfig>; members: GuardMember[] } = JSON.parse(
  process.argv[2] ?? '',
)
const nobody = { removed: false, members: [] }
const directory = join(setup.data, 'pair')
mkdirSync(directory, { recursive: true })
const identity = await identityFor(directory, setup.node)
const guard = startGuard(
  {
    node: setup.node,
    pair: pairConfig(setup.pair),
    identity,
    directory,
    members: setup.members,
    former: nobody,
    log: {
      ...silent,
      error: (fields, text) => say('error', { ...fields, text }),
      warn: (_, text) => say('warn', text),
    },
    main: join(import.meta.dirname, '../../../src/main.ts'),
  },
  {
    ready: (listening) => say('ready', { listening, pid: guard.pid() }),
    role: (state) => say('role', state),
    lease: () => {},
    releasing(reason) {
      say('releasing', { reason, transmitUntil: guard.transmitUntil() })
      guard.released()
    },
    views: () => say('views', { vipHere: guard.views().vipHere }),
    signal: (node, signal) => say('signal', { node, signal }),
    alarm: (code, text) => say('alarm', { code, text }),
    failover: (text) => say('failover', text),
    audit: (_who, what) => say('audit', what),
    gone: (text) => say('gone', { text, transmitUntil: guard.transmitUntil() }),
  },
)
let healthy = true
const tellHealth = (): void => {
  if (!healthy) return
  guard.health({
    synchronised: true,
    position: { origin: setup.node, incarnation: 'i', sequence: 1 },
    merged: [],
    linesHealthy: 1,
    queued: 0,
  })
}
tellHealth()
setInterval(tellHealth, 100)

for await (const line of createInterface(process.stdin)) {
  const order: Order = JSON.parse(line)
  if (order.members) guard.setMembers(order.members, nobody)
  if (order.health !== undefined) healthy = order.health
  if (order.command) guard.command(order.command).then((result) => say('result', result), console.error)
  if (order.state) say('state', { right: guard.transmitUntil() > monotonic() })
  if (order.stop) {
    await guard.stop()
    say('stopped')
    process.exit()
  }
}

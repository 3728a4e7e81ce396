/**
 * The network of the laboratory: a bridge in a namespace of its own and hosts on veth pairs, with real ARP. Runs
 * inside the stage's namespaces and nowhere else: it mounts over /run.
 *
 * Cable out is the bridge's end of the veth taken down: the host sees its carrier go. Mute is frames dropped in the
 * bridge with the carrier up, as with a dead uplink of a switch, or when seen from outside, a power loss.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { type HostName, type MemberName, memberNames } from './contract.ts'

/** The network that the members share, with its router, and the one behind the router. */
export const VIP = '10.77.0.100'
export const ROUTER = '10.77.0.254'
const FAR_ROUTER = '10.78.0.254'
export const addressOf: Readonly<Record<HostName, string>> = {
  a: '10.77.0.1',
  b: '10.77.0.2',
  d: '10.77.0.3',
  far: '10.78.0.4',
  client: '10.77.0.50',
  witness: '10.77.0.250',
}
/**
 * What the client sends to the virtual address from these goes to this one member, whatever ARP says: so each can be
 * asked whether it answers at the address.
 */
export const asksOnly: Readonly<Record<Exclude<MemberName, 'far'>, string>> = {
  a: '10.77.0.201',
  b: '10.77.0.202',
  d: '10.77.0.203',
}
export const INTERFACE = 'eth0'
const BRIDGE = 'bridge'
const port = (host: HostName) => `port-${host}`

/** Runs a program to its end. @throws with what it said when it fails */
export function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
  return stdout
}

export const inBridge = (program: string, ...args: string[]) =>
  run('ip', 'netns', 'exec', BRIDGE, program, ...args)

export function buildNetwork(): void {
  run('mount', '-t', 'tmpfs', 'tmpfs', '/run')
  run('ip', 'netns', 'add', BRIDGE)
  run('ip', '-n', BRIDGE, 'link', 'set', 'lo', 'up')
  run('ip', '-n', BRIDGE, 'link', 'add', 'br0', 'type', 'bridge')
  run('ip', '-n', BRIDGE, 'addr', 'add', `${ROUTER}/24`, 'dev', 'br0')
  run('ip', '-n', BRIDGE, 'link', 'set', 'br0', 'up')
  for (const host of [...memberNames, 'client', 'witness'] as const) {
    run('ip', 'netns', 'add', host)
    const peer = ['type', 'veth', 'peer', 'name', INTERFACE, 'netns', host]
    run('ip', 'link', 'add', port(host), 'netns', BRIDGE, ...peer)
    if (host === 'far') run('ip', '-n', BRIDGE, 'addr', 'add', `${FAR_ROUTER}/24`, 'dev', port(host))
    else run('ip', '-n', BRIDGE, 'link', 'set', port(host), 'master', 'br0')
    run('ip', '-n', BRIDGE, 'link', 'set', port(host), 'up')
    run('ip', '-n', host, 'link', 'set', 'lo', 'up')
    run('ip', '-n', host, 'link', 'set', INTERFACE, 'up')
    run('ip', '-n', host, 'addr', 'add', `${addressOf[host]}/24`, 'dev', INTERFACE)
    run('ip', '-n', host, 'route', 'add', 'default', 'via', host === 'far' ? FAR_ROUTER : ROUTER)
  }
  inBridge('sysctl', '-q', '-w', 'net.ipv4.ip_forward=1')
  for (const [n, member] of memberNames.entries()) {
    if (member === 'far') continue
    const table = String(100 + n)
    run('ip', '-n', 'client', 'addr', 'add', `${asksOnly[member]}/32`, 'dev', INTERFACE)
    run('ip', '-n', 'client', 'rule', 'add', 'from', asksOnly[member], 'lookup', table)
    run('ip', '-n', 'client', 'route', 'add', VIP, 'via', addressOf[member], 'dev', INTERFACE, 'table', table)
  }
}

/** Starts a program in the namespace of a host; its pid is the program's own. */
export function spawnAt(
  host: HostName,
  argv: readonly string[],
  options: { stdio: import('node:child_process').StdioOptions; cwd?: string; env?: NodeJS.ProcessEnv },
): ChildProcess {
  return spawn('ip', ['netns', 'exec', host, ...argv], options)
}

export function cable(host: HostName, plugged: boolean): void {
  run('ip', '-n', BRIDGE, 'link', 'set', port(host), plugged ? 'up' : 'down')
}

/** Frames that the bridge drops: from a host, to a host, or both. `undefined` stands for everybody. */
export interface Cut {
  from?: HostName
  to?: HostName
}

/** Replaces all cuts at once; without any the network is whole. */
export function setCuts(cuts: readonly Cut[]): void {
  const rules = cuts.map(({ from, to }) => {
    const input = from === undefined ? '' : `iifname "${port(from)}" `
    return `${input}${to === undefined ? '' : `oifname "${port(to)}" `}drop`
  })
  const toRouter = cuts.flatMap(({ from, to }) =>
    from !== undefined && to === undefined ? [`iifname "${port(from)}" drop`] : [],
  )
  const fromRouter = cuts.flatMap(({ from, to }) =>
    to !== undefined && from === undefined ? [`oifname "${port(to)}" drop`] : [],
  )
  // One transaction: the table may or may not be there.
  const chain = (hook: string, body: readonly string[]) =>
    `chain ${hook} { type filter hook ${hook} priority 0\n${body.join('\n')}\n}\n`
  inBridge(
    'nft',
    `table bridge cuts\ndelete table bridge cuts\n${
      cuts.length === 0
        ? ''
        : `table bridge cuts {\n${chain('forward', rules)}${chain('input', toRouter)}${chain('output', fromRouter)}}`
    }`,
  )
}

/** Everything from and to a host, with its carrier up. */
export const muteCuts = (host: HostName): Cut[] => [{ from: host }, { to: host }]

export const partitionCuts = (one: MemberName, other: MemberName): Cut[] => [
  { from: one, to: other },
  { from: other, to: one },
]

/** Octets of all frames that crossed a host's cable so far, both ways. */
export function octets(host: HostName): number {
  const shown: unknown = JSON.parse(run('ip', '-n', BRIDGE, '-s', '-j', 'link', 'show', 'dev', port(host)))
  const [link] = Array.isArray(shown) ? shown : []
  return Number(link.stats64.rx.bytes) + Number(link.stats64.tx.bytes)
}

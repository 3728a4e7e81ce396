/** The guard as a process, under a gateway that dies, freezes or is silent, on the real kernel's network. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PairConfig, VirtualIp } from '../../../src/config/types.ts'
import type { GuardMember } from '../../../src/pair/guard/protocol.ts'
import { identityFor } from '../../../src/pair/links/certificate.ts'
import { describeWith } from '../../requirements.ts'
import { type Network, network, type Space } from './network.ts'

let net: Network
let root: string
const boxes: Box[] = []
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'twinline-guard-'))
  net = await network()
})
afterEach(async () => {
  for (const box of boxes.splice(0)) {
    box.gateway.kill('SIGKILL')
    kill(box.guard(), 'SIGKILL')
  }
  net.close()
  // The kernel takes the processes of a namespace away in its own time.
  await vi.waitFor(() => rmSync(root, { recursive: true, force: true }))
})

function kill(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal)
  } catch {
    return false
  }
}

/** As a gateway passes it on (main.ts). */
const compileCache = join(tmpdir(), 'twinline-test-compile-cache')

interface Said {
  event: string
  value: unknown
}
interface Box {
  gateway: ChildProcessWithoutNullStreams
  said: Said[]
  tell(order: Record<string, unknown>): void
  /** Of the guard that runs. */
  guard(): number | undefined
  until(event: string, like?: unknown, within?: number): Promise<void>
}

const vipOf = (address: string, name: string): VirtualIp => ({
  address,
  prefix: address.includes(':') ? 64 : 24,
  family: address.includes(':') ? 6 : 4,
  interface: name,
  driver: 'iproute2',
})

function box(where: Space, node: string, pair: Partial<PairConfig>, members: GuardMember[] = []): Box {
  const setup = JSON.stringify({ node, data: join(root, node), pair, members })
  const [command, ...args] = where.inside(
    process.execPath,
    join(import.meta.dirname, 'gateway-process.ts'),
    setup,
  )
  const gateway = spawn(command, args, { env: { ...process.env, NODE_COMPILE_CACHE: compileCache } })
  gateway.stderr.pipe(process.stderr)
  const said: Said[] = []
  let pid: number | undefined
  createInterface(gateway.stdout).on('line', (line) => {
    const heard: Said = JSON.parse(line)
    said.push(heard)
    if (heard.event === 'ready') pid = Number(Object(heard.value).pid)
  })
  const made: Box = {
    gateway,
    said,
    tell: (order) => gateway.stdin.write(`${JSON.stringify(order)}\n`),
    guard: () => pid,
    until: (event, like, within = 10_000) =>
      vi.waitFor(
        () =>
          expect(said).toContainEqual(
            like === undefined
              ? expect.objectContaining({ event })
              : { event, value: typeof like === 'object' ? expect.objectContaining(like) : like },
          ),
        { timeout: within, interval: 10 },
      ),
  }
  boxes.push(made)
  return made
}
const alone = (address = '10.77.0.100', changes: Partial<PairConfig> = {}): Box =>
  box(net, 'a', { vip: vipOf(address, 'e0'), ...changes })
const has = (address: string, where: Space = net, name = 'e0'): boolean =>
  where.ip('-o', 'addr', 'show', 'dev', name).includes(address)
/** A dead process whose new parent has not looked yet counts as gone. */
function runs(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
const exited = (pid: number | undefined, within: number): Promise<void> =>
  vi.waitFor(() => expect(runs(pid)).toBe(false), { timeout: within, interval: 10 })
/** Serves, and has the address. */
async function serves(a: Box, address = '10.77.0.100'): Promise<void> {
  await a.until('role', { role: 'single' })
  await vi.waitFor(() => expect(has(address)).toBe(true), { timeout: 5_000, interval: 10 })
}

describeWith(['network-namespaces'], 'the guard of a box that stands alone', () => {
  describe.each(['10.77.0.100', 'fd00::100'])('%s', (address) => {
    it('takes the address, and its gateway may transmit', async () => {
      const a = alone(address)
      await serves(a, address)
      await a.until('views', { vipHere: true })
      a.said.length = 0
      a.tell({ state: true })
      await a.until('state', { right: true })
    })
  })

  it('takes little memory', async () => {
    const a = alone()
    await serves(a)
    // The first one compiled what the second one finds compiled, as on a box that has run before.
    kill(a.guard(), 'SIGKILL')
    await a.until('gone')
    a.said.length = 0
    await serves(a)
    const resident =
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${a.guard()}/status`, 'utf8'))?.[1]) / 1024
    console.log(`guard: ${resident.toFixed(1)} MB resident`)
    expect(resident).toBeLessThan(70)
  })

  describe.each(['10.77.0.100', 'fd00::100'])('%s, when something ends or freezes', (address) => {
    it('gives everything up and ends within a second when the gateway is killed', async () => {
      const a = alone(address)
      await serves(a, address)
      const guard = a.guard()
      a.gateway.kill('SIGKILL')
      await exited(guard, 1_500)
      expect(has(address)).toBe(false)
    })

    it('is started again when it is killed: what it left is removed, and taken anew', async () => {
      const a = alone(address)
      await serves(a, address)
      const first = a.guard()
      kill(first, 'SIGKILL')
      await a.until('gone', { transmitUntil: 0 })
      a.said.length = 0
      await serves(a, address)
      expect(a.guard()).not.toBe(first)
    })

    it('loses the address by itself when it is frozen, and steps down before anything else when it goes on', async () => {
      const a = alone(address)
      await serves(a, address)
      a.said.length = 0
      kill(a.guard(), 'SIGSTOP')
      await vi.waitFor(() => expect(has(address)).toBe(false), { timeout: 3_000, interval: 20 })
      kill(a.guard(), 'SIGCONT')
      await a.until('role', { role: 'single' })
      expect(a.said.filter(({ event }) => event === 'releasing' || event === 'role')[0]).toMatchObject({
        value: expect.not.objectContaining({ role: 'single' }),
      })
    })

    it('leaves the address to a stranger who answers for it', async () => {
      const nodad = address.includes(':') ? ['nodad'] : []
      net.far.ip('addr', 'add', `${address}/${address.includes(':') ? 64 : 24}`, 'dev', 'e1', ...nodad)
      const a = alone(address)
      await a.until('alarm')
      expect(has(address)).toBe(false)
    })
  })

  it('releases the address and says goodbye when the appliance stops', async () => {
    const a = alone()
    await serves(a)
    a.tell({ stop: true })
    await a.until('stopped')
    await a.until('releasing')
    expect(has('10.77.0.100')).toBe(false)
  })

  it('steps down when the gateway hangs: its self-check is silent', async () => {
    const a = alone('10.77.0.100', { selfCheck: 500 })
    await serves(a)
    a.tell({ health: false })
    await a.until('role', { role: 'error' })
    expect(has('10.77.0.100')).toBe(false)
  })
})

describeWith(['network-namespaces'], 'the guards of two boxes', () => {
  async function pair(changes: Partial<PairConfig> = {}): Promise<[Box, Box]> {
    net.ip('addr', 'add', '10.77.0.1/24', 'dev', 'e0')
    net.far.ip('addr', 'add', '10.77.0.2/24', 'dev', 'e1')
    const member = async (node: string, host: string, priority: number): Promise<GuardMember> => ({
      node,
      fingerprint: (await identityFor(join(root, node, 'pair'), node)).fingerprint,
      addresses: [`${host}:8883`],
      priority,
    })
    const [first, second] = await Promise.all([member('a', '10.77.0.1', 150), member('b', '10.77.0.2', 100)])
    const settings = (name: string, priority: number): Partial<PairConfig> => ({
      vip: vipOf('10.77.0.100', name),
      listen: { host: '0.0.0.0', port: 8883 },
      priority,
      aloneAfter: 30_000,
      ...changes,
    })
    const a = box(net, 'a', settings('e0', 150), [second])
    const b = box(net.far, 'b', settings('e1', 100), [first])
    await a.until('role', { role: 'active' }, 20_000)
    await b.until('role', { active: 'a' })
    return [a, b]
  }
  const held = (): [boolean, boolean] => [has('10.77.0.100'), has('10.77.0.100', net.far, 'e1')]

  it('agree on one, and the other takes over when the gateway of the first is killed', async () => {
    const [a, b] = await pair()
    expect(held()).toEqual([true, false])
    a.gateway.kill('SIGKILL')
    await b.until('role', { role: 'active' })
    await vi.waitFor(() => expect(held()).toEqual([false, true]))
  })

  it('change places on command, without anybody holding twice', async () => {
    const [a, b] = await pair()
    b.tell({ command: 'takeover' })
    await b.until('result', { result: 'done' })
    await b.until('role', { role: 'active' })
    await a.until('role', { role: 'standby' })
    expect(held()).toEqual([false, true])
  })

  it('take over when everything of the other box is killed at once', async () => {
    const [a, b] = await pair()
    kill(a.guard(), 'SIGKILL')
    a.gateway.kill('SIGKILL')
    await b.until('role', { role: 'active' })
    expect(held()[1]).toBe(true)
    await vi.waitFor(() => expect(held()).toEqual([false, true]), { timeout: 3_000 })
  })
})

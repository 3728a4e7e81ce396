/**
 * Two real appliances for the panel's tests of a pair: each at loopback addresses of its own, both at the same HTTP
 * port, as real boxes are, and a stand-in for the common address that leads to whichever says that it is active.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommonAddress } from '../../src/cli/demo-network.ts'
import { type RunningAppliance, startAppliance, until } from '../system/appliance.ts'

export interface RigBox {
  node: string
  address: string
  /** Where its configuration and data are. */
  directory: string
  running(): RunningAppliance
  start(): Promise<void>
}

export interface PairRig {
  a: RigBox
  b: RigBox
  /** Of the common address, such as http://127.0.90.100:8081 */
  common: string
  stop(): Promise<void>
}

/** A port that is free at any loopback address: nothing else in these tests uses these networks. */
async function freePort(host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

/**
 * @param network the third number of its loopback addresses, one for each test file
 * @param pair more keys of `pair`, one a line
 * @param lines further lines of a box, each as YAML on one line
 */
export async function startPair(
  network: number,
  pair: readonly string[] = [],
  lines: (box: 'a' | 'b') => readonly string[] = () => [],
): Promise<PairRig> {
  const directory = mkdtempSync(join(tmpdir(), 'panel-pair-'))
  const hosts = { a: `127.0.${network}.1`, b: `127.0.${network}.2`, common: `127.0.${network}.100` }
  const port = await freePort(hosts.common)
  const box = async (name: 'a' | 'b'): Promise<RigBox> => {
    const host = hosts[name]
    const start = () =>
      startAppliance({
        directory: join(directory, name),
        node: `box-${name}`,
        listen: `${host}:${port}`,
        ports: ['sim://gsm?network=20'],
        more: `${lines(name)
          .map((line) => `  - ${line}\n`)
          .join('')}pair:
  listen: ${host}:8883
  advertise: ['${host}:8883']
  priority: ${name === 'a' ? 150 : 100}
  profile: { interval: 300ms, misses: 8, lease: 3s }
  aloneAfter: 2s
  vip: { address: ${hosts.common}/8, interface: lo, driver: external }
${pair.map((line) => `  ${line}\n`).join('')}`,
      })
    let running = await start()
    return {
      node: `box-${name}`,
      address: `http://${host}:${port}`,
      directory: join(directory, name),
      running: () => running,
      async start() {
        running = await start()
      },
    }
  }
  const [a, b] = await both(box('a'), box('b'))
  const common = new CommonAddress(
    new Map([
      ['a', { host: hosts.a, port }],
      ['b', { host: hosts.b, port }],
    ]),
    () => undefined,
  )
  await common.open({ host: hosts.common, port })
  return {
    a,
    b,
    common: `http://${hosts.common}:${port}`,
    async stop() {
      common.close()
      await Promise.all([a, b].map((one) => one.running().kill('SIGTERM')))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What one of them runs does not outlive the test when the other did not start. */
async function both(...starts: [Promise<RigBox>, Promise<RigBox>]): Promise<[RigBox, RigBox]> {
  try {
    return await Promise.all(starts)
  } catch (error) {
    for (const start of await Promise.allSettled(starts))
      if (start.status === 'fulfilled') await start.value.running().kill('SIGTERM')
    throw error
  }
}

/** Joins the two over their control sockets, for tests of what comes after. */
export async function joined(rig: PairRig): Promise<void> {
  const invited = await rig.a.running().call('POST', '/api/v1/pair/invite')
  const joined = await rig.b.running().call('POST', '/api/v1/pair/join', { code: invited.body['code'] })
  if (joined.status !== 200) throw new Error(`join: ${joined.status} ${JSON.stringify(joined.body)}`)
  await makeActive(rig.a)
  let seen: unknown
  const paired = async () => {
    const { body } = await rig.a.running().call('GET', '/api/v1/pair')
    seen = body
    const members: unknown = body['members']
    const [other] = Array.isArray(members) ? members : []
    return body['role'] === 'active' && other?.role === 'standby' && other?.replication?.state === 'current'
  }
  await until(paired, 'the two are a pair').catch((error: unknown) => {
    throw new Error(
      `${String(error)}: ${JSON.stringify(seen)}\n${rig.a.running().log()}\n${rig.b.running().log()}`,
    )
  })
}

/** Whoever is active on a machine with little time for it: this one is from now on. */
export async function makeActive(box: RigBox): Promise<void> {
  await until(async () => {
    const { body } = await box.running().call('GET', '/api/v1/pair')
    if (body['role'] === 'active') return true
    await box.running().call('POST', '/api/v1/pair/takeover')
    return false
  }, `${box.node} is active`)
}

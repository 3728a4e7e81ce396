/**
 * Appliances of a pair as processes of their own on this machine, with all that belongs to them: each at loopback
 * addresses of its own, without a common address (so without privileges), its modems in the process of the test, where
 * they go on living when the box dies.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { serveTcp } from '#simulator/serve.ts'
import { signal, tree } from '../lab/processes.ts'
import { type Answer, ask, until } from '../system/appliance.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const STARTS_WITHIN_MS = 60_000
/** How long a test waits for what takes a fraction of it on an idle machine. */
export const PATIENCE_MS = 60_000

export interface Modem {
  /** As a line's `port`. */
  readonly address: string
  /** The texts that reached phones through it, each once. */
  texts(): string[]
  /** An SMS from a phone to it. */
  receive(from: string, text: string): void
}

/** @param network how long the network takes to answer, ms */
export async function modem(network: string): Promise<Modem> {
  const options = parseModemOptions({ network, prompt: '0', reports: 'none' }, 0)
  if (isProblem(options)) throw new Error(options.problem)
  const phones = new SimulatedNetwork()
  const simulated = new SimulatedModem(options, undefined, phones, 'modem')
  const served = await serveTcp(simulated)
  onTestFinished(async () => {
    simulated.stop()
    await served.stop()
  })
  return {
    address: served.address,
    texts: () => phones.received().map(({ text }) => text),
    receive: (from, text) => void phones.send('modem', { from, text }),
  }
}

export interface BoxPlan {
  lines: readonly string[]
  /** Keys of `pair`, one a line. */
  pair?: readonly string[]
  routes?: readonly string[]
  /** Further sections of the configuration. */
  more?: string
  environment?: Record<string, string>
  /** What is started in the place of src/main.ts. */
  program?: string
}

interface Status {
  role: string
  reason: string
  standing: string
  members: { node: string; signal?: string; healthy?: boolean; replication?: { state: string } }[]
}

export class PairBox {
  readonly node: string
  readonly #directory: string
  readonly #environment: Record<string, string>
  readonly #program: string
  #child: ChildProcess | undefined
  #frozen: readonly number[] = []

  constructor(node: string, directory: string, host: string, plan: BoxPlan) {
    this.node = node
    this.#directory = join(directory, node)
    this.#environment = plan.environment ?? {}
    this.#program = plan.program ?? main
    mkdirSync(this.#directory)
    const { lines, pair = [], routes = [], more = '' } = plan
    const list = (key: string, items: readonly string[]) =>
      items.length === 0 ? '' : `${key}:\n${items.map((item) => `  - ${item}\n`).join('')}`
    writeFileSync(
      this.#config,
      `node: ${node}\ndata: data\n${list('lines', lines)}${list('routes', routes)}${more}pair:
  listen: ${host}:8883
  advertise: ['${host}:8883']
  aloneAfter: 2s
  profile: { interval: 300ms, misses: 8, timeout: 0ms, lease: 3s }
  vip: { driver: none }
${pair.map((line) => `  ${line}\n`).join('')}`,
    )
  }

  get #config(): string {
    return join(this.#directory, 'twinline.yaml')
  }

  /** All rights, no token. */
  get controlSocket(): string {
    return join(this.#directory, 'data', 'control.sock')
  }

  get #logFile(): string {
    return join(this.#directory, 'log.jsonl')
  }

  log(): string {
    return this.wholeLog().slice(-6_000)
  }

  wholeLog(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  async start(): Promise<void> {
    const output = openSync(this.#logFile, 'a')
    const child = spawn(process.execPath, [this.#program, 'run', '--config', this.#config], {
      cwd: this.#directory,
      stdio: ['ignore', output, output],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        TMPDIR: process.env['TMPDIR'],
        ...this.#environment,
      },
    })
    this.#child = child
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`${this.node} ended: ${this.log()}`)
        return (await this.status()) !== undefined
      },
      `${this.node} answers`,
      STARTS_WITHIN_MS,
    )
  }

  /** As if its plug were pulled: gateway and guard at once. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    const pids = tree(child.pid).map(({ pid }) => pid)
    signal(pids, 'SIGKILL')
    await exited
  }

  freeze(): void {
    this.#frozen = tree(this.#child?.pid ?? 0).map(({ pid }) => pid)
    signal(this.#frozen, 'SIGSTOP')
  }

  thaw(): void {
    signal(this.#frozen, 'SIGCONT')
  }

  /** Over its control socket: all rights, no token. */
  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(this.controlSocket, method, `/api/v1${path}`, body, {})
  }

  /** Undefined while it does not answer. */
  async status(): Promise<Status | undefined> {
    const answer = await Promise.race([
      this.ask('GET', '/pair').catch(() => undefined),
      pause(2_000, undefined),
    ])
    return answer?.status === 200 && isStatus(answer.body) ? answer.body : undefined
  }

  async is(role: string): Promise<void> {
    await this.#until(async () => (await this.status())?.role === role, role)
  }

  /** It hears the other one, and each holds what the other has. */
  async inStepWith(node: string): Promise<void> {
    await this.#until(async () => {
      const other = (await this.status())?.members.find((member) => member.node === node)
      return other?.signal === 'LIVE' && other.replication?.state === 'current'
    }, `in step with ${node}`)
  }

  async sees(node: string, what: string): Promise<void> {
    await this.#until(
      async () => (await this.status())?.members.find((member) => member.node === node)?.signal === what,
      `sees ${node} ${what}`,
    )
  }

  async line(id: string, state: string): Promise<void> {
    await this.#until(async () => {
      const { items } = (await this.ask('GET', '/lines')).body
      return Array.isArray(items) && items.some((line) => line.id === id && line.state === state)
    }, `line ${id} ${state}`)
  }

  /** @returns the message's id */
  async send(text: string): Promise<string> {
    const { status, body } = await this.ask('POST', '/messages', {
      to: ['+4915112345'],
      text,
      validity: '1d',
    })
    if (status !== 202) throw new Error(`${this.node}: ${status} ${JSON.stringify(body)}`)
    return String(body['id'])
  }

  async sent(id: string): Promise<{ possibleDuplicate: boolean; node: string }> {
    let found: { possibleDuplicate: boolean; node: string } | undefined
    await this.#until(async () => {
      const { deliveries } = (await this.ask('GET', `/messages/${id}`)).body
      const [delivery] = Array.isArray(deliveries) ? deliveries : []
      if (delivery?.state === 'sent') found = delivery
      return found !== undefined
    }, `message ${id} sent`)
    if (found === undefined) throw new Error('unreachable')
    return found
  }

  async reason(like: RegExp): Promise<void> {
    await this.#until(async () => like.test((await this.status())?.reason ?? ''), `because ${like}`)
  }

  async #until(holds: () => Promise<boolean>, what: string): Promise<void> {
    try {
      await until(holds, `${this.node}: ${what}`, PATIENCE_MS)
    } catch (error) {
      const status = JSON.stringify(await this.status())
      throw new Error(`${error}\n${status}\n${this.log()}`, { cause: error })
    }
  }
}

function isStatus(body: unknown): body is Status {
  return body !== null && typeof body === 'object' && 'role' in body && 'members' in body
}

/** Two boxes of these plans, started and joined: the first one is active. */
export async function pairOf(a: BoxPlan, b: BoxPlan): Promise<[PairBox, PairBox]> {
  const directory = await mkdtemp(join(tmpdir(), 'modes-'))
  const net = () => 1 + Math.floor(Math.random() * 254)
  const hosts = `127.${net()}.${net()}`
  const boxes: [PairBox, PairBox] = [
    new PairBox('box-a', directory, `${hosts}.1`, a),
    new PairBox('box-b', directory, `${hosts}.2`, b),
  ]
  onTestFinished(async () => {
    await Promise.all(boxes.map((box) => box.kill()))
    rmSync(directory, { recursive: true, force: true })
  })
  const [first, second] = boxes
  await Promise.all(boxes.map((box) => box.start()))
  await Promise.all(boxes.map((box) => box.is('single')))
  const invited = await first.ask('POST', '/pair/invite', {})
  const joined = await second.ask('POST', '/pair/join', { code: invited.body['code'] })
  if (joined.status !== 200) throw new Error(JSON.stringify(joined))
  await Promise.all([first.inStepWith('box-b'), second.inStepWith('box-a')])
  await Promise.all([first.is('active'), second.is('standby')])
  return boxes
}

/** One box of the demo: an appliance in processes of its own, which can be killed, frozen and brought back. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, call } from './client.ts'
import type { Place } from './demo-network.ts'
import { Ended, exit } from './outcome.ts'
import { localTarget } from './target.ts'

export interface BoxPlan {
  name: string
  directory: string
  http: Place
  /** Where the guard and the log really listen, and at which host the other box reaches them. */
  guard: Place
  log: Place
  reachedAt: string
  priority: number
}

const STARTS_WITHIN_MS = 20_000
const main = join(import.meta.dirname, '..', 'main.ts')

export class Box {
  readonly plan: BoxPlan
  readonly #config: string
  readonly #data: string
  #child: ChildProcess | undefined
  #frozen: number[] = []

  constructor(plan: BoxPlan) {
    this.plan = plan
    this.#config = join(plan.directory, 'twinline.yaml')
    this.#data = join(plan.directory, 'data')
    mkdirSync(plan.directory, { recursive: true })
    writeFileSync(this.#config, configuration(plan))
  }

  get name(): string {
    return this.plan.name
  }

  get configFile(): string {
    return this.#config
  }

  /** @throws Ended when it does not come up */
  async start(): Promise<void> {
    if (this.#frozen.length > 0) {
      for (const pid of this.#frozen) process.kill(pid, 'SIGCONT')
      this.#frozen = []
    }
    if (this.running) return
    const output = openSync(join(this.plan.directory, 'log.jsonl'), 'a')
    const child = spawn(process.execPath, [main, 'run', '--config', this.#config], {
      stdio: ['ignore', output, output],
      // A Ctrl-C at the terminal is for the demo, which stops its boxes itself.
      detached: true,
    })
    this.#child = child
    const deadline = performance.now() + STARTS_WITHIN_MS
    while ((await this.ask('GET', '/status')).result !== 'answer') {
      if (!this.running || performance.now() > deadline) {
        throw new Ended(exit.refused, `box ${this.name} did not start; its log is in ${this.plan.directory}`)
      }
      await pause(50)
    }
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** As if its plug were pulled: both processes at once. */
  kill(): void {
    for (const pid of this.#processes()) process.kill(pid, 'SIGKILL')
    this.#frozen = []
  }

  freeze(): void {
    this.#frozen = this.#processes()
    for (const pid of this.#frozen) process.kill(pid, 'SIGSTOP')
  }

  async stop(): Promise<void> {
    for (const pid of this.#frozen) process.kill(pid, 'SIGCONT')
    const child = this.#child
    if (!child || !this.running) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await Promise.race([ended, pause(15_000, undefined, { ref: false })])
    if (this.running) this.kill()
  }

  /** Over its local socket: all rights, no token. */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    return call(localTarget(this.#data, 5_000), { method, path, ...text })
  }

  /** The gateway and its children, the guard among them; proc(5), /proc/pid/task/tid/children. */
  #processes(): number[] {
    const pid = this.#child?.pid
    if (pid === undefined || !this.running) return []
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return [pid, ...children.split(' ').filter(Boolean).map(Number)]
  }
}

/** How long the boxes may take to agree who is active, ms: longer than it takes on a busy machine. */
const AGREED_WITHIN_MS = 30_000
const AGAIN_MS = 100

/**
 * Asks until it is done: for a moment after the joining no box may be active, and what only the active one may change is
 * refused with 503 until one is.
 * @returns the answer's body
 * @throws Ended when it is refused for another reason, or for too long
 */
export async function untilDone(
  what: string,
  ask: () => Promise<Answer>,
  withinMs = AGREED_WITHIN_MS,
): Promise<unknown> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer.result === 'answer' && answer.status < 300) return answer.body
    const soon = answer.result === 'answer' && answer.status === 503 && performance.now() < deadline
    if (!soon) throw new Ended(exit.refused, `${what}: ${JSON.stringify(answer)}`)
    await pause(AGAIN_MS)
  }
}

const configuration = ({
  name,
  http,
  guard,
  log,
  reachedAt,
  priority,
}: BoxPlan): string => `# A box of the demo.
node: ${name}
data: data
http: { listen: ${http.host}:${http.port} }
lines:
  - { id: gsm0, kind: gsm, port: 'sim://gsm?network=1000&reports=500' }
pair:
  listen: ${guard.host}:${guard.port}
  logListen: ${log.host}:${log.port}
  advertise: ['${reachedAt}:${guard.port}']
  priority: ${priority}
  profile: fast
  aloneAfter: 5s
  vip: { address: 127.0.0.100/8, interface: lo, driver: external }
`

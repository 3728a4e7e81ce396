/** One appliance of the laboratory: `twinline run` in the namespace of its host, as the service manager would run it. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, ask } from '../system/appliance.ts'
import type { LabSetting, MemberName } from './contract.ts'
import { addressOf, INTERFACE, ROUTER, run, spawnAt, VIP } from './network.ts'
import { signal, tree } from './processes.ts'

export const HTTP_PORT = 8080
const WITNESS_PORT = 8885
const STARTS_WITHIN_MS = 30_000
const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const environment = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TMPDIR: process.env['TMPDIR'],
  // A laboratory runs several appliances on one machine, often a small one.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
}

/** What the laboratory reads of GET /api/v1/pair. */
interface SeenPair {
  role: string
  members: { node: string; signal?: string; replication?: { state: string } }[]
  profile: { interval: number }
}

export class Member {
  readonly name: MemberName
  readonly directory: string
  #child: ChildProcess | undefined
  #logFrom = 0

  /** @param port address of its modem, as in a configuration */
  constructor(name: MemberName, setting: LabSetting, port: string) {
    this.name = name
    this.directory = join(setting.directory, name)
    mkdirSync(join(this.directory, 'data'), { recursive: true, mode: 0o700 })
    if (setting.diskMB !== undefined) {
      run('mount', '-t', 'tmpfs', '-o', `size=${setting.diskMB}m,mode=0700`, 'tmpfs', this.#data)
    }
    writeFileSync(this.#config, configuration(name, setting, port))
  }

  get #config(): string {
    return join(this.directory, 'twinline.yaml')
  }

  get #data(): string {
    return join(this.directory, 'data')
  }

  get #logFile(): string {
    return join(this.directory, 'log.jsonl')
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts it; resolves when its HTTP listens. */
  async start(): Promise<void> {
    const output = openSync(this.#logFile, 'a')
    this.#logFrom = readFileSync(this.#logFile).length
    const child = spawnAt(this.name, [process.execPath, program, 'run', '--config', this.#config], {
      cwd: this.directory,
      stdio: ['ignore', output, output],
      env: environment,
    })
    this.#child = child
    const deadline = performance.now() + STARTS_WITHIN_MS
    while (!/"addresses":\["http:[^"]+"/.test(this.log())) {
      if (!this.running || performance.now() > deadline) {
        throw new Error(`${this.name} did not start: ${this.log().slice(-4_000)}`)
      }
      await pause(20)
    }
  }

  /** What it has logged since its last start. */
  log(): string {
    return readFileSync(this.#logFile).subarray(this.#logFrom).toString()
  }

  get gateway(): number {
    return this.#child?.pid ?? 0
  }

  get guard(): number {
    return tree(this.gateway).find(({ command }) => /main\.ts guard/.test(command))?.pid ?? 0
  }

  /** All its processes: gateway, guard and what they have started. */
  get pids(): number[] {
    return tree(this.gateway).map(({ pid }) => pid)
  }

  async kill(pids: readonly number[] = this.pids): Promise<void> {
    const child = this.#child
    const exited = child && this.running && pids.includes(this.gateway) ? once(child, 'exit') : undefined
    signal(pids, 'SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || !this.running) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }

  /** A request over its control socket: all scopes, no token. */
  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(join(this.#data, 'control.sock'), method, path, body, {})
  }

  /** @returns undefined when it does not answer, as when it is dead, frozen or starting */
  async status(): Promise<SeenPair | undefined> {
    const answer = await Promise.race([
      this.call('GET', '/api/v1/pair').catch(() => undefined),
      pause(1_000, undefined),
    ])
    return answer?.status === 200 && isSeenPair(answer.body) ? answer.body : undefined
  }

  /** A command of the program on this box. @throws with what it said when it fails */
  async command(...args: string[]): Promise<string> {
    const child = spawnAt(this.name, [process.execPath, program, ...args, '--config', this.#config], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    let said = ''
    let complained = ''
    child.stdout?.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
    child.stderr?.on('data', (bytes: Buffer) => {
      complained += bytes.toString()
    })
    const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
    if (code !== 0)
      throw new Error(`${this.name}: twinline ${args.join(' ')}: exit ${code}: ${complained}${said}`)
    return said.trim()
  }

  /** Its copy of the disk full, or free again. */
  fillDisk(full: boolean): void {
    const ballast = join(this.#data, 'ballast')
    if (!full) run('rm', '-f', ballast)
    else {
      try {
        run('dd', 'if=/dev/zero', `of=${ballast}`, 'bs=64k')
      } catch {
        // It ends when the disk is full, and that is an error to dd.
      }
    }
  }
}

function isSeenPair(body: unknown): body is SeenPair {
  return body !== null && typeof body === 'object' && 'role' in body && 'members' in body
}

function configuration(name: MemberName, setting: LabSetting, port: string): string {
  const { profile, witness, driver, mode, more, diskMB } = setting
  const vip = { address: `${VIP}/24`, interface: INTERFACE, driver }
  return `node: ${name}
data: data
http: { listen: 0.0.0.0:${HTTP_PORT} }
${diskMB === undefined ? '' : 'reserve: 4MB\n'}lines:
  - { id: gsm0, kind: gsm, port: ${JSON.stringify(port)}, reports: false }
pair:
  listen: 0.0.0.0:8883
  advertise: [${addressOf[name]}:8883]
  priority: ${{ a: 150, b: 100, d: 50, far: 100 }[name]}
  profile: ${profile}
  aloneAfter: 3s
${mode === undefined ? '' : `  mode: ${mode}\n`}${driver === 'external' ? '' : `  vip: ${JSON.stringify(vip)}\n`}${
  witness ? `  witness: ${addressOf.witness}:${WITNESS_PORT}\n` : `  lan: { router: ${ROUTER} }\n`
}${more ?? ''}`
}

/** The witness on its host; it keeps what it learned at first contact in a directory of its own. */
export class WitnessProcess {
  readonly #directory: string
  #child: ChildProcess | undefined

  constructor(directory: string) {
    this.#directory = join(directory, 'witness')
    mkdirSync(this.#directory, { recursive: true })
  }

  start(): void {
    const output = openSync(join(this.#directory, 'log.jsonl'), 'a')
    const argv = [process.execPath, program, 'witness', '--listen', `${addressOf.witness}:${WITNESS_PORT}`]
    this.#child = spawnAt('witness', argv, {
      cwd: this.#directory,
      stdio: ['ignore', output, output],
      env: environment,
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

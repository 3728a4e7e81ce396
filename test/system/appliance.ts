/** An appliance as a process of its own, as the service manager would run it, for system tests and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const root = join(import.meta.dirname, '..', '..')

export interface ApplianceOptions {
  /** Where configuration, data and log go. */
  directory: string
  /** Port addresses, one a line: gsm0, gsm1 … */
  ports: readonly string[]
  reports?: boolean
  /** `box-a` when absent. */
  node?: string
  /** Where HTTP listens; a free port of 127.0.0.1 when absent. */
  listen?: string
  /** More of the configuration, as YAML. */
  more?: string
  environment?: Record<string, string>
  /** What is started in the place of src/main.ts. */
  program?: string
}

export interface Answer {
  status: number
  // What the API answers is looked at field by field in the tests.
  body: Record<string, unknown>
}

export interface RunningAppliance {
  readonly pid: number
  readonly address: string
  /** A request over the local control socket: all scopes, no token. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  token(): Promise<string>
  /** Waits until so many lines are ready. */
  ready(lines: number): Promise<void>
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  log(): string
}

const STARTS_WITHIN_MS = 20_000

export async function startAppliance(options: ApplianceOptions): Promise<RunningAppliance> {
  const { directory, ports, reports = false, more = '', environment = {} } = options
  const { node = 'box-a', listen = '127.0.0.1:0', program = join(root, 'src', 'main.ts') } = options
  mkdirSync(directory, { recursive: true })
  const config = join(directory, 'twinline.yaml')
  const lines = ports.map(
    (port, n) => `  - { id: gsm${n}, kind: gsm, port: ${JSON.stringify(port)}, reports: ${reports} }`,
  )
  writeFileSync(
    config,
    `node: ${node}\ndata: data\nhttp: { listen: ${listen} }\nlines:\n${lines.join('\n')}\n${more}`,
  )
  const logFile = join(directory, 'log.jsonl')
  const output = openSync(logFile, 'a')
  const before = readFileSync(logFile, 'utf8').length
  const child = spawn(process.execPath, [program, 'run', '--config', config], {
    cwd: directory,
    stdio: ['ignore', output, output],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TMPDIR: process.env['TMPDIR'],
      ...environment,
    },
  })
  const log = () => readFileSync(logFile, 'utf8').slice(before)
  const address = await listening(child, log)
  const socketPath = join(directory, 'data', 'control.sock')
  const call: RunningAppliance['call'] = (method, path, body, headers = {}) =>
    ask(socketPath, method, path, body, headers)
  return {
    pid: child.pid ?? 0,
    address,
    call,
    log,
    async token() {
      const { body } = await call('POST', '/api/v1/tokens', { name: 'test', scopes: ['send', 'read'] })
      return String(body['token'])
    },
    async ready(count) {
      await until(async () => {
        const { body } = await call('GET', '/api/v1/lines')
        const items = Array.isArray(body['items']) ? body['items'] : []
        return items.filter((line) => line.state === 'ready').length >= count
      }, `${count} lines ready`)
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    },
  }
}

async function listening(child: ChildProcess, log: () => string): Promise<string> {
  const deadline = performance.now() + STARTS_WITHIN_MS
  for (;;) {
    const found = /"addresses":\["(http:[^"]+)"/.exec(log())?.[1]
    if (found) return found
    const { exitCode, signalCode } = child
    if (exitCode !== null || signalCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      const ended =
        signalCode ?? (exitCode === null ? `not within ${STARTS_WITHIN_MS} ms` : `code ${exitCode}`)
      throw new Error(`the appliance did not start (${ended}): ${log()}`)
    }
    await pause(20)
  }
}

/** One request over a local control socket. */
export function ask(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const type: Record<string, string> = text === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers: { ...type, ...headers } }, (response) => {
      let received = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        received += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: received ? JSON.parse(received) : {} })
        } catch (error) {
          reject(error)
        }
      })
    })
    asked.on('error', reject)
    asked.end(text)
  })
}

/** Waits until something holds; asks again every 25 ms. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await pause(25)
  }
}

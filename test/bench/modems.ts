/** Simulated modems on ptys for a benchmark, in a process of their own (modem-process.ts). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Submission, Violation } from '#simulator/network.ts'

export interface Modems {
  /** Device files, one a modem. */
  ports: readonly string[]
  /** How many messages were answered so far. */
  count(): Promise<number>
  record(): Promise<{ record: Submission[]; violations: Violation[] }>
  stop(): Promise<void>
}

const startMs = 20_000

/**
 * @param directory where the device files shall be
 * @param options as `twinline simulate` takes them, such as `{ network: '2s', prompt: '30' }`
 */
export async function startModems(
  directory: string,
  lines: number,
  options: Readonly<Record<string, string>>,
): Promise<Modems> {
  const settings = Object.entries(options).map(([name, value]) => `${name}=${value}`)
  const program = fileURLToPath(new URL('./modem-process.ts', import.meta.url))
  const child = fork(program, [directory, String(lines), ...settings], {
    serialization: 'advanced',
  })
  const { ports } = await answer(child)
  return {
    ports: Array.isArray(ports) ? ports.map(String) : [],
    async count() {
      child.send('count')
      const { count } = await answer(child)
      return typeof count === 'number' ? count : 0
    },
    async record() {
      child.send('record')
      const { record, violations } = await answer(child)
      return { record: record ?? [], violations: violations ?? [] }
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

interface Answer {
  ports?: string[]
  count?: number
  record?: Submission[]
  violations?: Violation[]
}

/** The next thing that the process says. One question is under way at a time. */
async function answer(child: ChildProcess): Promise<Answer> {
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(startMs)])
  try {
    const [message]: Answer[] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() =>
        Promise.reject(new Error('the simulated modems have ended')),
      ),
    ])
    return message ?? {}
  } finally {
    done.abort()
  }
}

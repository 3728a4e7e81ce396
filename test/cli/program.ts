/** The program as a user runs it: a process of its own, with what it printed and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

interface Options {
  input?: string
  environment?: Record<string, string>
  directory?: string
}

export interface Running {
  child: ChildProcess
  output(): { stdout: string; stderr: string }
  /** Resolves when stdout holds the text; rejects when the process ended without it. */
  printed(text: string): Promise<string>
  ended: Promise<Ran>
}

export function start(words: readonly string[], options: Options = {}): Running {
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), ...words], {
    cwd: options.directory ?? root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TMPDIR: process.env['TMPDIR'],
      ...options.environment,
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return {
    child,
    output: () => ({ stdout, stderr }),
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve(stdout)
        }
        child.stdout.on('data', look)
        look()
        void ended.then(() => reject(new Error(`ended without ${JSON.stringify(text)}: ${stdout}${stderr}`)))
      }),
  }
}

/** Runs a command to its end. */
export const twinline = (words: readonly string[], options?: Options): Promise<Ran> =>
  start(words, options).ended

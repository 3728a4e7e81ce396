/**
 * A program that stays for as long as the guard does and takes its orders line by line on standard input: starting it
 * for each order would cost a millisecond of the guard's loop and several of waiting. It ends by itself at the end of
 * its input, also when the guard is killed. One that ends early is started again, with a back-off.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { errorText } from '#core/errors.ts'

const FIRST_RESTART_MS = 50
const LONGEST_RESTART_MS = 5_000
/** Bytes of orders that may wait for a program that takes none. */
const MOST_WAITING = 16_384
/** A line of answer; more without an end is thrown away. */
const LONGEST_LINE = 8_192

export interface ResidentOptions {
  command: string
  args: readonly string[]
  /** Told after each start; what it must know at first is written here. */
  onStarted?(): void
  onLine?(line: string): void
  onError(text: string): void
  /** It ended without having been closed; it is started again unless it is not installed. */
  onEnded(text: string): void
}

export interface Resident {
  /** @returns false when it does not run, or takes no orders: nothing was written then */
  write(line: string): boolean
  /** Ends it at once, with whatever it has not carried out yet, and starts another one. */
  replace(): void
  /** Lets it carry out what it was told, and ends. */
  close(): Promise<void>
}

/** Calls `take` for each whole line. */
export function lines(take: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return (chunk) => {
    const all = (rest + chunk).split('\n')
    rest = all.pop() ?? ''
    if (rest.length > LONGEST_LINE) rest = ''
    for (const line of all) take(line)
  }
}

export function resident(options: ResidentOptions): Resident {
  const { command, args } = options
  let child: ChildProcessWithoutNullStreams | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let closed = false

  function start(): void {
    const started = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    child = started
    let reason = ''
    started.stdin.on('error', () => {})
    started.stdout.setEncoding('utf8').on(
      'data',
      lines((line) => started === child && options.onLine?.(line)),
    )
    started.stderr.setEncoding('utf8').on(
      'data',
      lines((line) => started === child && options.onError(line)),
    )
    started.on('error', (error) => {
      reason = errorText(error)
    })
    const since = performance.now()
    started.on('close', (code, signal) => {
      if (child !== started) return
      child = undefined
      if (closed) return
      if (performance.now() - since > LONGEST_RESTART_MS) failures = 0
      options.onEnded(`${command} ended (${reason || (signal ?? `exit code ${code}`)})`)
      timer = setTimeout(
        start,
        Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.min(failures++, 10)),
      )
    })
    options.onStarted?.()
  }
  start()

  return {
    write(line) {
      if (!child?.pid || child.stdin.writableLength > MOST_WAITING) return false
      child.stdin.write(`${line}\n`)
      return true
    },
    replace() {
      const old = child
      child = undefined
      old?.kill('SIGKILL')
      clearTimeout(timer)
      if (!closed) start()
    },
    close() {
      closed = true
      clearTimeout(timer)
      const last = child
      if (!last?.pid) return Promise.resolve()
      return new Promise((resolve) => {
        // A program that hangs must not keep the guard from ending.
        const patience = setTimeout(() => last.kill('SIGKILL'), 200)
        last.once('close', () => {
          clearTimeout(patience)
          resolve()
        })
        last.stdin.end()
      })
    },
  }
}

/**
 * Has documents looked at and made ready in a process of its own, within bounds of time and memory: what a file holds
 * can be made to take any of both, and while it is decoded no line waits. One at a time; a bounded number waits.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Done, Job } from './document-process.ts'

/** Of the process's heap. Pictures are outside it and have bounds of their own. */
const MOST_MEMORY_MB = 192
const MOST_WAITING = 32
/** Behind everything else that the appliance does. */
const NICE = 10
/** The kernel's scale ends at 1000 (proc(5), oom_score_adj). */
const FIRST_TO_GO = '900'

const program = fileURLToPath(new URL('./document-process.ts', import.meta.url))

export type Apart =
  /** Too much waits already, or the program is stopping: the document is not to blame. */
  | { result: 'busy' }
  /** It took too long or too much memory, or was killed. */
  | { result: 'died' }

export interface Workshop {
  run<J extends Job>(job: J): Promise<{ result: 'done'; done: Done[J['job']] } | Apart>
  stop(): void
}

/** @param longestMs what one job may take */
export function createWorkshop(longestMs: number): Workshop {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  let running: ChildProcess | undefined
  let stopped = false

  async function apart(job: Job): Promise<unknown> {
    if (stopped) throw new Error('stopped')
    const child = fork(program, {
      execArgv: [`--max-old-space-size=${MOST_MEMORY_MB}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
    })
    running = child
    const done = new AbortController()
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(longestMs)])
    try {
      if (child.pid !== undefined) lower(child.pid)
      // What cannot be sent shows in the process's end.
      child.send(job, () => {})
      const ended = once(child, 'exit', { signal }).then(() =>
        Promise.reject(new Error('ended without an answer')),
      )
      const [answer] = await Promise.race([once(child, 'message', { signal }), ended])
      return answer
    } finally {
      done.abort()
      running = undefined
      child.on('error', () => {})
      child.kill('SIGKILL')
    }
  }

  return {
    async run<J extends Job>(job: J) {
      if (waiting >= MOST_WAITING) return { result: 'busy' }
      waiting += 1
      const mine = last.then(() => apart(job))
      last = mine.catch(() => {})
      try {
        return { result: 'done', done: (await mine) as Done[J['job']] }
      } catch {
        return { result: stopped ? 'busy' : 'died' }
      } finally {
        waiting -= 1
      }
    },
    stop() {
      stopped = true
      running?.kill('SIGKILL')
    },
  }
}

/** Behind everything else, and the first to go where memory runs out: the service itself is protected from that. */
export function lower(pid: number): void {
  try {
    setPriority(pid, NICE)
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO)
  } catch {
    // It has ended already, or the system does not let us: it is bounded all the same.
  }
}

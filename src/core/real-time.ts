/** Real-time scheduling for processes in which a late answer is a wrong one. */
import { spawn } from 'node:child_process'

/**
 * Real-time scheduling (SCHED_FIFO) for a process and its threads, if that is permitted here. Not from its first
 * moment: a program that starts needs the processor for a second, and what it then waits for must not be what it keeps
 * from running.
 * @param priority 1 to 99, the highest first
 * @returns whether it was permitted
 */
export function runFirst(pid: number, priority: number): Promise<boolean> {
  return new Promise((resolve) => {
    const change = spawn('chrt', ['--all-tasks', '--fifo', '--pid', `${priority}`, `${pid}`], {
      stdio: 'ignore',
    })
    change.once('error', () => resolve(false))
    change.once('close', (code) => resolve(code === 0))
  })
}

/**
 * For a Node process under SCHED_FIFO. V8's main thread polls without pause for a thread of its own that collects garbage,
 * and a FIFO thread that never waits leaves no core to another one of its priority: with as many such processes as cores
 * they all stood still, and everything below them, for as long as a minute.
 */
export const collectsGarbageAlone = '--single-threaded-gc'

/**
 * The way into the laboratory: starts stage.ts as the first process of namespaces of its own (network, mounts,
 * processes; a user namespace besides when we are not root) and speaks with it over IPC.
 *
 * Nothing of it has a name on this machine and nothing can be left behind: `ip netns` names lie in a private mount of
 * /run, and when the stage ends, because it is asked to, because we died or because it was killed, the kernel ends
 * every process of its process namespace (pid_namespaces(7)) and with the last one the network namespaces go.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LabAnswers, LabRequest } from './contract.ts'

export interface Lab {
  ask<Kind extends LabRequest['kind']>(
    request: Extract<LabRequest, { kind: Kind }>,
    withinMs?: number,
  ): Promise<LabAnswers[Kind]>
  close(): Promise<void>
}

const OPENS_WITHIN_MS = 120_000

/** As root a user namespace would only take SCHED_FIFO away. */
const user = process.getuid?.() === 0 ? [] : ['-U', '-r']
const whole = [...user, '-n', '-m', '-p', '--fork', '--kill-child', '--mount-proc']
/** Some containers allow no /proc of one's own. Then the stage itself ends what it has started. */
const least = [...user, '-n', '-m', '--fork', '--kill-child']

const possible = (words: readonly string[]) =>
  spawnSync('unshare', [...words, 'ip', 'link', 'set', 'lo', 'up'], { timeout: 10_000 }).status === 0

/** Arguments of unshare(1) that work here; undefined when none do. */
export const unshareArguments: readonly string[] | undefined = [whole, least].find(possible)

/** @param progress is given lines for people while something takes long */
export async function enterLab(progress: (line: string) => void = () => {}): Promise<Lab> {
  const stage = join(import.meta.dirname, 'stage.ts')
  // The shell is the first process: unlike Node it reaps the orphans that kills leave behind.
  const first = ['sh', '-c', '"$0" "$@" & wait $!', process.execPath, stage]
  if (!unshareArguments) throw new Error('namespaces cannot be made here (unshare -Urnm)')
  const child = spawn('unshare', [...unshareArguments, ...first], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], LANG: 'C' },
  })
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  let next = 0
  const fail = (why: string) => {
    for (const { reject } of waiting.values()) reject(new Error(why))
    waiting.clear()
  }
  child.on('message', (message: { id?: number; answer?: never; error?: string; progress?: string }) => {
    if (message.progress !== undefined) progress(message.progress)
    const asked = message.id === undefined ? undefined : waiting.get(message.id)
    if (message.id === undefined || !asked) return
    waiting.delete(message.id)
    if (message.error === undefined) asked.resolve(message.answer as never)
    else asked.reject(new Error(message.error))
  })
  child.on('exit', (code, signal) => fail(`the laboratory has ended (${signal ?? code})`))
  child.on('error', (error) => fail(`the laboratory cannot be started: ${error.message}`))
  return {
    ask(request, withinMs = OPENS_WITHIN_MS) {
      const id = next++
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(id)
          reject(new Error(`${request.kind}: no answer of the laboratory within ${withinMs} ms`))
        }, withinMs)
        waiting.set(id, {
          resolve(value) {
            clearTimeout(late)
            resolve(value)
          },
          reject(error) {
            clearTimeout(late)
            reject(error)
          },
        })
        child.send({ id, request })
      })
    },
    close: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(late)
}

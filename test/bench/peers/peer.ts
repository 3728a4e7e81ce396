/**
 * What the benchmark asks of another gateway: start on given serial ports with its own or with tuned settings, take
 * messages the way it takes them, stop. Each peer runs as an ordinary program in a directory of its own; processes
 * are ended by their own ids.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type Settings = 'default' | 'tuned'

export interface Text {
  to: string
  text: string
}

export interface PeerSetup {
  /** Empty, on the disk that the benchmark measures. */
  directory: string
  /** Device files, one a modem. */
  ports: readonly string[]
  settings: Settings
  /** In the queue when it starts, where the peer allows that; else fed right after. */
  queued: readonly Text[]
}

export interface RunningPeer {
  /** Its processes, the last one the first to be ended; their children count too. */
  children: readonly ChildProcess[]
  /** Hands over messages as a client of this peer does, each safely taken when it resolves. */
  accept(texts: readonly Text[]): Promise<void>
}

export interface Peer {
  name: string
  /** Debian's package; the program is looked for at `program`. */
  packageName: string
  program: string
  /** How accept() hands a message over, in words for the printed row. */
  acceptsBy: string
  /** At most this many messages in accept(), so that the measurement ends in bounded time. */
  acceptCount: number
  start(setup: PeerSetup): Promise<RunningPeer>
}

/** Debian's version of the package, or `unknown`. */
export function versionOf(packageName: string): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${' + 'Version}', packageName], {
    encoding: 'utf8',
  })
  return stdout?.trim() || 'unknown'
}

/** Starts a program with its output in a file of the directory. */
export function launch(
  program: string,
  args: readonly string[],
  directory: string,
  log: string,
): ChildProcess {
  const output = openSync(join(directory, log), 'a')
  return spawn(program, [...args], {
    cwd: directory,
    stdio: ['ignore', output, output],
  })
}

export const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Ends a child: asks, waits at most `patienceMs`, then makes it. */
export async function end(child: ChildProcess, patienceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const waited = new AbortController()
  const gone = await Promise.race([
    exited.then(() => true),
    pause(patienceMs, false, { signal: waited.signal }).catch(() => false),
  ])
  waited.abort()
  if (gone) return
  child.kill('SIGKILL')
  await exited
}

/** Waits until something holds. @throws when it does not within the time */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  what: string,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await pause(25)
  }
}

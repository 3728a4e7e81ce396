/**
 * A network for one test: two namespaces joined by a cable, `e0` here and `e1` at the far end. Each lives as long as
 * one sleeping process; they have no names, so nothing can be left behind: the kernel takes them away with the last
 * process in them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than any test; then it goes by itself, whatever happened to the test. */
const LIFE_S = '120'

export interface Space {
  readonly pid: number
  /** The words that run a program inside it. */
  inside(...words: string[]): [string, ...string[]]
  /** Runs one to its end. */
  run(...words: string[]): { status: number | null; stdout: string; stderr: string }
  /** @throws when it fails */
  ip(...words: string[]): string
}

export interface Network extends Space {
  far: Space
  /** Of `e0`, as `ip -o addr show` puts it. */
  addresses(): string
  close(): void
}

const root = process.getuid?.() === 0

/** @param inner the words that get to where it is made: another space shares its user namespace with us */
async function space(inner: readonly string[]): Promise<Space & { close(): void }> {
  const [command = '', ...args] = [
    ...inner,
    'unshare',
    ...(root || inner.length > 0 ? [] : ['-U', '-r']),
    '-n',
    'sleep',
    LIFE_S,
  ]
  const keeper = spawn(command, args, { stdio: 'ignore' })
  const pid = keeper.pid
  if (pid === undefined) throw new Error('unshare did not start')
  const nameOf = (who: number | 'self'): string => readlinkSync(`/proc/${who}/ns/net`)
  const outside = nameOf('self')
  const parent = inner.length > 0 ? nameOf(Number(inner[inner.length - 1])) : outside
  for (let tries = 0; nameOf(pid) === outside || nameOf(pid) === parent; tries++) {
    if (tries > 500) throw new Error('no namespace')
    await sleep(10)
  }
  const inside = (...words: string[]): [string, ...string[]] => [
    'nsenter',
    ...(root ? [] : ['-U', '--preserve-credentials']),
    '-n',
    '-t',
    String(pid),
    ...words,
  ]
  function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
    const [program, ...rest] = inside(...words)
    return spawnSync(program, rest, { encoding: 'utf8', timeout: 10_000 })
  }
  function ip(...words: string[]): string {
    const { status, stdout, stderr } = run('ip', ...words)
    if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`)
    return stdout
  }
  return { pid, inside, run, ip, close: () => keeper.kill('SIGKILL') }
}

export async function network(): Promise<Network> {
  const here = await space([])
  const into = ['nsenter', ...(root ? [] : ['-U', '--preserve-credentials']), '-n', '-t', String(here.pid)]
  const far = await space(into)
  here.ip('link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e1', 'netns', String(far.pid))
  for (const [of, name] of [
    [here, 'lo'],
    [here, 'e0'],
    [far, 'lo'],
    [far, 'e1'],
  ] as const)
    of.ip('link', 'set', name, 'up')
  return {
    ...here,
    far,
    addresses: () => here.ip('-o', 'addr', 'show', 'dev', 'e0'),
    close() {
      far.close()
      here.close()
    },
  }
}

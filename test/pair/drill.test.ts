/** Drills: refused unless somebody can take over, announced, bounded, and upon a real process that comes back by itself. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { MemberView, PairStatus, ReplicationView } from '#pair/contract.ts'
import { createDrill, isSupervised } from '#pair/drill.ts'

const beta: MemberView = { node: 'beta', signal: 'LIVE', role: 'standby', healthy: true, paths: [] }
const copy: ReplicationView = { node: 'beta', state: 'current', behind: 0 }

function status(members: MemberView[], replication: ReplicationView[]): PairStatus {
  return {
    node: 'alpha',
    role: { role: 'active', term: { counter: 1, node: 'alpha' }, since: 0, reason: 'x' },
    members,
    replication,
    profile: { name: 'normal', interval: 200, misses: 4, lease: 1_000, grantWait: 1_700, bytesPerHour: 1 },
  }
}

function stage(members = [beta], replication = [copy], supervised = true) {
  const begun: string[] = []
  const audited: string[] = []
  let passed = 0
  const { promise: wasCut, resolve } = Promise.withResolvers<number>()
  const drill = createDrill({
    clock: { now: () => passed, monotonic: () => passed, trusted: () => true },
    status: () => status(members, replication),
    guardPid: () => 4_711,
    supervised,
    cut: resolve,
    audit: (who, what, text) => audited.push(`${who} ${what} ${text}`),
    begin: (kind, gateway, guard) => begun.push(`${kind} ${gateway} ${guard}`),
  })
  return {
    drill,
    begun,
    audited,
    wasCut,
    pass: (ms: number) => {
      passed += ms
    },
  }
}

test.each([
  ['nobody else', [], []],
  ['one that is silent', [{ ...beta, signal: 'DEAD' as const }], [copy]],
  ['one that stopped', [{ ...beta, signal: 'CLOSE' as const }], [copy]],
  ['one that is not well', [{ ...beta, healthy: false }], [copy]],
  ['one that lacks something', [beta], [{ ...copy, state: 'lagging' as const }]],
  ['one whose disk is full', [beta], [{ ...copy, problem: 'full' }]],
])('with %s there is no drill', async (_what, members, replication) => {
  for (const kind of ['kill', 'freeze', 'cut'] as const) {
    const { drill, begun, audited } = stage(members, replication)
    expect(await drill(kind, 'who')).toMatchObject({ result: 'refused', code: 'drill-no-standby' })
    expect(begun).toEqual([])
    expect(audited[0]).toContain('who drill-no-standby')
  }
})

test('one ready member of several is enough', async () => {
  const gamma: MemberView = { ...beta, node: 'gamma', signal: 'DEAD' }
  expect(await stage([gamma, beta]).drill('freeze', 'who')).toMatchObject({ result: 'done' })
})

test('kill and freeze reach this process and its guard, and are in the audit log first', async () => {
  for (const kind of ['kill', 'freeze'] as const) {
    const { drill, begun, audited } = stage()
    expect(await drill(kind, 'who')).toMatchObject({ result: 'done' })
    expect(begun).toEqual([`${kind} ${process.pid} 4711`])
    expect(audited[0]).toContain(`who pair-drill drill ${kind}`)
  }
})

test('cut lasts ten seconds', async () => {
  const { drill, wasCut } = stage()
  await drill('cut', 'who')
  expect(await wasCut).toBe(10_000)
})

test('a drill needs rest after a drill', async () => {
  const { drill, begun, pass } = stage()
  await drill('freeze', 'who')
  pass(20_000)
  expect(await drill('kill', 'who')).toMatchObject({ code: 'drill-running' })
  pass(6_000)
  expect(await drill('kill', 'who')).toMatchObject({ result: 'done' })
  expect(begun).toHaveLength(2)
})

test('who is started by nobody is not killed', async () => {
  const { drill } = stage([beta], [copy], false)
  expect(await drill('kill', 'who')).toMatchObject({ code: 'drill-unsupervised' })
  expect(await drill('freeze', 'who')).toMatchObject({ result: 'done' })
  expect(isSupervised({})).toBe(false)
  expect(isSupervised({ INVOCATION_ID: 'x' })).toBe(true)
  expect(isSupervised({ TWINLINE_SUPERVISED: '1' })).toBe(true)
})

/** A process that runs the real child upon itself and upon a guard of its own, and says every 50 ms that it lives. */
async function gateway(
  kind: 'kill' | 'freeze',
): Promise<{ child: ChildProcess; guard: number; beats: number[] }> {
  const program = `
    import { spawn } from 'node:child_process'
    import { createDrill } from ${JSON.stringify(join(import.meta.dirname, '../../src/pair/drill.ts'))}
    const guard = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    process.stdout.write('guard ' + guard.pid + '\\n')
    setInterval(() => process.stdout.write('beat\\n'), 50)
    const drill = createDrill({
      clock: { now: () => 0, monotonic: () => 0, trusted: () => true },
      status: () => (${JSON.stringify(status([beta], [copy]))}),
      guardPid: () => guard.pid, supervised: true, cut() {}, audit() {},
    })
    await drill(${JSON.stringify(kind)}, 'test')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(import.meta.dirname, '../..'),
  })
  const beats: number[] = []
  const { promise, resolve } = Promise.withResolvers<number>()
  child.stdout.on('data', (data: Buffer) => {
    beats.push(performance.now())
    const pid = /guard (\d+)/.exec(data.toString())?.[1]
    if (pid !== undefined) resolve(Number(pid))
  })
  const guard = await promise
  onTestFinished(() => {
    for (const pid of [guard, child.pid ?? 0]) {
      try {
        if (pid > 1) process.kill(pid, 'SIGKILL')
      } catch {}
    }
  })
  return { child, guard, beats }
}

const stateOf = (pid: number): string | undefined => {
  try {
    return /^\d+ \(.*\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

test('a frozen gateway stands still for five seconds and then goes on', async () => {
  const { child, beats } = await gateway('freeze')
  const until = performance.now() + 20_000
  let gap = 0
  let after = 0
  while (performance.now() < until && after < 3) {
    await pause(50)
    const gaps = beats.map((at, n) => at - (beats[n - 1] ?? at))
    gap = Math.max(...gaps)
    after = beats.length - 1 - gaps.indexOf(gap)
    if (gap < 4_000) after = 0
  }
  expect(gap).toBeGreaterThan(4_500)
  expect(gap).toBeLessThan(9_000)
  expect(after).toBeGreaterThanOrEqual(3)
  expect(child.exitCode).toBeNull()
}, 30_000)

test('kill ends gateway and guard', async () => {
  const { child, guard } = await gateway('kill')
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
  for (let n = 0; n < 100 && ![undefined, 'Z'].includes(stateOf(guard)); n += 1) await pause(50)
  expect([undefined, 'Z']).toContain(stateOf(guard))
}, 20_000)

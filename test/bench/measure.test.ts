/** The yardstick itself, on records whose figures are known by hand, and on processes whose cost is known. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lineFigures, quantiles, type Sending, usage } from './measure.ts'

const ms = 1e6

/** Messages of one line: the prompt comes at once, then `write` ms to Ctrl-Z, `network` ms to the answer, `pause` ms. */
function line(
  modem: string,
  count: number,
  write: number,
  network: number,
  pause: number,
  from = 0,
): Sending[] {
  return Array.from({ length: count }, (_, index) => {
    const commandAt = (from + index * (write + network + pause)) * ms
    const endAt = commandAt + write * ms
    return {
      modem,
      commandAt,
      promptAt: commandAt,
      endAt,
      answeredAt: endAt + network * ms,
    }
  })
}

describe('line figures', () => {
  test('one line: the share of waiting, and both halves of the own time', () => {
    const figures = lineFigures(line('a', 11, 2, 1980, 18), 1)
    expect(figures?.utilisation).toBeCloseTo(0.99, 6)
    expect(figures?.ownMs).toEqual({ count: 10, p50: 20, p99: 20, max: 20 })
    expect(figures?.messages).toBe(11)
    expect(figures?.steadyS).toBeCloseTo(20, 6)
  })

  test('a line that never sends halves the utilisation', () => {
    const one = line('a', 11, 0, 1000, 0)
    expect(lineFigures(one, 1)?.utilisation).toBeCloseTo(1, 6)
    expect(lineFigures(one, 2)?.utilisation).toBeCloseTo(0.5, 6)
  })

  test('a line that stands still while others have work lowers it', () => {
    const busy = line('a', 20, 0, 1000, 0)
    const lazy = line('b', 5, 0, 1000, 0)
    const figures = lineFigures([...lazy, ...busy], 2)
    expect(figures?.utilisation).toBeCloseTo((19 + 5) / 38, 6)
  })

  test('a line that was given nothing for most of the run was idle', () => {
    const figures = lineFigures([...line('a', 20, 0, 1000, 0), ...line('b', 2, 0, 1000, 0, 18_000)], 2)
    expect(figures?.steadyS).toBeCloseTo(19, 6)
    expect(figures?.utilisation).toBeCloseTo((19 + 1) / 38, 6)
  })

  test('no figure from a single message', () => {
    expect(lineFigures(line('a', 1, 0, 1000, 0), 1)).toBeUndefined()
  })

  test('an unanswered message is not counted', () => {
    const sendings = line('a', 3, 0, 1000, 0)
    expect(
      lineFigures(
        [
          ...sendings,
          {
            modem: 'a',
            commandAt: 9e9,
            promptAt: 9e9,
            endAt: 9e9,
            answeredAt: 0,
          },
        ],
        1,
      )?.messages,
    ).toBe(3)
  })

  test('messages a second over the whole run', () => {
    expect(lineFigures(line('a', 100, 1, 0, 1), 1)?.perSecond).toBeCloseTo(100 / 0.199, 3)
  })
})

test('quantiles of nothing are zero', () => {
  expect(quantiles([])).toEqual({ count: 0, p50: 0, p99: 0, max: 0 })
  expect(quantiles([3, 1, 2])).toEqual({ count: 3, p50: 2, p99: 3, max: 3 })
})

test('a tree of processes is charged for its children, living and ended', async () => {
  const burn = `const end = Date.now() + 400; while (Date.now() < end) {}`
  const parent = spawn(
    process.execPath,
    [
      '-e',
      `const { spawn, spawnSync } = require('node:child_process')
       spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}])
       spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
       process.stdout.write('ready'); process.stdin.on('end', () => process.exit()).resume()`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  try {
    await once(parent.stdout, 'data')
    const used = usage([parent.pid ?? 0])
    expect(used.processes).toBe(2)
    // The machine may be busy with other tests, but 400 ms of turning cost at least a tenth of that.
    expect(used.cpuS).toBeGreaterThan(0.04)
    expect(used.rss).toBeGreaterThan(2 * 20e6)
  } finally {
    const { pid } = parent
    const children = pid === undefined ? [] : childrenOf(pid)
    parent.kill('SIGKILL')
    for (const child of children) process.kill(child, 'SIGKILL')
    await once(parent, 'exit')
  }
  expect(usage([parent.pid ?? 0]).processes).toBe(0)
})

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

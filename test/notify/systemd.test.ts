import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Log, silent } from '#core/log.ts'
import { superviseBySystemd } from '#notify/systemd.ts'
import { describeWith } from '../requirements.ts'

/** A socket as systemd has it, and what arrives there, each message behind the other. */
async function notifySocket(): Promise<{ path: string; received: () => string }> {
  const path = join(mkdtempSync(join(tmpdir(), 'twinline-')), 'notify')
  const child = spawn('socat', ['-d', '-d', '-u', `UNIX-RECV:${path}`, 'STDOUT'])
  onTestFinished(() => {
    child.kill()
  })
  let received = ''
  child.stdout.on('data', (chunk) => {
    received += chunk
  })
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk) => {
      if (String(chunk).includes('starting data transfer')) resolve()
    })
  })
  return { path, received: () => received }
}

const soon = { timeout: 15_000, interval: 50 }

describeWith(['socat', 'systemd-analyze'], 'under systemd', () => {
  test('says ready, feeds the watchdog only while healthy, says stopping', async () => {
    const socket = await notifySocket()
    let healthy = true
    const errors: string[] = []
    const log: Log = { ...silent, error: (_, text) => errors.push(text) }
    const environment = { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '200000' }
    const supervision = superviseBySystemd({ healthy: () => healthy, log, environment })
    supervision.ready()
    await expect.poll(socket.received, soon).toMatch(/READY=1/)
    await expect.poll(socket.received, soon).toMatch(/WATCHDOG=1[\s\S]*WATCHDOG=1/)
    healthy = false
    await expect.poll(() => errors.length, soon).toBeGreaterThan(2)
    const fed = socket.received().split('WATCHDOG=1').length
    const before = errors.length
    await expect.poll(() => errors.length, soon).toBeGreaterThan(before + 2)
    expect(socket.received().split('WATCHDOG=1').length - fed).toBeLessThanOrEqual(1)
    supervision.stopping()
    await expect.poll(socket.received, soon).toMatch(/STOPPING=1/)
  })

  test('a watchdog that is meant for another process is left alone', async () => {
    const socket = await notifySocket()
    let asked = 0
    const supervision = superviseBySystemd({
      healthy: () => {
        asked += 1
        return true
      },
      log: silent,
      environment: { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' },
    })
    supervision.ready()
    await expect.poll(socket.received, soon).toMatch(/READY=1/)
    supervision.stopping()
    await expect.poll(socket.received, soon).toMatch(/STOPPING=1/)
    expect(asked).toBe(0)
  })
})

test('without systemd nothing is started', () => {
  const warnings: string[] = []
  const log: Log = { ...silent, warn: (_, text) => warnings.push(text) }
  const supervision = superviseBySystemd({ healthy: () => true, log, environment: { PATH: '/nonexistent' } })
  supervision.ready()
  supervision.stopping()
  expect(warnings).toEqual([])
})

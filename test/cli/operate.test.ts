/** Lines and changes on trial from the command line, at an appliance that runs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningAppliance, startAppliance } from '../system/appliance.ts'
import { twinline as run } from './program.ts'

describe('the command line of an operator', { timeout: 60_000 }, () => {
  let directory: string
  let appliance: RunningAppliance
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operate-cli-'))
    appliance = await startAppliance({ directory, ports: ['sim://gsm'] })
    await appliance.ready(1)
  }, 60_000)
  afterAll(async () => {
    await appliance.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })
  const twinline = (...words: string[]) => run([...words, '--config', join(directory, 'twinline.yaml')])

  test('lines: list, mute, unmute, test, trace', async () => {
    expect(await twinline('line', 'list')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/box-a +gsm0 +ready/),
    })
    expect(await twinline('line', 'mute', 'gsm0', '--for', '1h')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('gsm0 is ready, muted until'),
    })
    expect(await twinline('line', 'unmute', 'gsm0')).toMatchObject({ code: 0, stdout: 'gsm0 is ready\n' })
    expect(await twinline('line', 'mute', 'gsm0')).toMatchObject({ code: 2 })
    expect(await twinline('line', 'mute', 'gsm7', '--for', '1h')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('line-unknown'),
    })
    const tried = await twinline('line', 'test', 'gsm0', '--to', '+491701234567', '-m', 'hello')
    expect(tried.code).toBe(0)
    expect(JSON.parse(tried.stdout)).toHaveProperty('id')
    expect(await twinline('line', 'trace', 'gsm0')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} > AT/m),
    })
    expect(await twinline('line', 'trace', 'gsm0', '--node', 'box-z')).toMatchObject({ code: 1 })
  })

  test('settings: on trial, confirmed, reverted, exported', async () => {
    const tried = await twinline('config', 'set', 'validity', '45m', '--confirm-within', '1h', '--json')
    expect(tried.code, tried.stderr).toBe(0)
    const { revision } = JSON.parse(tried.stdout) as { revision: string }
    expect(await twinline('config', 'set', 'validity', '50m', '--confirm-within', '1h')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('trial-pending'),
    })
    expect(await twinline('config', 'confirm', revision)).toMatchObject({ code: 0 })
    expect(await twinline('config', 'confirm', revision)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('trial-unknown'),
    })
    const text = await twinline('config', 'export')
    expect(text.stdout).toContain('validity: 45m')
    expect(text.stdout).toMatch(/retention:\n {2}queue: 1w\n/)
    expect(await twinline('config', 'revert', revision)).toMatchObject({ code: 0 })
    expect(await twinline('config', 'get', 'validity')).toMatchObject({ stdout: '30m\n' })
  })
})

/** A member's own file, changed over HTTP at a real appliance: started anew within its process, taken back by itself. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type RunningAppliance, startAppliance, until } from './appliance.ts'

const more = `# the night shift's webhook
inbound:
  webhook: { url: "https://example.org/hook", secret: "a secret of some length" } # mind the secret
mail: { url: "smtps://box:hunter2@mail.example.org:465", from: box@example.org }
`

describe('the own configuration', { timeout: 60_000 }, () => {
  let directory: string
  let appliance: RunningAppliance
  const file = () => readFileSync(join(directory, 'twinline.yaml'), 'utf8')

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'own-'))
    appliance = await startAppliance({ directory, ports: ['sim://gsm'], more })
    await appliance.ready(1)
  })
  afterEach(async () => {
    await appliance.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    appliance.call(method, `/api/v1${path}`, body)
  const starts = () => appliance.log().split('"msg":"started"').length - 1
  const lines = async () =>
    ((await call('GET', '/lines')).body['items'] as { id: string }[]).map(({ id }) => id)
  /** While it starts anew nobody answers. */
  const startedTimes = (times: number) =>
    until(
      async () => starts() >= times && (await call('GET', '/status').catch(() => undefined)) !== undefined,
      `start ${times}`,
    )

  test('is shown without its secrets, and a check says what a change would do', async () => {
    const { body } = await call('GET', '/own-configuration')
    expect(body).toMatchObject({ node: 'box-a', writable: true, keys: { mail: { from: 'box@example.org' } } })
    expect(body['text']).toContain('# mind the secret')
    expect(JSON.stringify(body)).not.toMatch(/hunter2|some length/)
    const checked = await call('POST', '/own-configuration/check', {
      changes: { 'pair.listen': '127.0.0.1:18883', 'pair.profile': 'calm', 'inbound.webhook.secret': '***' },
    })
    expect(checked.body).toMatchObject({
      problems: [],
      diff: [
        { path: 'pair.listen', after: '127.0.0.1:18883' },
        { path: 'pair.profile', after: 'calm' },
      ],
      failover: { silence: 3_000, start: 0, expected: 3_000 },
    })
    expect(checked.body['promises']).toContainEqual(expect.objectContaining({ fault: 'box-dead' }))
    const rule = await call('POST', '/own-configuration/check', {
      changes: {
        pair: { listen: '127.0.0.1:18883', profile: { interval: '1s', misses: 3, restart: '60s' } },
      },
    })
    expect(rule.body['problems']).toEqual([
      { path: 'pair.profile.restart', message: expect.stringContaining('(misses - 1) × interval is 2s') },
    ])
    expect(file()).toContain('hunter2')
  })

  test('a change keeps comments and secrets, and starts the appliance anew in its process', async () => {
    const message = await call('POST', '/messages', { to: ['+491701234567'], text: 'before' })
    const changed = await call('PUT', '/own-configuration', {
      changes: { 'lines[1]': { id: 'gsm1', kind: 'gsm', port: 'sim://gsm' }, 'lines[0].reports': true },
    })
    expect(changed).toMatchObject({ status: 202, body: { changed: true, restart: true } })
    await startedTimes(2)
    await appliance.ready(2)
    expect(await lines()).toEqual(['gsm0', 'gsm1'])
    expect(file()).toContain('# mind the secret')
    expect(file()).toContain('hunter2')
    expect((await call('GET', `/messages/${String(message.body['id'])}`)).status).toBe(200)
    expect(process.kill(appliance.pid, 0)).toBe(true)
    expect((await call('POST', '/own-configuration/confirm')).status).toBe(404)
    expect(readFileSync(join(directory, 'twinline.yaml.before'), 'utf8')).not.toContain('gsm1')
  })

  test('a change on trial goes back by itself, and is kept when it is confirmed', async () => {
    const before = file()
    const change = { changes: { 'lines[1]': { id: 'gsm1', kind: 'gsm', port: 'sim://gsm' } } }
    expect((await call('PUT', '/own-configuration', { ...change, confirmWithin: '10s' })).status).toBe(202)
    await startedTimes(2)
    // It has gone back.
    await startedTimes(3)
    expect(file()).toBe(before)
    expect(await lines()).toEqual(['gsm0'])
    expect(existsSync(join(directory, 'twinline.yaml.trial'))).toBe(false)
    expect((await call('POST', '/own-configuration/revert')).body['code']).toBe('trial-unknown')

    // What is looked at meanwhile is looked at in a longer one: a busy machine starts for as long as the shortest.
    const long = { ...change, confirmWithin: '90s' }
    await call('PUT', '/own-configuration', long)
    await startedTimes(4)
    expect(await lines()).toEqual(['gsm0', 'gsm1'])
    const { confirmBy } = Object((await call('GET', '/own-configuration')).body['trial'])
    const second = (await call('PUT', '/own-configuration', long)).body
    expect(second).toMatchObject({ code: 'trial-pending', until: confirmBy })
    expect(second['detail']).not.toContain(confirmBy)
    expect((await call('POST', '/own-configuration/revert')).status).toBe(202)
    await startedTimes(5)
    expect(file()).toBe(before)
    expect(await lines()).toEqual(['gsm0'])
    expect((await call('GET', '/own-configuration')).body).not.toHaveProperty('trial')

    await call('PUT', '/own-configuration', long)
    await startedTimes(6)
    expect((await call('POST', '/own-configuration/confirm')).status).toBe(204)
    expect((await call('GET', '/own-configuration')).body).not.toHaveProperty('trial')
    expect(existsSync(join(directory, 'twinline.yaml.trial'))).toBe(false)
    expect(starts()).toBe(6)
    expect(await lines()).toEqual(['gsm0', 'gsm1'])
  })

  test('a change that does not let it start is put back at once', async () => {
    const before = file()
    // Nobody but root may listen there, and no box of the tests has the address.
    const changed = await call('PUT', '/own-configuration', { changes: { 'http.listen': '192.0.2.77:80' } })
    expect(changed.status).toBe(202)
    await startedTimes(2)
    expect(file()).toBe(before)
    await until(
      () => appliance.log().includes('started with the file before its last change'),
      'the log says so',
    )
  })

  test('what cannot be used is refused whole, with the key named', async () => {
    const before = file()
    const refused = await call('PUT', '/own-configuration', {
      changes: { node: 'box-z', 'lines[0].port': 'usb:1', 'pair..x': 1 },
    })
    expect(refused.body).toMatchObject({ code: 'setting-invalid', field: 'pair..x' })
    const two = await call('POST', '/own-configuration/check', {
      changes: { 'lines[0].port': 'usb:1', 'log.loud': 1 },
    })
    expect(two.body['problems']).toEqual([
      { path: 'lines[0].port', message: expect.stringContaining('is not allowed here') },
      { path: 'log.loud', message: expect.stringContaining('unknown key') },
    ])
    const moved = await call('POST', '/own-configuration/check', { changes: { data: 'elsewhere' } })
    expect(moved.body['problems']).toEqual([
      { path: 'data', message: expect.stringContaining('move the directory') },
    ])
    expect(file()).toBe(before)
    expect(starts()).toBe(1)
  })
})

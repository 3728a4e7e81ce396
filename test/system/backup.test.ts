/**
 * A backup brought back for real: made of a running appliance under load, restored into a new directory, by the command
 * line and over HTTP. What it had queued waits for a word; what comes in meanwhile goes out.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type RunningAppliance, startAppliance, until } from './appliance.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const passphrase = 'correct horse battery'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

function twinline(words: string[], stdin = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end(stdin)
  })
}

describe('a backup', { timeout: 90_000 }, () => {
  let home: string
  const running: RunningAppliance[] = []

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'backup-'))
  })
  afterEach(async () => {
    for (const appliance of running.splice(0)) await appliance.kill('SIGKILL')
    await rm(home, { recursive: true, force: true })
  })

  async function start(name: string, ports: string[] = ['sim://gsm']): Promise<RunningAppliance> {
    const appliance = await startAppliance({ directory: join(home, name), ports, more: 'validity: 2h\n' })
    running.push(appliance)
    return appliance
  }
  const config = (name: string) => join(home, name, 'twinline.yaml')
  const call = (appliance: RunningAppliance, method: string, path: string, body?: unknown): Promise<Answer> =>
    appliance.call(method, `/api/v1${path}`, body)
  const send = async (appliance: RunningAppliance, text: string) =>
    String((await call(appliance, 'POST', '/messages', { to: ['+491701234567'], text })).body['id'])
  const delivery = async (appliance: RunningAppliance, id: string) => {
    const { body } = await call(appliance, 'GET', `/messages/${id}`)
    return (body['deliveries'] as { state: string; possibleDuplicate: boolean }[] | undefined)?.[0]
  }
  const becomes = (appliance: RunningAppliance, id: string, state: string) =>
    until(async () => (await delivery(appliance, id))?.state === state, `${id} ${state}`)

  /** An appliance that has sent one message and keeps two waiting. */
  async function lived(): Promise<{ box: RunningAppliance; sent: string; waiting: string[] }> {
    const box = await start('box')
    await box.ready(1)
    const sent = await send(box, 'sent before')
    await becomes(box, sent, 'sent')
    await call(box, 'POST', '/lines/gsm0/disable')
    await call(box, 'PATCH', '/config', { 'log.level': 'debug' })
    return { box, sent, waiting: [await send(box, 'waiting one'), await send(box, 'waiting two')] }
  }

  test('made under load and restored by the command line: everything is there, and what was queued is held back', async () => {
    const { box, sent, waiting } = await lived()
    const file = join(home, 'box.backup')
    let busy = true
    const load = (async () => {
      for (let n = 0; busy; n += 1) await send(box, `load ${n}`)
    })()
    const made = await twinline(['backup', '--out', file, '--config', config('box')], `${passphrase}\n`)
    busy = false
    await load
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('read back whole') })
    expect(readFileSync(file).subarray(0, 18).toString()).toBe('TWINLINE-SEALED-1\n')
    expect(readFileSync(file).includes('waiting one')).toBe(false)
    await box.kill('SIGKILL')

    const fresh = await start('fresh')
    await fresh.ready(1)
    await fresh.kill('SIGTERM')
    const wrong = await twinline(['restore', file, '--config', config('fresh')], 'something else\n')
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('passphrase') })
    const back = await twinline(['restore', file, '--config', config('fresh')], `${passphrase}\n`)
    expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('at the next start') })

    const restored = await start('fresh')
    await call(restored, 'POST', '/lines/gsm0/enable')
    await restored.ready(1)
    const state = (await call(restored, 'GET', '/restore')).body
    expect(state['held']).toBe(true)
    expect(state['deliveries']).toBeGreaterThanOrEqual(2)
    expect((await delivery(restored, sent))?.state).toBe('sent')
    const settings = (await call(restored, 'GET', '/config')).body['items'] as {
      path: string
      value: unknown
    }[]
    expect(settings.find(({ path }) => path === 'log.level')?.value).toBe('debug')
    // What comes in now goes out, and nothing of the backup does.
    const fresher = await send(restored, 'new')
    await becomes(restored, fresher, 'sent')
    for (const id of waiting) expect((await delivery(restored, id))?.state).toBe('queued')
    expect(existsSync(join(home, 'fresh', 'data', 'before-restore', 'twinline.db'))).toBe(true)
    expect(await twinline(['restore', 'status', '--config', config('fresh')])).toMatchObject({
      stdout: expect.stringContaining('deliveries are held back'),
    })

    // The hold outlives a restart.
    await restored.kill('SIGKILL')
    const again = await start('fresh')
    await again.ready(1)
    for (const id of waiting) expect((await delivery(again, id))?.state).toBe('queued')
    expect(await twinline(['restore', 'release', 'send', '--config', config('fresh')])).toMatchObject({
      code: 0,
    })
    for (const id of waiting) {
      await becomes(again, id, 'sent')
      expect((await delivery(again, id))?.possibleDuplicate).toBe(true)
    }
    expect((await delivery(again, fresher))?.possibleDuplicate).toBe(false)
    expect((await twinline(['restore', 'release', 'send', '--config', config('fresh')])).code).toBe(1)
  })

  test('over HTTP, with its configuration, into an appliance that runs; what was queued is cancelled on request', async () => {
    const { box, waiting } = await lived()
    const token = String((await call(box, 'POST', '/tokens', { name: 'a', scopes: ['admin'] })).body['token'])
    const asked = await fetch(`${box.address}/api/v1/backup`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ passphrase }),
    })
    expect(asked.headers.get('content-disposition')).toMatch(/twinline-box-a-.*\.backup/)
    const bytes = await asked.arrayBuffer()
    await box.kill('SIGKILL')

    const other = await start('other', ['sim://gsm', 'sim://gsm'])
    await other.ready(2)
    const own = String(
      (await call(other, 'POST', '/tokens', { name: 'b', scopes: ['admin', 'read'] })).body['token'],
    )
    const restore = async (body: ArrayBuffer, words: Record<string, string>) => {
      const form = new FormData()
      form.set('backup', new Blob([body]))
      for (const [name, value] of Object.entries(words)) form.set(name, value)
      const answer = await fetch(`${other.address}/api/v1/restore`, {
        method: 'POST',
        headers: { authorization: `Bearer ${own}` },
        body: form,
      })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }
    const cut = bytes.slice(0, bytes.byteLength - 100)
    const changed = bytes.slice(0)
    const at = changed.byteLength - 50
    new Uint8Array(changed).set([(new Uint8Array(changed)[at] ?? 0) ^ 1], at)
    expect(await restore(bytes, { passphrase: 'a wrong one' })).toMatchObject({
      status: 400,
      body: { code: 'sealed-passphrase', field: 'passphrase' },
    })
    expect(await restore(cut, { passphrase })).toMatchObject({ status: 400 })
    expect(await restore(changed, { passphrase })).toMatchObject({ status: 400 })
    expect(
      await restore(new TextEncoder().encode('no backup at all, but long enough to be one').buffer, {
        passphrase,
      }),
    ).toMatchObject({ body: { code: 'sealed-foreign' } })
    expect(await restore(bytes, {})).toMatchObject({ body: { code: 'missing-field', field: 'passphrase' } })
    expect((await readdir(join(home, 'other', 'data'))).filter((name) => name.startsWith('restore'))).toEqual(
      [],
    )

    expect(await restore(bytes, { passphrase, configuration: 'maybe' })).toMatchObject({
      status: 400,
      body: { field: 'configuration', allowed: ['yes', 'no'] },
    })
    const done = await restore(bytes, { passphrase, configuration: 'yes' })
    expect(done).toMatchObject({ status: 202, body: { node: 'box-a', configuration: true, restart: true } })
    await until(async () => {
      const state = await call(other, 'GET', '/restore').catch(() => undefined)
      return state?.body['held'] === true
    }, 'the restore')
    const lines = (await call(other, 'GET', '/lines')).body['items'] as { id: string }[]
    expect(lines.map(({ id }) => id)).toEqual(['gsm0'])
    expect((await call(other, 'POST', '/restore/release', { deliveries: 'cancel' })).status).toBe(204)
    for (const id of waiting) expect((await delivery(other, id))?.state).toBe('cancelled')
    expect((await call(other, 'GET', '/restore')).body).toMatchObject({ held: false, deliveries: 0 })
    expect((await call(other, 'POST', '/restore/release', { deliveries: 'cancel' })).body['code']).toBe(
      'restore-not-held',
    )
  })

  test('leaves the room on the disk that accepted messages need, and says so', async () => {
    const appliance = await start('small', [])
    expect((await call(appliance, 'PATCH', '/config', { reserve: '1000GB' })).status).toBe(200)
    const { body } = await call(appliance, 'POST', '/tokens', { name: 'test', scopes: ['admin'] })
    const form = new FormData()
    form.append('passphrase', passphrase)
    form.append('backup', new Blob([new Uint8Array(8_000_000)]), 'a.backup')
    const answer = await fetch(`${appliance.address}/api/v1/restore`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(body['token'])}` },
      body: form,
    })
    expect(answer.status).toBe(507)
    expect(await answer.json()).toMatchObject({ code: 'disk-full' })
    const left = await readdir(join(home, 'small', 'data'))
    expect(left.filter((name) => name.startsWith('restore'))).toEqual([])
  })

  test('of a stopped appliance, and refused on another one', async () => {
    const box = await start('box')
    await box.ready(1)
    await box.kill('SIGTERM')
    const file = join(home, 'cold.backup')
    expect(
      (await twinline(['backup', '--out', file, '--config', config('box')], `${passphrase}\n`)).code,
    ).toBe(0)
    expect((await twinline(['backup', '--out', file, '--config', config('box')], 'short\n')).code).toBe(2)
    writeFileSync(config('box'), readFileSync(config('box'), 'utf8').replace('box-a', 'box-z'))
    const refused = await twinline(['restore', file, '--config', config('box')], `${passphrase}\n`)
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a backup of box-a, and this is box-z'),
    })
    writeFileSync(config('box'), readFileSync(config('box'), 'utf8').replace('data: data', 'data: elsewhere'))
    const moved = await twinline(
      ['restore', file, '--config', config('box'), '--configuration'],
      `${passphrase}\n`,
    )
    expect(moved).toMatchObject({ code: 1, stderr: expect.stringContaining('keeps the data in') })
  })

  test('a support bundle says much and nothing secret', async () => {
    const box = await startAppliance({
      directory: join(home, 'box'),
      ports: ['sim://gsm'],
      more: 'mail: { url: "smtps://box:hunter2@mail.example.org:465", from: duty@example.org }\n',
    })
    running.push(box)
    await box.ready(1)
    const id = await send(box, 'the vault code is 998877')
    await becomes(box, id, 'sent')
    const file = join(home, 'support.zip')
    const made = await twinline(['support', '--out', file, '--config', config('box')])
    expect(made).toMatchObject({ code: 0 })
    const entries = unzipSync(readFileSync(file))
    const all = Object.entries(entries).map(([name, bytes]) => [name, Buffer.from(bytes).toString()] as const)
    expect(Object.keys(entries)).toEqual(
      expect.arrayContaining([
        'versions.json',
        'status.json',
        'lines.json',
        'dialogue-gsm0.txt',
        'configuration.yaml',
        'settings.yaml',
        'log.jsonl',
        'audit.txt',
      ]),
    )
    expect(Object.keys(entries)).not.toContain('missing.txt')
    for (const [name, text] of all) expect(text, name).not.toMatch(/hunter2|vault|998877|1701234567|duty@/)
    await box.kill('SIGKILL')
    writeFileSync(config('box'), `${readFileSync(config('box'), 'utf8')}pair: { listen: nowhere }\n`)
    expect(await twinline(['support', '--out', file, '--config', config('box')])).toMatchObject({ code: 0 })
    const cold = unzipSync(readFileSync(file))
    expect(Buffer.from(cold['configuration-problems.txt'] ?? []).toString()).toContain('pair.listen')
    expect(Buffer.from(cold['configuration.yaml'] ?? []).toString()).not.toContain('hunter2')
    expect(entries['log.jsonl'] && Buffer.from(entries['log.jsonl']).toString()).toContain('"msg":"started"')
  })
})

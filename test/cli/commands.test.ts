import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../src/store/sqlite.ts'
import { start, twinline } from './program.ts'
import { closedUrl, type Reply, standIn } from './stand-in.ts'

const ok = (body: unknown): Reply => ({ status: 200, body })
const at = '2026-11-21T09:00:00.000Z'

/** A configuration file whose data directory does not exist yet. */
function configuration(text = 'data: data\n'): { file: string; data: string } {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-'))
  const file = join(directory, 'twinline.yaml')
  writeFileSync(file, text)
  return { file, data: join(directory, 'data') }
}

test('help and version; an unknown command names those that there are', async () => {
  const help = await twinline(['help'])
  expect(help).toMatchObject({ code: 0, stderr: '' })
  for (const text of ['0  accepted', '1  refused', '2  usage', '3  unreachable', '4  unknown outcome']) {
    expect(help.stdout).toContain(text)
  }
  expect(await twinline([])).toEqual(help)
  expect(await twinline(['--help'])).toEqual(help)
  expect((await twinline(['--version'])).stdout).toMatch(/^twinline \d+\.\d+\.\d+ \(Node 2\d\./)
  const wrong = await twinline(['sned'])
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  expect(wrong.stderr).toMatch(/there is no command "sned"; commands: run, send, .*simulate/)
})

test.each(['run', 'send', 'totals', 'status', 'token', 'check', 'simulate'])(
  '%s explains itself',
  async (command) => {
    const ran = await twinline([command, '--help'])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain(`twinline ${command}`)
  },
)

const delivery = { id: 'm.0', to: '+491701', channel: 'sms', parts: 1 }
const entry = { delivery: 'm.0', at }
const queued = { ...entry, event: 'accept', state: 'queued' }
const sent = { ...entry, event: 'accepted', state: 'sent', node: 'box-a', line: 'gsm0' }

/** Takes a message, then answers with one view after another. */
function appliance(views: { state: string; reportBy?: string; waiting?: object[]; timeline: object[] }[]) {
  return standIn(({ method }) => {
    if (method === 'POST') return { status: 202, body: { id: 'm', replicated: false, deliveries: [] } }
    const { timeline = [], ...now } = (views.length > 1 ? views.shift() : views[0]) ?? {}
    return ok({ id: 'm', validity: '30m', deliveries: [{ ...delivery, ...now }], timeline })
  })
}

test('send --wait prints each step once and ends when the report has come', async () => {
  const host = await appliance([
    { state: 'queued', timeline: [queued] },
    { state: 'sent', reportBy: at, timeline: [queued, sent] },
    { state: 'sent', reportBy: at, timeline: [queued, sent] },
    { state: 'delivered', timeline: [queued, sent, { ...entry, event: 'report', state: 'delivered' }] },
  ])
  const ran = await twinline(['send', '-i', '112', '-m', 'x', '--wait', '--host', host.url])
  expect(ran.code).toBe(0)
  const lines = ran.stdout.trimEnd().split('\n')
  expect(lines[0]).toBe('m')
  expect(lines.slice(1).map((line) => line.split('  ').slice(1))).toEqual([
    ['+491701', 'accepted'],
    ['+491701', 'accepted by the network on gsm0 of box-a'],
    ['+491701', 'reported as delivered'],
  ])
})

test('send --wait says once what a message waits for', async () => {
  const reason = { code: 'muted', text: 'The line is muted' }
  const waits = { state: 'queued', waiting: [{ line: 'gsm0', reason, until: at }], timeline: [queued] }
  const host = await appliance([waits, waits, { state: 'sent', timeline: [queued, sent] }])
  const ran = await twinline(['send', '-i', '112', '-m', 'x', '--wait', '--host', host.url])
  expect(ran.code).toBe(0)
  const lines = ran.stdout.trimEnd().split('\n').slice(1)
  expect(lines.map((line) => line.slice(19).trim())).toEqual([
    '+491701  accepted',
    expect.stringMatching(/^\+491701 {2}waits for gsm0: The line is muted until 20/),
    '+491701  accepted by the network on gsm0 of box-a',
  ])
})

test.each([
  ['sent', 0],
  ['delivered', 0],
  ['failed', 1],
  ['expired', 1],
  ['cancelled', 1],
  ['unknown', 4],
])('send --wait of a message that ends %s: exit %i', async (state, code) => {
  const host = await appliance([{ state, timeline: [queued] }])
  const ran = await twinline(['send', '-i', '112', '-m', 'x', '--wait', '--json', '--host', host.url])
  expect(ran.code).toBe(code)
  expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'm', deliveries: [{ state }] })
})

test('send --wait that may not read says so: the message was accepted, its outcome is unknown', async () => {
  const host = await standIn(({ method }) =>
    method === 'POST'
      ? { status: 202, body: { id: 'm', replicated: false, deliveries: [] } }
      : { status: 403, body: { detail: 'this token does not have the scope read' } },
  )
  const ran = await twinline(['send', '-i', '112', '-m', 'x', '--wait', '--host', host.url])
  expect(ran.code).toBe(4)
  expect(ran.stderr).toContain('it was accepted as m, but its outcome cannot be read: this token does not')
})

const status = {
  node: 'box-1',
  role: 'ACTIVE',
  version: '0.1.0',
  at,
  ready: false,
  reason: 'no line is ready',
  queue: { queued: 3, submitting: 1, awaitingReport: 0, unknown: 0, oldest: at },
  lines: [
    {
      id: 'gsm0',
      kind: 'gsm',
      channel: 'sms',
      state: 'blocked',
      reason: { code: 'pukWanted', text: 'the SIM wants its PUK\u001b[2J' },
      busy: false,
      port: 'serial:///dev/ttyUSB2',
      signal: -71,
      recoveries: 0,
    },
  ],
}

test('status shows node, role, queue and lines, without the control characters of others', async () => {
  const host = await standIn(() => ok(status))
  const ran = await twinline(['status', '--host', host.url])
  expect(ran.code).toBe(0)
  expect(ran.stdout).toContain('box-1  active  not ready: no line is ready')
  expect(ran.stdout).toContain('3 queued, the oldest from 20')
  expect(ran.stdout).toMatch(/gsm0 +blocked +-71 dBm/)
  expect(ran.stdout).toContain('gsm0: the SIM wants its PUK·[2J')
  expect(JSON.parse((await twinline(['status', '--json', '--host', host.url])).stdout)).toEqual(status)
})

test('commands that read take the next host when one is down; a refusal ends them', async () => {
  const dead = await closedUrl()
  const alive = await standIn(() => ok(status))
  expect((await twinline(['status', '--host', dead, alive.url])).code).toBe(0)
  const none = await twinline(['status', '--host', dead])
  expect(none.code).toBe(3)
  expect(none.stderr).toContain(`cannot reach ${dead}: nothing listens there`)
  const refusing = await standIn(() => ({
    status: 401,
    body: { detail: 'this needs a token', code: 'tokenMissing' },
  }))
  const refused = await twinline(['status', '--host', refusing.url, alive.url])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('this needs a token (tokenMissing, HTTP 401)')
})

test('totals adds the hours of each line up', async () => {
  const sums = { sent: 2, delivered: 1, failed: 0, unknown: 0, received: 5 }
  const items = [
    { node: 'box-1', line: 'gsm1', hour: at, ...sums },
    { node: 'box-1', line: 'gsm0', hour: at, ...sums },
    { node: 'box-1', line: 'gsm0', hour: at, ...sums, sent: 20 },
  ]
  const host = await standIn(() => ok({ since: at, items, total: { ...sums, sent: 24 } }))
  const ran = await twinline(['totals', '--since', '24h', '--host', host.url])
  expect(ran.code).toBe(0)
  expect(host.asked[0]?.path).toBe('/api/v1/totals?since=24h')
  expect(ran.stdout.split('\n').slice(1, 5)).toEqual([
    'node   line  sent  delivered  failed  unknown  received',
    'box-1  gsm0    22          2       0        0        10',
    'box-1  gsm1     2          1       0        0         5',
    'total          24          1       0        0         5',
  ])
})

test('check says ok with warnings, or every problem with exit 2', async () => {
  const good = configuration(
    'data: data\nhttp: { listen: ":8080" }\nlines: [{ id: a, kind: gsm, port: "serial:///dev/no-such-modem", pin: 4711 }]\n',
  )
  const fine = await twinline(['check', '--config', good.file])
  expect(fine.code).toBe(0)
  expect(fine.stdout).toContain('lines[0].port: /dev/no-such-modem is not there; is the modem plugged in?')
  expect(fine.stdout).toContain('http.listen: tokens and texts can be read on the way')
  expect(fine.stdout).toMatch(/is ok: node .*, 1 line, 0 routes/)
  expect(fine.stdout).not.toContain('4711')
  expect(existsSync(good.data)).toBe(false)

  const bad = configuration('lines:\n  - { id: a, kind: gsm, prot: x, pin: "4711x" }\nreserve: 1\n')
  const wrong = await twinline(['check', '--config', bad.file])
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  expect(wrong.stderr).toMatch(/lines\[0\]\.port \(line 2, .*: is missing/)
  expect(wrong.stderr).toMatch(/lines\[0\]\.prot \(line 2, .*did you mean port\?/)
  expect(wrong.stderr).toMatch(/reserve \(line 3/)
  expect(wrong.stderr).not.toContain('4711')
  const machine = await twinline(['check', '--config', bad.file, '--json'])
  expect(machine.code).toBe(2)
  expect(JSON.parse(machine.stdout).problems).toHaveLength(4)
  expect((await twinline(['check'])).code).toBe(2)
})

test('check and the start of an appliance name the programs that a fax line lacks', async () => {
  const { file } = configuration(
    'data: data\nlines: [{ id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }]\n',
  )
  const nowhere = { PATH: '/nowhere' }
  const { stdout, code } = await twinline(['check', '--config', file], { environment: nowhere })
  expect(code).toBe(0)
  for (const [program, pack] of [
    ['gs', 'ghostscript'],
    ['prlimit', 'util-linux'],
    ['tiff2pdf', 'libtiff-tools'],
  ])
    expect(stdout).toContain(`lines: fax needs the program ${program} (apt-get install ${pack})`)
  const { child, printed, ended } = start(['run', '--config', file], { environment: nowhere })
  await printed('Fax needs the program gs, which is not installed: apt-get install ghostscript.')
  child.kill('SIGTERM')
  await ended
})

test('tokens are made, listed and revoked while the appliance is down', async () => {
  const { file, data } = configuration()
  const made = await twinline([
    'token',
    'create',
    '--config',
    file,
    '--name',
    'monitoring',
    '--scope',
    'send',
  ])
  expect(made).toMatchObject({ code: 0, stderr: '' })
  expect(made.stdout).toMatch(/^[A-Za-z0-9_-]{32,}\n$/)
  await twinline(['token', 'create', '--config', file])
  const list = JSON.parse((await twinline(['token', 'list', '--json', '--config', file])).stdout)
  expect(list).toMatchObject([
    { name: 'monitoring', scopes: ['send'] },
    { name: 'cli', scopes: ['send', 'read'] },
  ])
  expect(JSON.stringify(list)).not.toContain(made.stdout.trim())
  expect((await twinline(['token', 'revoke', list[0].id, '--config', file])).code).toBe(0)
  expect((await twinline(['token', 'revoke', list[0].id, '--config', file])).code).toBe(1)
  const left = await twinline(['token', 'list', '--config', file])
  expect(left.stdout).toContain('cli')
  expect(left.stdout).not.toContain('monitoring')

  const store = await openStore({ directory: data, node: 'any' })
  const logs = await store.audit({ limit: 10 })
  await store.close()
  expect(logs.map(({ who, what }) => `${who} ${what}`)).toEqual([
    'local token-created',
    'local token-created',
    'local token-revoked',
  ])
  expect(JSON.stringify(logs)).not.toContain(made.stdout.trim())
})

test.each<[string, string[]]>([
  ['nothing to do', ['token']],
  ['something unknown', ['token', 'make', '--config', 'x']],
  ['no id', ['token', 'revoke', '--host', 'http://127.0.0.1:1']],
  ['a scope that is none', ['token', 'create', '--scope', 'all', '--host', 'a']],
  ['too many words', ['token', 'list', 'x', '--host', 'a']],
  ['a broken configuration', ['token', 'list', '--config', 'package.json']],
])('token with %s: exit 2', async (_, words) => {
  expect(await twinline(words)).toMatchObject({ code: 2, stdout: '' })
})

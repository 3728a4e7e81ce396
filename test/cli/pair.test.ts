/** twinline pair and twinline recover as a user runs them, against an appliance that answers as it is told. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { twinline } from './program.ts'
import { closedUrl, type Reply, type StandIn, standIn } from './stand-in.ts'

const status = {
  node: 'box-a',
  fingerprint: 'f',
  standing: 'member',
  role: 'active',
  label: 'Active (Primary)',
  term: { counter: 7, node: 'box-a' },
  since: '2026-11-21T12:00:00.000Z',
  reason: 'box-b was silent on all paths',
  active: 'box-a',
  vip: { address: '10.77.0.100', driver: 'iproute2', here: true },
  members: [
    {
      node: 'box-b',
      fingerprint: 'e',
      addresses: ['10.77.0.2:8883'],
      priority: 100,
      label: 'Standby (Backup)',
      signal: 'LIVE',
      role: 'standby',
      silentMs: 120,
      skewMs: -3_500,
      paths: [
        { address: '10.77.0.2:8883', up: true, roundTripMs: 0.8 },
        { address: '192.168.1.2:8883', up: false },
      ],
      healthy: true,
      linesHealthy: 2,
      queued: 5,
      replication: { state: 'lagging', behind: 17 },
    },
    {
      node: 'box-c',
      fingerprint: 'd',
      addresses: [],
      priority: 50,
      label: 'Error',
      signal: 'DEAD',
      paths: [],
      silentMs: 600_000,
    },
  ],
  witness: { address: '10.77.0.250:8885', state: 'silent' },
  profile: {
    name: 'normal',
    interval: 200,
    misses: 4,
    lease: 1_000,
    grantWait: 1_700,
    bytesPerHour: 31_400_000,
  },
  promises: [
    { fault: 'gateway-hung', text: 'the gateway process hangs', outage: 2_300, bothServe: false },
    { fault: 'handover', text: 'planned handover', outage: 50, bothServe: false },
  ],
}

const problem = (code: string, http: number): Reply => ({
  status: http,
  body: { type: 'about:blank', title: 'x', status: http, detail: 'because it is so', code },
})

const answering = (body: unknown): Promise<StandIn> => standIn(() => ({ status: 200, body }))
const run = (at: StandIn, ...words: string[]) => twinline([...words, '--host', at.url, '--token', 't'])

test('invite prints the code alone, and what to do with it beside it', async () => {
  const appliance = await answering({ code: 'AAAAAA-BBBBBB', expires: '2026-11-21T12:10:00.000Z' })
  const ran = await run(appliance, 'pair', 'invite')
  expect(ran).toMatchObject({ code: 0, stdout: 'AAAAAA-BBBBBB\n' })
  expect(ran.stderr).toContain('pair join')
  expect(appliance.asked).toMatchObject([
    { method: 'POST', path: '/api/v1/pair/invite', authorization: 'Bearer t', body: {} },
  ])
})

test('with --config it goes to this box, without a token', async () => {
  const data = await mkdtemp(join(tmpdir(), 'pair-cli-'))
  onTestFinished(() => rm(data, { recursive: true }))
  const appliance = await standIn(
    () => ({ status: 200, body: { code: 'AA', expires: '2026-11-21T12:10:00.000Z' } }),
    {
      path: join(data, 'control.sock'),
    },
  )
  const config = join(data, 'twinline.yaml')
  await writeFile(config, `data: ${data}\nhttp: { listen: "127.0.0.1:0" }\n`)
  const ran = await twinline(['pair', 'invite', '--config', config])
  expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: 'AA\n' })
  expect(appliance.asked).toMatchObject([{ authorization: undefined }])
})

test('join takes the code with blanks as well', async () => {
  const appliance = await answering({ inviter: 'box-a', members: ['box-a', 'box-b'] })
  const ran = await run(appliance, 'pair', 'join', 'AAAAAA', 'BBBBBB-CCCCCC')
  expect(ran).toMatchObject({ code: 0, stdout: 'joined box-a, box-b by the invitation of box-a\n' })
  expect(appliance.asked).toMatchObject([
    { path: '/api/v1/pair/join', body: { code: 'AAAAAA BBBBBB-CCCCCC' } },
  ])
})

test('status is a page that names roles, paths, faults and what needs a look', async () => {
  const { code, stdout } = await run(await answering(status), 'pair', 'status')
  expect(code).toBe(0)
  for (const part of [
    /^box-a {2}Active \(Primary\)/,
    /term 7 of box-a/,
    /because: box-b was silent on all paths/,
    /address 10\.77\.0\.100 \(iproute2\): held by box-a/,
    /box-b +Standby \(Backup\) +LIVE +120 ms ago +3\.5 s behind +2 +5 +lagging, 17 behind/,
    /box-c +Error +DEAD +10 min ago/,
    /path to box-b 10\.77\.0\.2:8883: up, round trip 0\.8 ms/,
    /path to box-b 192\.168\.1\.2:8883: down/,
    /witness 10\.77\.0\.250:8885: silent/,
    /! box-c is silent/,
    /! box-b is not reached by 192\.168\.1\.2:8883/,
    /! the clock of box-b is 3\.5 s behind/,
    /! box-b lags/,
    /! the witness at .* is silent/,
    /profile normal: a heartbeat every 200 ms, silent after 4 missed, address leased for 1 s, 31\.4 MB an hour/,
    /the gateway process hangs +2\.3 s/,
    /planned handover +50 ms/,
  ]) {
    expect(stdout).toMatch(part)
  }
})

test('a single box says how to find a partner, a removed one how to come back', async () => {
  const alone = { ...status, role: 'single', label: 'Single', standing: 'single', members: [] }
  expect((await run(await answering(alone), 'pair', 'status')).stdout).toContain('pair invite')
  const removed = await run(await answering({ ...alone, standing: 'removed' }), 'pair', 'status')
  expect(removed.stdout).toContain('was removed')
})

test('a foreign text moves nobody’s cursor', async () => {
  const { stdout } = await run(await answering({ ...status, reason: 'x\u001b[2Jy' }), 'pair', 'status')
  expect(stdout).not.toContain('\u001b')
})

test.each([
  ['takeover', 'box-a is Active (Primary)\n'],
  ['handover', 'box-a is Active (Primary)\n'],
])('%s says who is active now', async (command, stdout) => {
  const appliance = await answering(status)
  expect(await run(appliance, 'pair', command)).toMatchObject({ code: 0, stdout })
  expect(appliance.asked).toMatchObject([{ method: 'POST', path: `/api/v1/pair/${command}` }])
})

test('after a handover it names the other one', async () => {
  const after = { ...status, role: 'standby', label: 'Standby (Backup)', active: 'box-b' }
  const { stdout } = await run(await answering(after), 'pair', 'handover')
  expect(stdout).toBe('box-a is Standby (Backup); box-b is active\n')
})

test('remove names who is left, a drill says what happens now', async () => {
  const appliance = await answering(status)
  const removed = await run(appliance, 'pair', 'remove', 'box-d')
  expect(removed).toMatchObject({ code: 0, stdout: 'box-d was removed; members now: box-a, box-b, box-c\n' })
  expect(appliance.asked[0]?.body).toEqual({ node: 'box-d' })
  const other = await answering({ text: 'it stands still for 5 s' })
  expect(await run(other, 'pair', 'drill', 'freeze')).toMatchObject({
    code: 0,
    stdout: 'it stands still for 5 s\n',
  })
  expect(other.asked[0]?.body).toEqual({ kind: 'freeze' })
})

const report = {
  steps: ['box-a is active.', 'box-b took 3 entries that it lacked.'],
  members: [{ node: 'box-b', reached: true, received: 0, sent: 3, behind: 0 }],
  conflicts: [{ revision: 'r1', path: 'routes' }],
  duplicates: [{ message: 'm1', delivery: 'd1', to: '+4917012345' }],
  same: true,
  advice: ['Look at the settings.'],
}

test('recover says what it found, and ends with 0 when both hold the same', async () => {
  const appliance = await answering(report)
  const ran = await run(appliance, 'recover', '--from', 'box-b')
  expect(ran.code).toBe(0)
  for (const part of [
    'took 3 entries',
    'routes (revision r1)',
    '+4917012345',
    '! Look at',
    'hold the same',
  ]) {
    expect(ran.stdout).toContain(part)
  }
  expect(appliance.asked).toMatchObject([{ path: '/api/v1/pair/recover', body: { from: 'box-b' } }])
  const not = await run(await answering({ ...report, same: false }), 'recover')
  expect(not.code).toBe(1)
  expect(not.stdout).toContain('do not hold the same yet')
})

test.each([
  ['a refusal', problem('drill-no-standby', 409), 1],
  ['the other appliance out of reach', problem('pair-unreachable', 502), 3],
  ['an appliance that is stopping', problem('store-closed', 503), 3],
  ['a command that goes on', problem('pair-slow', 504), 4],
  ['an answer that never came', 'hangUp', 4],
] as const)('%s ends with %j → %i', async (_what, reply, code) => {
  const ran = await run(await standIn(() => reply), 'pair', 'takeover')
  expect(ran).toMatchObject({ code, stdout: '' })
  if (typeof reply === 'object') expect(ran.stderr).toContain('because it is so')
})

test('a command is never offered to a second appliance, unless the first was not reached at all', async () => {
  const first = await standIn(() => 'hangUp')
  const second = await answering(status)
  const hosts = ['--host', first.url, second.url, '--token', 't']
  expect((await twinline(['pair', 'takeover', ...hosts])).code).toBe(4)
  expect(second.asked).toEqual([])
  const reached = await twinline([
    'pair',
    'takeover',
    '--host',
    await closedUrl(),
    second.url,
    '--token',
    't',
  ])
  expect(reached.code).toBe(0)
  expect((await twinline(['pair', 'takeover', '--host', await closedUrl(), '--token', 't'])).code).toBe(3)
})

test.each([
  [['pair']],
  [['pair', 'explode']],
  [['pair', 'join']],
  [['pair', 'remove']],
  [['pair', 'remove', 'a', 'b']],
  [['pair', 'drill', 'fire']],
  [['pair', 'status', 'x']],
  [['pair', 'status', '--wrong']],
  [['pair', 'status']],
  [['recover', 'x', '--host', 'http://127.0.0.1:1']],
])('%j is a mistake of the command line', async (words) => {
  const ran = await twinline(words)
  expect(ran).toMatchObject({ code: 2, stdout: '' })
  expect(ran.stderr).toContain('twinline')
})

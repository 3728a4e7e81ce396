import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localSocketPath } from '#core/local-socket.ts'
import { identityFor } from '#pair/links/certificate.ts'
import { twinline } from './program.ts'
import { closedUrl, muteUrl, type Reply, standIn } from './stand-in.ts'

const accepted: Reply = {
  status: 202,
  body: {
    id: 'm-1',
    replicated: true,
    deliveries: [{ id: 'm-1.0', to: '+491701', channel: 'sms', state: 'queued', parts: 1 }],
  },
}
const problem = (status: number, detail: string): Reply => ({
  status,
  body: { type: 'about:blank', title: 'x', status, detail, code: 'someCode' },
})
const message = ['-i', '+491701', '-m', 'Fire in room 5'] as const

test('an accepted message: exit 0, and its id alone on stdout', async () => {
  const host = await standIn(() => accepted)
  const ran = await twinline(['send', ...message, '--host', host.url, '--token', 'tl_secret'])
  expect(ran).toEqual({ code: 0, stdout: 'm-1\n', stderr: '' })
  expect(host.asked).toEqual([
    {
      method: 'POST',
      path: '/api/v1/messages',
      key: expect.stringMatching(/^[0-9a-f-]{36}$/),
      authorization: 'Bearer tl_secret',
      body: { to: ['+491701'], text: 'Fire in room 5' },
    },
  ])
})

test('every option reaches the appliance; the environment gives host and token', async () => {
  const host = await standIn(() => accepted)
  const words = ['send', '-i', '+491701', '0170', '-i', '112', '-m', '-5 degrees', '--channel', 'sms']
  const more = [
    '--priority',
    '0',
    '--validity',
    '2h',
    '--flash',
    '--on-unknown',
    'hold',
    '--tag',
    'a b',
    '--json',
  ]
  const ran = await twinline([...words, ...more, '--key', 'k1'], {
    environment: { TWINLINE_HOST: host.url, TWINLINE_TOKEN: 'tl_environment' },
  })
  expect(ran.code).toBe(0)
  expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'm-1', replicated: true })
  expect(host.asked[0]).toMatchObject({
    key: 'k1',
    authorization: 'Bearer tl_environment',
    body: {
      to: ['+491701', '0170', '112'],
      text: '-5 degrees',
      channel: 'sms',
      priority: 0,
      validity: '2h',
      flash: true,
      onUnknown: 'hold',
      tag: 'a b',
    },
  })
})

test('-m - reads the text from standard input, without the line end of its last line', async () => {
  const host = await standIn(() => accepted)
  const ran = await twinline(['send', '-i', '112', '-m', '-', '--host', host.url], {
    input: 'two\nlines äöü\n',
  })
  expect(ran.code).toBe(0)
  expect(host.asked[0]?.body).toEqual({ to: ['112'], text: 'two\nlines äöü' })
})

test('dead, hanging and failing hosts are passed over with one key', async () => {
  const dead = await closedUrl()
  const busy = await standIn(() => problem(503, 'stopping'))
  const full = await standIn(() => problem(507, 'the disk is full'))
  const hanging = await standIn(() => 'silent')
  const cut = await standIn(() => 'hangUp')
  const alive = await standIn(() => accepted)
  const hosts = ['http://no-such-name.invalid', dead, busy.url, full.url, hanging.url, cut.url, alive.url]
  const ran = await twinline(['send', ...message, '--timeout', '500ms', '--host', ...hosts])
  expect(ran).toEqual({ code: 0, stdout: 'm-1\n', stderr: '' })
  const keys = [busy, full, hanging, cut, alive].map((host) => host.asked.map(({ key }) => key))
  expect(new Set(keys.flat()).size).toBe(1)
  expect(keys.map((each) => each.length)).toEqual([1, 1, 1, 1, 1])
})

test('hosts are tried in the order given, however they are given', async () => {
  const first = await standIn(() => accepted)
  const second = await standIn(() => accepted)
  for (const words of [
    ['--host', first.url, second.url],
    ['--host', first.url, '--host', second.url],
    [`--host=${first.url}`, `--host=${second.url}`],
  ]) {
    expect((await twinline(['send', ...message, ...words])).code).toBe(0)
  }
  expect(first.asked).toHaveLength(3)
  expect(second.asked).toHaveLength(0)
})

test.each([400, 409, 413])('HTTP %i is a refusal: exit 1 at once, with the reason', async (status) => {
  const host = await standIn(() => problem(status, 'to[0] is not a number'))
  const next = await standIn(() => accepted)
  const ran = await twinline(['send', ...message, '--host', host.url, next.url])
  expect(ran.code).toBe(1)
  expect(ran.stdout).toBe('')
  expect(ran.stderr).toContain(`${host.url}: to[0] is not a number (someCode, HTTP ${status})`)
  expect(next.asked).toHaveLength(0)
})

test.each([401, 403])('HTTP %i: another host may know the token; if none does, exit 1', async (status) => {
  const stranger = await standIn(() => problem(status, 'this token is not known here'))
  const next = await standIn(() => accepted)
  expect((await twinline(['send', ...message, '--host', stranger.url, next.url])).code).toBe(0)
  expect(next.asked[0]?.key).toBe(stranger.asked[0]?.key)
  const alone = await twinline(['send', ...message, '--host', stranger.url, await closedUrl()])
  expect(alone.code).toBe(1)
  expect(alone.stderr).toContain(`${stranger.url}: this token is not known here`)
})

test('plain HTTP where TLS was expected is said in plain words', async () => {
  const { host } = new URL((await standIn(() => accepted)).url)
  const ran = await twinline(['send', ...message, '--host', host])
  expect(ran.code).toBe(3)
  expect(ran.stderr).toBe(
    `twinline: https://${host}: no TLS is spoken there (for plain HTTP write http:// before the host)\n`,
  )
})

test('no host reachable, or none that takes it now: exit 3, and why for each', async () => {
  const dead = await closedUrl()
  const busy = await standIn(() => problem(503, 'stopping'))
  const mute = await muteUrl('https')
  const ran = await twinline(['send', ...message, '--timeout', '300ms', '--host', dead, busy.url, mute])
  expect(ran.code).toBe(3)
  expect(ran.stderr).toContain(`${dead}: nothing listens there`)
  expect(ran.stderr).toContain(`${busy.url}: stopping (someCode, HTTP 503)`)
  expect(ran.stderr).toContain(`${mute}: no connection within 300 ms`)
})

test.each<[string, () => Promise<string>]>([
  ['an answer that never comes', async () => (await standIn(() => 'silent')).url],
  ['a connection that ends', async () => (await standIn(() => 'hangUp')).url],
  ['a server that never reads', () => muteUrl('http')],
  ['a server that fails with it in hand', async () => (await standIn(() => problem(500, 'oops'))).url],
  ['a proxy that gives up', async () => (await standIn(() => problem(504, 'oops'))).url],
])('%s: exit 4, with the key that makes another try safe', async (_, unsure) => {
  const ran = await twinline([
    'send',
    ...message,
    '--key',
    'k7',
    '--timeout',
    '500ms',
    '--host',
    await unsure(),
    await closedUrl(),
  ])
  expect(ran.code).toBe(4)
  expect(ran.stderr).toContain(
    'it may have been accepted; the same command with --key k7 will not send it twice',
  )
})

test('a refusal after an unknown outcome stays unknown', async () => {
  const unsure = await standIn(() => 'hangUp')
  const refusing = await standIn(() => problem(401, 'this token is not known here'))
  const ran = await twinline(['send', ...message, '--host', unsure.url, refusing.url])
  expect(ran.code).toBe(4)
})

test('an answer of something that is no appliance accepts nothing', async () => {
  const page = await standIn(() => ({ status: 200, body: 'It works!' }))
  const moved = await standIn(() => ({ status: 302, body: {} }))
  expect((await twinline(['send', ...message, '--host', page.url, moved.url])).code).toBe(3)
})

test('--config goes through the local socket, without a token', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-'))
  const data = join(directory, 'd'.repeat(150))
  mkdirSync(data)
  const file = join(directory, 'twinline.yaml')
  writeFileSync(file, `data: ${data}\n`)
  const stopped = await twinline(['send', ...message, '--config', file])
  expect(stopped.code).toBe(3)
  expect(stopped.stderr).toContain('this appliance: it is not running')

  const appliance = await standIn(() => accepted, { path: localSocketPath(data) })
  expect((await twinline(['send', ...message, '--config', file])).code).toBe(0)
  expect(appliance.asked[0]?.authorization).toBeUndefined()
})

const usageErrors: [string, string[], RegExp][] = [
  ['no recipient', ['-m', 'x'], /no recipient/],
  ['no text', ['-i', '112'], /no text/],
  [
    'a text without quotes',
    ['-i', '112', '-m', 'Fire', 'in'],
    /unexpected "in"; a text with blanks needs quotes/,
  ],
  ['no host', [...message], /which appliance\? Give --config FILE or --host URL/],
  ['a host that is none', [...message, '--host', 'ftp://x'], /"ftp:\/\/x" is not an appliance/],
  ['an option that does not exist', [...message, '--hots', 'x'], /Unknown option '--hots'/],
  ['an option without its value', [...message, '--host'], /--host/],
  [
    'both ways at once',
    [...message, '--host', 'a', '--config', 'firmware-config/twinline.example.yaml'],
    /not both/,
  ],
  [
    'a wrong priority',
    [...message, '--host', 'a', '--priority', '9'],
    /--priority "9" is not known; allowed: 0, 1, 2, 3/,
  ],
  ['a wrong channel', [...message, '--host', 'a', '--channel', 'sns'], /--channel "sns"/],
  ['a wrong validity', [...message, '--host', 'a', '--validity', '30'], /--validity "30" is not a span/],
  ['a wrong word for unknown', [...message, '--host', 'a', '--on-unknown', 'x'], /allowed: resend, hold/],
  [
    'certificates that are not there',
    [...message, '--host', 'a', '--ca', '/nonexistent.pem'],
    /--ca: ENOENT/,
  ],
  ['a configuration that is not there', [...message, '--config', '/nonexistent.yaml'], /cannot be read/],
]
test.each(usageErrors)(
  '%s: exit 2, one line that says so, and nothing on stdout',
  async (_, words, reason) => {
    const ran = await twinline(['send', ...words])
    expect(ran.stderr.split('\n')[0] + ran.stderr.split('\n').slice(1, 2).join('')).toMatch(reason)
    expect(ran).toMatchObject({ code: 2, stdout: '' })
  },
)

const redirect = (location: string): Reply => ({
  status: 307,
  body: {
    type: 'about:blank',
    title: 'x',
    status: 307,
    detail: 'this appliance is standing by',
    code: 'redirected',
  },
  location,
})

test('a standby that redirects is followed to the active one, with the same key, token and body', async () => {
  const active = await standIn(() => accepted)
  const standby = await standIn(({ path }) => redirect(active.url + path))
  const ran = await twinline(['send', ...message, '--host', standby.url, '--token', 't'])
  expect(ran).toEqual({ code: 0, stdout: 'm-1\n', stderr: '' })
  expect(active.asked).toEqual(standby.asked)
  expect(active.asked).toMatchObject([{ method: 'POST', authorization: 'Bearer t' }])
})

test('a redirect is followed once: the next host comes after a second one', async () => {
  const places: string[] = []
  const [one, two] = await Promise.all(
    [1, 0].map((n) => standIn(({ path }) => redirect(`${places[n]}${path}`))),
  )
  if (!one || !two) throw new Error('no stand-ins')
  places.push(one.url, two.url)
  const last = await standIn(() => accepted)
  expect((await twinline(['send', ...message, '--host', one.url, last.url])).code).toBe(0)
  expect([one.asked.length, two.asked.length, last.asked.length]).toEqual([1, 1, 1])
  const alone = await twinline(['send', ...message, '--host', one.url])
  expect(alone.code).toBe(3)
  expect(alone.stderr).toContain(
    `${one.url}, which stands by, and then ${two.url}: this appliance is standing by`,
  )
})

test('an active one that may have taken it leaves the outcome unknown', async () => {
  const active = await standIn(() => 'hangUp')
  const standby = await standIn(({ path }) => redirect(active.url + path))
  expect((await twinline(['send', ...message, '--host', standby.url])).code).toBe(4)
})

test('a redirect from TLS to plain HTTP, or to another thing, never sees the token', async () => {
  const elsewhere = await standIn(() => accepted)
  const { certificate: cert, key } = await identityFor(mkdtempSync(join(tmpdir(), 'twinline-')), 'box')
  const secure = await standIn(({ path }) => redirect(elsewhere.url + path), { tls: { cert, key } })
  const other = await standIn(() => redirect(`${elsewhere.url}/login`))
  const ran = await twinline([
    'send',
    ...message,
    '--insecure',
    '--token',
    't',
    '--host',
    secure.url,
    other.url,
  ])
  expect(ran.code).toBe(3)
  expect(secure.asked).toHaveLength(1)
  expect(elsewhere.asked).toEqual([])
})

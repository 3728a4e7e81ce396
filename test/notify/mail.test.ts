/** Outgoing mail against a real mail server: what it takes, what it refuses, and who may see the password. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { parseMailUrl } from '#config/mail.ts'
import { createMailer, type Mailer } from '#notify/mail.ts'
import { describeWith } from '../requirements.ts'
import { type MailSink, startMailSink } from './sinks.ts'

const mail = {
  id: 'entry.0',
  to: ['duty@example.org'],
  subject: 'SMS\r\nBcc: x@evil.org',
  text: 'Grüße\n.\nend',
}
const opened: { mailer?: Mailer; sink?: MailSink } = {}
afterEach(async () => {
  opened.mailer?.close()
  await opened.sink?.stop()
})

const mailer = (port: number, more: Partial<Parameters<typeof createMailer>[0]> = {}): Mailer => {
  opened.mailer = createMailer({
    host: '127.0.0.1',
    port,
    secure: false,
    from: 'twinline@example.org',
    ...more,
  })
  return opened.mailer
}
const sink = async (...given: Parameters<typeof startMailSink>): Promise<MailSink> => {
  opened.sink = await startMailSink(...given)
  return opened.sink
}

test('a mail arrives as it was meant, over STARTTLS, one header and no more', async () => {
  const server = await sink()
  expect(await mailer(server.port).send(mail)).toEqual({ result: 'sent' })
  expect(server.mails[0]).toMatchObject({
    to: ['duty@example.org'],
    secure: true,
    mail: { subject: 'SMS Bcc: x@evil.org', messageId: '<entry.0@example.org>', text: 'Grüße\n.\nend\n' },
  })
  expect(server.mails[0]?.mail.bcc).toBeUndefined()
})

test('many at a time go over few connections, and beyond a bound they are refused', async () => {
  let connections = 0
  const server = await sink({
    onConnect: (_session, done) => {
      connections += 1
      done()
    },
  })
  const out = mailer(server.port)
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => out.send({ ...mail, id: `entry.${n}` })),
  )
  expect(answers.filter(({ result }) => result === 'sent')).toHaveLength(50)
  expect(answers.find(({ result }) => result === 'failed')).toMatchObject({
    reason: { code: 'mail-busy' },
    permanent: false,
  })
  expect(server.mails).toHaveLength(50)
  expect(connections).toBeLessThanOrEqual(2)
})

test.each([
  [550, 'mail-refused', true],
  [451, 'mail-failed', false],
])('a recipient that is answered %i: %s', async (code, wanted, permanent) => {
  const server = await sink()
  server.refuse = { code, text: 'not here' }
  const answer = await mailer(server.port).send(mail)
  expect(answer).toMatchObject({ result: 'failed', permanent, reason: { code: wanted } })
  expect(JSON.stringify(answer)).toContain(String(code))
})

test('a server that is away, and comes back', async () => {
  const server = await sink()
  const { port } = server
  await server.stop()
  const out = mailer(port)
  expect(await out.send(mail)).toMatchObject({
    result: 'failed',
    permanent: false,
    reason: { code: 'mail-failed' },
  })
  await sink({}, port)
  expect(await out.send(mail)).toEqual({ result: 'sent' })
})

test('a server that hangs up in the middle', async () => {
  const server: Server = createServer((socket) => socket.end('220 x\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(await mailer(port).send(mail)).toMatchObject({ result: 'failed', permanent: false })
  server.close()
})

describeWith(['openssl'], 'with a login', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mail-'))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  beforeAll(() => {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
    ]
    execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  })
  afterAll(() => rmSync(directory, { recursive: true }))
  const tls = () => ({ key: readFileSync(key), cert: readFileSync(cert), authOptional: false, secure: true })

  test('the password goes to the server whose certificate is known', async () => {
    const server = await sink(tls())
    const login = { user: 'box', password: 'right' }
    expect(await mailer(server.port, { secure: true, login, ca: cert }).send(mail)).toEqual({
      result: 'sent',
    })
    expect(server.mails[0]).toMatchObject({ user: 'box', secure: true })
  })

  test('and to no other one, and is in no message', async () => {
    let asked = 0
    const server = await sink({
      ...tls(),
      onAuth: (_auth, _session, done) => {
        asked += 1
        done(null, { user: 'x' })
      },
    })
    const login = { user: 'box', password: 'right' }
    const answer = await mailer(server.port, { secure: true, login }).send(mail)
    expect(answer).toMatchObject({ result: 'failed', permanent: false })
    expect(asked).toBe(0)
  })

  test('one that is refused may be mended, and is not repeated', async () => {
    const server = await sink(tls())
    const login = { user: 'box', password: 'a-wrong-one' }
    const answer = await mailer(server.port, { secure: true, login, ca: cert }).send(mail)
    expect(answer).toMatchObject({ result: 'failed', permanent: false })
    expect(JSON.stringify(answer)).not.toContain('a-wrong-one')
  })
})

test.each([
  [
    'smtps://u:p%40s@mail.example.org',
    { host: 'mail.example.org', port: 465, secure: true, login: { user: 'u', password: 'p@s' } },
  ],
  ['smtp://127.0.0.1:2525', { host: '127.0.0.1', port: 2525, secure: false }],
  ['smtp://[fd00::1]', { host: 'fd00::1', port: 587, secure: false }],
  ['http://x', undefined],
  ['mail.example.org', undefined],
  ['smtp://user@host', undefined],
  ['smtp://u:%ff@host', undefined],
  ['smtp://host/path', undefined],
])('%s', (text, value) => {
  const read = parseMailUrl(text)
  if (value) expect(read).toEqual({ value })
  else expect(read).toHaveProperty('allowed')
})

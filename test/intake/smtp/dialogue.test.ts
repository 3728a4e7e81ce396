/** The SMTP dialogue over real sockets: who may send, to whom, and what the client is told. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { MailServer } from '#intake/smtp/connection.ts'
import { until } from '../../system/appliance.ts'
import { Client, type Rig, startRig, TOKEN } from './rig.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function rigWith(smtp?: string, more?: string): Promise<Rig> {
  const rig = await startRig(smtp, more)
  stops.push(rig.stop)
  return rig
}

async function open(rig: Rig): Promise<Client> {
  const client = await Client.open(rig.port)
  stops.unshift(async () => client.close())
  return client
}

const alert = 'Subject: Pump 3\r\nMessage-ID: <1@vm>\r\n\r\nhas stopped'
const plain = (user: string, password: string) =>
  `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`

describe('a mail', () => {
  it('is taken with 250 when it is stored, and not before', async () => {
    const rig = await rigWith()
    const client = await open(rig)
    const answer = await client.mail(['+491701234567@sms.example.org'], alert)
    expect(answer).toMatch(/^250 queued as [0-9a-zA-Z-]+$/)
    expect(rig.kept).toMatchObject([
      { to: ['+491701234567'], text: 'Pump 3\nhas stopped', source: 'smtp:127.0.0.1', channel: 'sms' },
    ])
    expect(rig.accepted).toBe(1)
  })

  it('is known again by its Message-ID, recipient by recipient', async () => {
    const rig = await rigWith()
    const client = await open(rig)
    await client.mail(['+491701234567@x'], alert)
    expect(await client.mail(['+491701234567@x', 'duty@x'], alert)).toMatch(/^250/)
    expect(await client.mail(['DUTY@x', '"+49 170 1234567"@x'], alert)).toMatch(/^250/)
    expect(rig.kept.map(({ to }) => to)).toEqual([['+491701234567'], ['duty']])
    expect(rig.accepted).toBe(2)
    await client.mail(['+491701234567@x'], `${alert} again`)
    expect(rig.kept).toHaveLength(3)
  })

  it('without a Message-ID is a new one each time', async () => {
    const rig = await rigWith()
    const client = await open(rig)
    await client.mail(['duty@x'], 'Subject: a\r\n\r\nb')
    await client.mail(['duty@x'], 'Subject: a\r\n\r\nb')
    expect(rig.kept).toHaveLength(2)
  })

  it('goes once to whoever is named twice', async () => {
    const rig = await rigWith()
    const client = await open(rig)
    await client.mail(['duty@x', 'all@x', '+491702222222@x'], alert)
    expect(rig.kept.map(({ to }) => to)).toEqual([['duty'], ['+491702222222']])
  })

  it.each([
    ['full', { result: 'full' }, '452 disk-full'],
    ['on one disk only', { result: 'oneDisk' }, '451 one-disk'],
  ] as const)('is put off when the store is %s', async (_title, answer, expected) => {
    const rig = await rigWith()
    rig.answer = answer
    const client = await open(rig)
    expect(await client.mail(['duty@x'], alert)).toMatch(expected)
    expect(rig.refused).toHaveLength(1)
  })

  it('whose groups name too many is refused as a whole', async () => {
    const contacts = Array.from({ length: 7_000 }, (_, n) => `{ id: c${n}, sms: "+49170${1_000_000 + n}" }`)
    const members = contacts.map((_, n) => `c${n}`).join(', ')
    const groups = Array.from({ length: 9 }, (_, n) => `{ id: g${n}, members: [${members}] }`)
    const rig = await rigWith(undefined, `contacts: [${contacts}]\ngroups: [${groups}]\n`)
    const client = await open(rig)
    const all = groups.map((_, n) => `g${n}@x`)
    expect(await client.mail(all, alert)).toMatch(/^554 too-many-recipients/)
    expect(rig.kept).toEqual([])
    expect(await client.mail(all.slice(0, 8), alert)).toMatch(/^250/)
    expect(rig.kept).toHaveLength(1)
  })

  it('is put off when the store fails', async () => {
    const rig = await rigWith()
    rig.answer = new Error('disk gone')
    const client = await open(rig)
    expect(await client.mail(['duty@x'], alert)).toMatch(/^451 internal/)
    expect(rig.errors).toHaveLength(1)
  })

  it.each([
    ['no text', 'X: y\r\n\r\n', '554 empty-text'],
    ['an automatic answer', 'Auto-Submitted: auto-replied\r\nSubject: gone\r\n\r\n', '554 auto-reply'],
    ['a loop', `${'Received: by mx\r\n'.repeat(31)}Subject: round\r\n\r\n`, '554 mail-loop'],
    ['our own mail', 'X-Twinline: box-b\r\nSubject: sms\r\n\r\n', '554 mail-loop'],
    ['more than 255 parts', `\r\n\r\n${'long '.repeat(9_000)}`, '554 text-too-long'],
  ])('is refused for ever with %s', async (_title, content, expected) => {
    const rig = await rigWith()
    const client = await open(rig)
    expect(await client.mail(['duty@x'], content)).toMatch(expected)
    expect(rig.kept).toEqual([])
    expect(await client.mail(['duty@x'], alert)).toMatch(/^250/)
  })

  it('that a program wrote is an alert, unless the configuration says otherwise', async () => {
    const cron = 'Auto-Submitted: auto-generated\r\nSubject: cron\r\n\r\nfailed'
    const takes = await open(await rigWith())
    expect(await takes.mail(['duty@x'], cron)).toMatch(/^250/)
    const refuses = await open(await rigWith('auth: off, allow: [127.0.0.1], autoGenerated: refuse'))
    expect(await refuses.mail(['duty@x'], cron)).toMatch(/^554 auto-submitted/)
  })

  it('that is too large is read to its end and refused with 552', async () => {
    const rig = await rigWith('auth: off, allow: [127.0.0.1], maxSize: 1MB')
    const client = await open(rig)
    expect(await client.say('MAIL FROM:<a@b> SIZE=2000000')).toMatch(/^552/)
    expect(await client.mail(['duty@x'], `\r\n\r\n${'x'.repeat(999)}\r\n`.repeat(1_100))).toMatch(
      /^552 mail-too-large/,
    )
    expect(await client.mail(['duty@x'], alert)).toMatch(/^250/)
  })

  it('of which the end never came makes no message', async () => {
    const rig = await rigWith()
    const client = await open(rig)
    await client.say('MAIL FROM:<a@b>')
    await client.say('RCPT TO:<duty@x>')
    await client.say('DATA')
    client.socket.end('Subject: half\r\n\r\nof it')
    await once(client.socket, 'close')
    const next = await open(rig)
    expect(await next.mail(['duty@x'], alert)).toMatch(/^250/)
    expect(rig.kept).toHaveLength(1)
  })
})

describe('a recipient', () => {
  it.each([
    ['+491701234567@sms.example.org', '+491701234567'],
    ['"+48 501 234 567"@sms.example.org', '+48 501 234 567'],
    ['+48 501 234 567@sms.example.org', '+48 501 234 567'],
    ['"+49 (0) 170/1234567"@sms.example.org', '+49 (0) 170/1234567'],
    ['sms+491701234567@sms.example.org', '+491701234567'],
    ['Duty@SMS.example.org', 'Duty'],
    ['all@sms.example.org', 'all'],
  ])('may be %s', async (address, to) => {
    const rig = await rigWith('auth: off, allow: [127.0.0.1], domains: [sms.example.org]')
    const client = await open(rig)
    expect(await client.mail([address], alert)).toMatch(/^250/)
    expect(rig.kept).toMatchObject([{ to: [to] }])
  })

  it.each([
    ['fax+4930123456@sms.example.org', '550 no-line: no fax line is configured'],
    ['voice+4930123456@sms.example.org', '550 no-line: no voice line is configured'],
    ['nobody@sms.example.org', '550 invalid-recipient: "nobody": There is no contact or group'],
    ['mute@sms.example.org', '550 invalid-recipient: "mute": This contact has no number'],
    ['+1@sms.example.org', '550 invalid-recipient: "\\+1": After \\+ there are 1 digits'],
    [
      'duty@example.com',
      '550 domain-unknown: mail for example.com is not taken here; write to sms.example.org',
    ],
    ['+331701234567@sms.example.org', '550 no-route'],
  ])('%s is refused at once', async (address, expected) => {
    const rig = await rigWith(
      'auth: off, allow: [127.0.0.1], domains: [sms.example.org]',
      'routes: [{ match: "+4*", lines: [gsm0] }]',
    )
    const client = await open(rig)
    await client.say('MAIL FROM:<a@b>')
    expect(await client.say(`RCPT TO:<${address}>`)).toMatch(new RegExp(`^${expected}`))
    // The others still get it.
    expect(await client.say('RCPT TO:<duty@sms.example.org>')).toMatch(/^250/)
  })

  it('is the thousandth at most', async () => {
    const client = await open(await rigWith())
    await client.say('MAIL FROM:<a@b>')
    const all = Array.from({ length: 1_001 }, (_, n) => `RCPT TO:<+49170${1_000_000 + n}@x>\r\n`).join('')
    client.socket.write(all)
    const answers: string[] = []
    for (let n = 0; n < 1_001; n += 1) answers.push((await client.answer()).slice(0, 3))
    expect(answers.filter((answer) => answer === '250')).toHaveLength(1_000)
    expect(answers.at(-1)).toBe('452')
  })
})

describe('a sender', () => {
  it('may be written as monit and embedded devices do', async () => {
    const client = await open(await rigWith())
    expect(await client.say('MAIL FROM: <monit@vm>')).toMatch(/^250/)
    await client.say('RSET')
    expect(await client.say('mail from:root@plc')).toMatch(/^250/)
  })

  it('that is nobody is a bounce', async () => {
    const client = await open(await rigWith())
    expect(await client.say('MAIL FROM:<>')).toMatch(/^550 bounce/)
  })

  it('logs in with a token as password and any user name', async () => {
    const rig = await rigWith('auth: required, tls: none')
    const client = await open(rig)
    expect(await client.say('MAIL FROM:<a@b>')).toMatch(/^530/)
    expect(await client.say(plain('any', 'tl_wrong'))).toMatch(/^535 token-unknown/)
    expect(await client.say(plain('any', 'tl_reads'))).toMatch(/^535 scope-missing/)
    expect(await client.say(plain('any', TOKEN))).toMatch(/^235/)
    expect(await client.mail(['duty@x'], alert)).toMatch(/^250/)
    expect(rig.kept).toMatchObject([{ source: 'smtp:nagios' }])
    expect(rig.refused).toEqual(['token-unknown', 'scope-missing'])
  })

  it('tells no token to who listens, where there is TLS', async () => {
    const client = await open(await rigWith('auth: required'))
    expect(await client.say(plain('any', TOKEN))).toMatch(/^538/)
  })

  it('begins with STARTTLS where that is required', async () => {
    const client = await open(await rigWith('auth: off, allow: [127.0.0.1], tls: required'))
    expect(await client.say('MAIL FROM:<a@b>')).toMatch(/^530 tls-required/)
  })

  it.each([
    ['intake.smtp.allow', 'auth: off, allow: [10.0.0.0/8]', ''],
    [
      'pair.allow.send',
      'auth: off, allow: [127.0.0.0/8]',
      'pair: { listen: 127.0.0.1:0, allow: { send: [10.0.0.0/8] } }',
    ],
  ])('is in the networks of %s', async (_title, smtp, more) => {
    const rig = await rigWith(smtp, more)
    const client = new Client(rig.port)
    expect(await client.answer()).toMatch(/^554 address-not-allowed: 127\.0\.0\.1/)
    expect(await client.answer()).toBe('')
  })
})

describe('a client that', () => {
  it('pipelines a mail and hangs up ends nothing but itself', async () => {
    const rig = await rigWith()
    const whole = `EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<duty@x>\r\nDATA\r\nSubject: x\r\n\r\n${'y\r\n'.repeat(500)}.\r\nQUIT\r\n`
    for (let cut = 40; cut < whole.length; cut += 97) {
      const socket = connect(rig.port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'data')
      socket.write(whole.slice(0, cut))
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    const client = await open(rig)
    expect(await client.mail(['duty@x'], alert)).toMatch(/^250/)
  })

  it('does not know the other commands gets no jokes', async () => {
    const client = await open(await rigWith())
    for (const command of ['WIZ x', 'SHELL', 'KILL', 'XCLIENT ADDR=10.0.0.1'])
      expect(await client.say(command)).toBe('500 Error: command not recognized')
  })

  it('is one too many is told to come again', async () => {
    const rig = await rigWith()
    const all = await Promise.all(
      Array.from({ length: 101 }, async () => {
        const client = new Client(rig.port)
        stops.unshift(async () => client.close())
        return client.answer()
      }),
    )
    expect(all.filter((answer) => answer.startsWith('220'))).toHaveLength(100)
    expect(all.filter((answer) => answer.startsWith('421 busy'))).toHaveLength(1)
  })

  it('never ends is ended', async () => {
    const server = new MailServer({ disableReverseLookup: true, maxClients: 1, logger: false }, 100)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const address = server.server.address()
    const client = await Client.open(typeof address === 'object' ? (address?.port ?? 0) : 0)
    expect(await client.answer()).toMatch(/^421 connection-too-long/)
    expect(await client.answer()).toBe('')
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  it('is connected to an address that moves away is reset, with TLS too', async () => {
    const rig = await rigWith()
    const plainClient = await open(rig)
    await plainClient.say('MAIL FROM:<a@b>')
    const raw = await open(rig)
    await raw.say('STARTTLS')
    const secure = connectTls({ socket: raw.socket, rejectUnauthorized: false })
    await once(secure, 'secureConnect')
    const gone = [plainClient.socket, raw.socket].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    )
    secure.on('error', () => {})
    rig.smtp.reset('127.0.0.1')
    await Promise.all(gone)
    const next = await open(rig)
    expect(await next.mail(['duty@x'], alert)).toMatch(/^250/)
  })

  it('waits for its answer gets it, though the appliance is being stopped', async () => {
    const rig = await startRig()
    const client = await Client.open(rig.port)
    let release = () => {}
    rig.gate = new Promise((resolve) => {
      release = resolve
    })
    const answered = client.mail(['duty@x'], alert)
    await until(() => rig.submits > 0, 'the mail to be submitted')
    const stopped = rig.stop()
    release()
    expect(await answered).toMatch(/^250/)
    client.close()
    await stopped
  })

  it('waits for nothing when the appliance stops', async () => {
    const rig = await startRig()
    const client = await Client.open(rig.port)
    await rig.stop()
    expect(await client.answer()).toMatch(/^421 stopping/)
  })
})

/**
 * The clients that people have, as Debian ships them, against a whole appliance: what they send comes out of a modem as
 * AT+CMGS. Programs that are not installed leave their suite out by name.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, serveTcp } from '#simulator/serve.ts'
import { describeWith } from '../../requirements.ts'
import { type RunningAppliance, startAppliance, until } from '../../system/appliance.ts'
import { startRig, TOKEN } from './rig.ts'

const network = new SimulatedNetwork()
let directory: string
let served: Served
let appliance: RunningAppliance
let token: string
let port: number

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mail-'))
  const options = parseModemOptions({ network: '0', prompt: '0', reports: 'none' }, 0)
  if (isProblem(options)) throw new Error(options.problem)
  served = await serveTcp(new SimulatedModem(options, undefined, network, 'line0'))
  appliance = await startAppliance({
    directory,
    ports: [served.address],
    more: `intake: { smtp: { listen: '127.0.0.1:0', domains: [sms.test], allow: [127.0.0.0/8], auth: optional } }
contacts: [{ id: duty, name: Duty, sms: +49 170 1111111 }]
groups: [{ id: all, members: [duty] }]
`,
  })
  await appliance.ready(1)
  token = await appliance.token()
  port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(appliance.log())?.[1])
}, 60_000)

afterAll(async () => {
  await appliance.kill('SIGTERM')
  await served.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** What the phone of this number got, when it has got it. */
async function phone(number: string, containing: string): Promise<string> {
  const find = () =>
    network.received().find(({ to, text }) => to === number && text.includes(containing))?.text
  await until(() => find() !== undefined, `${number} to get ${containing}`)
  return find() ?? ''
}

async function run(
  command: string,
  words: readonly string[],
  input = '',
): Promise<{ code: number; output: string }> {
  const child = spawn(command, words, { env: { PATH: process.env['PATH'], HOME: directory } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code, output }
}

const swaks = (...words: string[]) =>
  run('swaks', ['--server', `127.0.0.1:${port}`, '--from', 'nagios@lan', ...words])

describeWith(['swaks'], 'swaks', () => {
  it('to a number', async () => {
    const { output, code } = await swaks(
      '--to="+491701000001"@sms.test',
      '--header',
      'Subject: Störung',
      '--body',
      'Halle 3',
    )
    expect(output).toMatch(/250 queued as /)
    expect(code).toBe(0)
    expect(await phone('+491701000001', 'Halle 3')).toBe('Störung\nHalle 3')
  })

  it('to a quoted number with spaces, with lines of dots', async () => {
    const dots = ['--header', 'Subject: dots', '--body', 'one\\n.\\n..\\ntwo']
    const { code, output } = await swaks('--to="+48 501 234 567"@sms.test', ...dots)
    expect(code, output).toBe(0)
    expect(await phone('+48501234567', 'dots')).toBe('dots\none\n.\n..\ntwo')
  })

  it('with AUTH LOGIN, where the configuration does without TLS', async () => {
    const rig = await startRig('auth: required, tls: none')
    const words = (password: string) => [
      `--server=127.0.0.1:${rig.port}`,
      '--from=a@b',
      '--to=duty@x',
      '--auth=LOGIN',
      '--auth-user=any',
      `--auth-password=${password}`,
    ]
    expect((await run('swaks', words('wrong'))).output).toMatch(/535 token-unknown/)
    expect((await run('swaks', words(TOKEN))).code).toBe(0)
    expect(rig.kept).toMatchObject([{ to: ['duty'], source: 'smtp:nagios' }])
    await rig.stop()
  })

  it('to a contact and a group that is the same phone: once', async () => {
    expect(
      (await swaks('--to=duty@sms.test,all@sms.test', '--header', 'Subject: once', '--body', 'x')).code,
    ).toBe(0)
    await phone('+491701111111', 'once')
    expect((await swaks('--to=duty@sms.test', '--header', 'Subject: then', '--body', 'x')).code).toBe(0)
    await phone('+491701111111', 'then')
    expect(network.received().filter(({ text }) => text.includes('once'))).toHaveLength(1)
  })

  it('to a fax says why not', async () => {
    expect((await swaks('--to=fax+4930123456@sms.test')).output).toMatch(/550 no-line: no fax line/)
  })

  it('sent again with its Message-ID is answered again and sent once', async () => {
    const words = [
      '--to="+491701000002"@sms.test',
      '--header',
      'Subject: again',
      '--header',
      'Message-Id: <7@lan>',
      '--body',
      'x',
    ]
    const [first, second] = [await swaks(...words), await swaks(...words)]
    const ids = [first, second].map(({ output }) => /queued as (\S+)/.exec(output)?.[1])
    expect(ids[0]).toBeDefined()
    expect(ids[1]).toBe(ids[0])
    const { body } = await appliance.call('GET', `/api/v1/messages/${ids[0]}`)
    expect(body).toMatchObject({ source: 'smtp:127.0.0.1' })
  })
})

describeWith(['msmtp'], 'msmtp', () => {
  it('with TLS and a token', async () => {
    const { code, output } = await run(
      'msmtp',
      [
        '--host=127.0.0.1',
        `--port=${port}`,
        '--tls=on',
        '--tls-starttls=on',
        '--tls-certcheck=off',
        '--auth=plain',
        '--user=any',
        `--passwordeval=printf ${token}`,
        '--from=cron@lan',
        '+491701000003@sms.test',
      ],
      'From: cron@lan\nSubject: =?iso-8859-1?Q?T=FCr?=\nAuto-Submitted: auto-generated\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nist ge=F6ffnet\n-- \nPort=E4l\n',
    )
    expect(code, output).toBe(0)
    expect(await phone('+491701000003', 'ge')).toBe('Tür\nist geöffnet')
  })
})

describeWith(['curl'], 'curl', () => {
  it('with 8-bit text', async () => {
    const file = join(directory, 'curl.eml')
    writeFileSync(
      file,
      'Subject: Kühlung\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n45 °C\r\n',
    )
    const { code, output } = await run('curl', [
      '-s',
      '-S',
      `smtp://127.0.0.1:${port}`,
      '--mail-from',
      'plc@lan',
      '--mail-rcpt',
      '+491701000004@sms.test',
      '-T',
      file,
    ])
    expect(code, output).toBe(0)
    expect(await phone('+491701000004', '45')).toBe('Kühlung\n45 °C')
  })
})

describe('nodemailer', () => {
  it('with a PDF of a name that is not ASCII, over TLS', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      auth: { user: 'any', pass: token },
    })
    await transport.sendMail({
      from: 'ups@lan',
      to: '+491701000005@sms.test',
      subject: 'USV läuft auf Batterie 🔋',
      text: 'Restzeit 12 min',
      attachments: [{ filename: 'Übersicht.pdf', content: Buffer.alloc(300_000, 'pdf') }],
    })
    transport.close()
    expect(await phone('+491701000005', 'Restzeit')).toBe('USV läuft auf Batterie 🔋\nRestzeit 12 min')
  })
})

describeWith(['apprise'], 'apprise', () => {
  it('with lower-case verbs and a text beside the HTML', async () => {
    const url = `mailto://127.0.0.1:${port}?from=apprise@sms.test&to=duty@sms.test&format=text`
    const { code, output } = await run('apprise', ['-vv', '-t', 'Disk', '-b', 'is full', url])
    expect(code, output).toBe(0)
    expect(await phone('+491701111111', 'full')).toBe('Disk\nis full')
  })
})

describeWith(['alertmanager'], 'Alertmanager', () => {
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  it('with nothing but HTML, AUTH PLAIN and a plus in the address', async () => {
    const web = await freePort()
    const config = join(directory, 'alertmanager.yml')
    writeFileSync(
      config,
      `route: { receiver: sms, group_wait: 0s }
receivers:
  - name: sms
    email_configs:
      - { to: '+491701000007@sms.test', from: am@lan, smarthost: '127.0.0.1:${port}', auth_username: any,
          auth_password: ${token}, tls_config: { insecure_skip_verify: true } }
`,
    )
    const child = spawn('prometheus-alertmanager', [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'am')}`,
      `--web.listen-address=127.0.0.1:${web}`,
      '--cluster.listen-address=',
    ])
    children.push(child)
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${web}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([
          { labels: { alertname: 'PumpStopped', site: 'Köln' }, annotations: { summary: 'no flow' } },
        ]),
      }).catch(() => undefined)
      return answer?.ok === true
    }, 'Alertmanager to take an alert')
    const text = await phone('+491701000007', 'PumpStopped')
    expect(text).toMatch(/^\[FIRING:1\]/)
    expect(text).toMatch(/site = Köln/)
    expect(text).not.toMatch(/[<>{}]|font-family/)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: free } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return free
}

/** An appliance as a process with every foreign interface switched on, and bytes sent to it as clients send them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningAppliance, startAppliance } from '../../system/appliance.ts'

const compat = `
contacts:
  - { id: ops, name: Duty, sms: "+4917000000001" }
  - { id: contact3, name: Third, sms: "+4917000000003" }
groups:
  - { id: everybody, members: [ops, contact3] }
  - { id: group2, members: [contact3] }
intake:
  compat:
    smseagle: true
    kannel: true
    ozeki: true
    twilio: true
    smsGateway: true
    homeAssistant: { to: [ops] }
    apprise: { to: [ops] }
    alertmanager: { to: [ops] }
    grafana: { to: [everybody], limit: 100 }
`

export interface RawAnswer {
  status: number
  headers: string
  body: string
}

export interface Rig {
  appliance: RunningAppliance
  directory: string
  token: string
  /** A token that may only read. */
  reader: string
  host: string
  port: number
  /** Sends these bytes; TOKEN, READER and HOST in them are replaced, lengths are the caller's. */
  raw(bytes: string | Buffer): Promise<RawAnswer>
  get(path: string, headers?: Record<string, string>): Promise<RawAnswer>
  post(path: string, body: string | Buffer, headers?: Record<string, string>): Promise<RawAnswer>
  /** The newest messages, newest first. */
  messages(): Promise<Message[]>
  /** The id of the newest message. */
  newest(): Promise<string | undefined>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What tests look at in a message. */
export interface Message {
  id: string
  text: string
  source: string
  priority: number
  validity: string
  flash: boolean
  tag?: string
  deliveries: { to: string; state: string }[]
}

export async function startRig(port = 'sim://gsm', reports = true): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'compat-'))
  const start = () => startAppliance({ directory, ports: [port], reports, more: compat })
  const appliance = await start()
  await appliance.ready(1)
  const made = async (scopes: string[]) =>
    String((await appliance.call('POST', '/api/v1/tokens', { name: 'monitoring', scopes })).body['token'])
  const rig: Rig = {
    appliance,
    directory,
    token: await made(['send', 'read']),
    reader: await made(['read']),
    host: '',
    port: 0,
    raw: (bytes) => exchange(rig, bytes),
    get: (path, headers = {}) => exchange(rig, request('GET', path, headers)),
    post(path, body, headers = {}) {
      const bytes = Buffer.from(body)
      const head = request('POST', path, { ...headers, 'Content-Length': String(bytes.length) })
      return exchange(rig, Buffer.concat([Buffer.from(head), bytes]))
    },
    async messages() {
      const { body } = await rig.appliance.call('GET', '/api/v1/messages?limit=20')
      return body['items'] as Message[]
    },
    newest: async () => (await rig.messages())[0]?.id,
    async restart() {
      await rig.appliance.kill('SIGKILL')
      rig.appliance = await start()
      await rig.appliance.ready(1)
      place(rig)
    },
    async stop() {
      await rig.appliance.kill('SIGTERM')
      await rm(directory, { recursive: true, force: true })
    },
  }
  place(rig)
  return rig
}

function place(rig: Rig): void {
  const { hostname, port } = new URL(rig.appliance.address)
  rig.host = hostname
  rig.port = Number(port)
}

const request = (method: string, path: string, headers: Record<string, string>): string =>
  `${method} ${path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

function exchange({ host, port, token, reader }: Rig, bytes: string | Buffer): Promise<RawAnswer> {
  const text = Buffer.from(bytes).toString('latin1')
  const sent = text
    .replaceAll('BASIC', Buffer.from(`anybody:${token}`).toString('base64'))
    .replaceAll('TOKEN', token)
    .replaceAll('READER', reader)
    .replaceAll('HOST', `${host}:${port}`)
  return new Promise((resolve, reject) => {
    const socket = connect(port, host)
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const answer = Buffer.concat(chunks).toString('utf8')
      const end = answer.indexOf('\r\n\r\n')
      const headers = answer.slice(0, end)
      const body = answer.slice(end + 4)
      resolve({ status: Number(headers.split(' ')[1]), headers, body })
    })
    socket.write(sent, 'latin1')
  })
}

/** A length that follows from a body whose token is put in later. */
export const lengthOf = (body: string, token: string): number =>
  Buffer.byteLength(body.replaceAll('TOKEN', token))

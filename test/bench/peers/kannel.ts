/**
 * Kannel: bearerbox drives the modems, smsbox takes messages over HTTP; its store is a file that it writes without
 * fsync.
 *
 * Tuned takes the pause before each line out and dumps its store every second instead of every ten.
 */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { launch, type Peer, type Text, until } from './peer.ts'

const connections = 64

export const kannel: Peer = {
  name: 'Kannel',
  packageName: 'kannel',
  program: '/usr/sbin/bearerbox',
  acceptsBy: `HTTP to its smsbox over ${connections} connections; its store is not fsynced`,
  acceptCount: 5_000,
  async start({ directory, ports, settings, queued }) {
    const [admin, box, http] = [await freePort(), await freePort(), await freePort()]
    const tuned = settings === 'tuned'
    const groups = [
      [
        'group = core',
        `admin-port = ${admin}`,
        'admin-password = bench',
        'admin-interface = 127.0.0.1',
        `smsbox-port = ${box}`,
        'smsbox-interface = 127.0.0.1',
        'box-allow-ip = 127.0.0.1',
        `log-file = ${join(directory, 'bearerbox.log')}`,
        'log-level = 3',
        'store-type = file',
        `store-location = ${join(directory, 'kannel.store')}`,
        ...(tuned ? ['store-dump-freq = 1', 'sms-resend-freq = 1'] : []),
      ],
      [
        'group = modems',
        'id = bench',
        'name = "simulated"',
        'init-string = "AT+CNMI=1,2,0,0,0"',
        ...(tuned ? ['sendline-sleep = 0', 'need-sleep = false'] : []),
      ],
      ...ports.map((port, line) => [
        'group = smsc',
        'smsc = at',
        `smsc-id = line${line}`,
        'modemtype = bench',
        `device = ${port}`,
        'speed = 115200',
        'my-number = 1234',
      ]),
      [
        'group = smsbox',
        'bearerbox-host = 127.0.0.1',
        `bearerbox-port = ${box}`,
        `sendsms-port = ${http}`,
        'sendsms-interface = 127.0.0.1',
        'global-sender = 1234',
        `log-file = ${join(directory, 'smsbox.log')}`,
        'log-level = 3',
      ],
      [
        'group = sendsms-user',
        'username = bench',
        'password = bench',
        'max-messages = 10',
        'concatenation = true',
      ],
      ['group = sms-service', 'keyword = default', 'text = "no"', 'max-messages = 0'],
    ]
    const config = join(directory, 'kannel.conf')
    writeFileSync(config, `${groups.map((group) => group.join('\n')).join('\n\n')}\n`)
    const bearerbox = launch('/usr/sbin/bearerbox', [config], directory, 'bearerbox.out')
    await until(() => listens(box), 15_000, 'bearerbox')
    const smsbox = launch('/usr/sbin/smsbox', [config], directory, 'smsbox.out')
    await until(() => listens(http), 15_000, 'smsbox')
    const accept = (texts: readonly Text[]) => post(http, texts)
    await accept(queued)
    return {
      children: [bearerbox, smsbox],
      accept,
    }
  },
}

async function post(port: number, texts: readonly Text[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let next = 0
  const worker = async () => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) await send(agent, port, text)
  }
  try {
    await Promise.all(Array.from({ length: connections }, worker))
  } finally {
    agent.destroy()
  }
}

async function send(agent: Agent, port: number, { to, text }: Text): Promise<void> {
  const query = new URLSearchParams({
    username: 'bench',
    password: 'bench',
    to,
    text,
    charset: 'UTF-8',
    coding: '0',
  })
  const call = request({
    agent,
    host: '127.0.0.1',
    port,
    path: `/cgi-bin/sendsms?${query}`,
    timeout: 10_000,
  })
  call.on('timeout', () => call.destroy(new Error('Kannel did not answer')))
  call.end()
  const [response] = await once(call, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 202) throw new Error(`Kannel answered ${response.statusCode}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** What the suites of MQTT share: a mosquitto of their own on loopback, and somebody who publishes and listens. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { freePort } from '../modbus/rig.ts'

export interface Mosquitto {
  port: number
  directory: string
  /** Ends it; `again` starts it at the same port, with what it had kept on disk. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  again(): Promise<void>
  /** It answers nothing from now on. */
  freeze(): void
  remove(): Promise<void>
}

export interface MosquittoOptions {
  /** Only this user may connect. */
  user?: { name: string; password: string }
  /** Further lines for its listener, such as certificates. */
  listener?: string
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startAt(await freePort(), options)
    } catch (error) {
      // Somebody else took the port meanwhile.
      if (tries === 5) throw error
    }
  }
}

async function startAt(port: number, { user, listener = '' }: MosquittoOptions): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'mosquitto-'))
  const file = join(directory, 'mosquitto.conf')
  const passwords = join(directory, 'passwords')
  if (user !== undefined) spawnSync('mosquitto_passwd', ['-b', '-c', passwords, user.name, user.password])
  const lines = [
    `listener ${port} 127.0.0.1`,
    listener,
    'set_tcp_nodelay true',
    `persistence true\npersistence_location ${directory}/`,
    user === undefined ? 'allow_anonymous true' : `allow_anonymous false\npassword_file ${passwords}`,
    // Otherwise it gives root up for a user that may not read the directory.
    process.getuid?.() === 0 ? 'user root' : '',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  let child: ChildProcess | undefined
  async function begin() {
    const started = spawn('mosquitto', ['-c', file], { stdio: 'ignore' })
    child = started
    for (let n = 0; n < 400 && !(await reachable(port)); n += 1) {
      if (started.exitCode !== null) throw new Error(`mosquitto ended: is port ${port} taken?`)
      await new Promise((done) => setTimeout(done, 25))
    }
  }
  async function stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') {
    const ended = child
    child = undefined
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return
    const exited = once(ended, 'exit')
    ended.kill(signal)
    await exited
  }
  await begin()
  return {
    port,
    directory,
    stop,
    again: begin,
    freeze: () => void child?.kill('SIGSTOP'),
    async remove() {
      await stop()
      rmSync(directory, { recursive: true })
    },
  }
}

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

export interface Heard {
  topic: string
  text: string
  retain: boolean
}

/** A client that hears everything below `#` and publishes at QoS 1. */
export async function startListener(port: number, options: { username?: string; password?: string } = {}) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100, ...options })
  const heard: Heard[] = []
  client.on('message', (topic, payload, { retain }) => {
    heard.push({ topic, text: payload.toString(), retain })
  })
  client.on('error', () => {})
  await client.subscribeAsync('#', { qos: 1 })
  return {
    heard,
    on: (topic: string) => heard.filter((one) => one.topic === topic).map(({ text }) => text),
    json: (topic: string) =>
      heard.filter((one) => one.topic === topic).map(({ text }): Record<string, unknown> => JSON.parse(text)),
    /** Resolves when the broker has it. */
    publish: (topic: string, payload: string | Buffer, retain = false) =>
      client.publishAsync(topic, payload, { qos: 1, retain }),
    stop: () => client.endAsync(true),
  }
}

/**
 * A connection to the broker that comes back by itself: back-off with jitter, a deadline for each attempt, a client made
 * anew every time. MQTT 3.1.1 only. mqtt.js has neither back-off nor jitter, and leaves Nagle's algorithm on.
 *
 * A message that arrives is acknowledged when its handler resolves; one whose handler rejects is not, the connection is
 * given up, and the broker, which keeps the session, delivers it again (MQTT 3.1.1, 4.4).
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
// Not from 'mqtt': that takes 2 MB more, for proxies and web sockets.
import mqtt from 'mqtt/lib/client'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { frameBound } from '#pair/links/frame-bound.ts'

export interface Arrived {
  topic: string
  payload: Uint8Array
  /** MQTT 3.1.1, 3.3.2.2; undefined at QoS 0, which is never delivered again. */
  packet: number | undefined
  /** The broker has sent it before and knows of no acknowledgement. */
  again: boolean
  /** It was kept by the broker from an earlier publication. */
  retained: boolean
}

export interface BrokerOptions {
  broker: { tls: boolean; host: string; port: number }
  user?: string
  password?: string
  /** PEM of the authority that the broker's certificate must be signed by; absent: the well-known ones. */
  ca?: string
  client: string
  /** The broker keeps what arrives for this client while it is away. */
  keepSession: boolean
  will?: { topic: string; payload: string }
  subscribe?: { topic: string; arrived: (message: Arrived) => Promise<void> }
  /** @param resumed the broker still had the session */
  onUp(resumed: boolean): void
  onDown(): void
  log: Log
}

export interface Broker {
  /** Resolves when the broker has it (QoS 1); rejects when there is no connection, or it ended first. */
  publish(topic: string, payload: string, retain: boolean): Promise<void>
  connected(): boolean
  /** @param last published right before, as well as it can be */
  close(last?: { topic: string; payload: string }): Promise<void>
}

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 30_000
/** A connection that lived so long was a good one: the next attempt comes soon. */
const GOOD_MS = 10_000
const READY_MS = 5_000
const KEEPALIVE_S = 20
const CLOSE_MS = 1_000
/**
 * Largest payload that is looked at, bytes. MQTT 3.1.1 has no way to refuse one packet of a session, and a larger one
 * would come again with every connection, so then the session is given up with all that waits in it.
 */
const LARGEST = 4_000_000

interface Attempt {
  client: InstanceType<typeof mqtt.default>
  cut(why: string): void
}

export function openBroker(options: BrokerOptions): Broker {
  const { log, broker } = options
  const address = `${broker.host}:${broker.port}`
  let attempts = 0
  let closed = false
  let retry: NodeJS.Timeout | undefined
  let current: Attempt | undefined
  let up = false
  let poisoned = false

  function begin(): void {
    const began = performance.now()
    current = attempt(options, poisoned, {
      tooLarge() {
        poisoned = true
        log.error(
          { broker: address, largest: LARGEST },
          'a message at the MQTT broker is too large; it is dropped, and what waited with it. Limit messages at the broker.',
        )
      },
      up(resumed) {
        up = true
        poisoned = false
        log.info({ broker: address }, 'connected to the MQTT broker')
        options.onUp(resumed)
      },
      ended(why) {
        const was = up
        up = false
        current = undefined
        if (performance.now() - began > GOOD_MS) attempts = 0
        // A broker that is away for days is one line, not one a second.
        if (!closed && attempts === 0)
          log.warn({ broker: address, why }, 'no connection to the MQTT broker; trying again')
        if (was) options.onDown()
        if (closed) return
        const span = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts++, 10))
        retry = setTimeout(begin, span * (0.5 + Math.random() / 2))
      },
    })
  }
  begin()

  const publish: Broker['publish'] = (topic, payload, retain) =>
    new Promise((resolve, reject) => {
      const client = current?.client
      if (!up || client === undefined) {
        reject(new Error('there is no connection to the MQTT broker'))
        return
      }
      client.publish(topic, payload, { qos: 1, retain }, (error) => (error ? reject(error) : resolve()))
    })

  return {
    publish,
    connected: () => up,
    async close(last) {
      closed = true
      clearTimeout(retry)
      if (last !== undefined && up) await bounded(publish(last.topic, last.payload, true))
      const { client, cut } = current ?? {}
      if (client !== undefined) {
        // A DISCONNECT, so that the broker does not take it for a death and publishes no will (3.14).
        await bounded(new Promise<void>((resolve) => client.end(false, {}, () => resolve())))
      }
      cut?.('closed')
    },
  }
}

const bounded = (work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS)
  })
  return Promise.race([work.catch(() => {}), late]).finally(() => clearTimeout(timer))
}

interface AttemptEvents {
  up(resumed: boolean): void
  tooLarge(): void
  ended(why: string): void
}

function attempt(options: BrokerOptions, forget: boolean, events: AttemptEvents): Attempt {
  const { broker, user, password, client: clientId, keepSession, will, subscribe } = options
  let why = ''
  const socket = open(options)
  socket.setNoDelay(true)
  const cut = (reason: string): void => {
    why ||= reason
    socket.destroy()
  }
  const deadline = setTimeout(() => cut('no answer in time'), READY_MS)
  const bound = frameBound(LARGEST)
  socket.on('data', (chunk: Buffer) => {
    if (socket.destroyed || bound.take(chunk)) return
    events.tooLarge()
    cut('a message that is too large')
  })
  const client = new mqtt.default(() => socket, {
    protocolVersion: 4,
    clientId,
    clean: !keepSession || forget,
    keepalive: KEEPALIVE_S,
    // A ping goes out however much is sent: only an answer tells that the broker hears it.
    reschedulePings: false,
    reconnectPeriod: 0,
    reconnectOnConnackError: true,
    connectTimeout: READY_MS,
    resubscribe: false,
    queueQoSZero: false,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(will === undefined
      ? {}
      : { will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
  })
  const ready = (resumed: boolean): void => {
    clearTimeout(deadline)
    if (!socket.destroyed) events.up(resumed)
  }
  client.on('connect', ({ sessionPresent }) => {
    if (subscribe === undefined) {
      ready(sessionPresent)
      return
    }
    client.subscribe(subscribe.topic, { qos: 1 }, (error, granted) => {
      // 0x80: the broker does not allow it (3.9.3).
      const refused = granted?.some(({ qos }) => qos > 2)
      if (error || refused)
        cut(error ? errorText(error) : `the broker does not allow to subscribe to ${subscribe.topic}`)
      else ready(sessionPresent)
    })
  })
  if (subscribe !== undefined) {
    client.handleMessage = (packet, done) => {
      // What the queue of a kept session holds may belong to a topic of an earlier configuration.
      if (packet.cmd !== 'publish' || packet.topic !== subscribe.topic) {
        done()
        return
      }
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      subscribe
        .arrived({
          topic: packet.topic,
          payload,
          packet: packet.qos === 0 ? undefined : packet.messageId,
          again: packet.dup,
          retained: packet.retain,
        })
        .then(
          () => {
            if (!socket.destroyed) done()
          },
          // Not called back, it is not acknowledged; the end of the connection is what makes the broker send it again.
          (error: unknown) => cut(errorText(error)),
        )
    }
  }
  client.on('error', (error) => cut(errorText(error)))
  socket.on('error', (error) => cut(errorText(error)))
  socket.once('close', () => {
    clearTimeout(deadline)
    client.end(true)
    events.ended(why || `closed by ${broker.host}`)
  })
  return { client, cut }
}

function open({ broker, ca }: BrokerOptions): Socket {
  const { host, port, tls } = broker
  if (!tls) return connectTcp({ host, port })
  // An address is no name that a server could be asked for (RFC 6066 section 3).
  const servername = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ host, port, ...servername, ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2' })
}

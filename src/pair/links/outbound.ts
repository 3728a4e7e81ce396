/**
 * A client of another member's broker, over one of its addresses. It is made anew for every attempt, so nothing of a
 * dead connection lives on; mqtt.js has neither back-off nor jitter, so both are here.
 *
 * TCP alone keeps a cut connection for minutes and sends again ever later: after three seconds of silence the next
 * try may be three seconds away. So a connection over which nothing came for `silence` ms is given up and another one
 * is tried, with a deadline of its own for TCP (the kernel answers it, however busy the member is) and for the rest.
 */
import { connect, type TLSSocket } from 'node:tls'
// Not from 'mqtt': the guard does without proxies and web sockets, which take 2 MB.
import mqtt from 'mqtt/lib/client'
import { errorText } from '#core/errors.ts'
import { parseAddress } from './address.ts'
import type { Identity, LinkMember, LinksOptions } from './contract.ts'
import { PROTOCOL, shownFingerprint } from './door.ts'
import { frameBound } from './frame-bound.ts'
import { LONGEST_KEEPALIVE_S, type Path } from './inbound.ts'
import type { Refuse } from './refusals.ts'

const FIRST_RETRY_MS = 50
/** After an attempt that reached the member and failed there: each costs both sides a handshake. */
const REFUSED_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

export interface Timing {
  /** For TCP alone, ms. */
  connect: number
  /** Until the member's broker has answered, ms. */
  ready: number
  /** The longest span between two attempts, ms. */
  retry: number
  /** MQTT, seconds. */
  keepalive: number
  /** A connection over which nothing came for so long is given up, ms; absent: MQTT's keepalive alone decides. */
  silence?: number
}

/** @param interval as LinksOptions.interval, ms */
export function timing(interval: number, silence: number | undefined): Timing {
  const within = (value: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, value))
  return {
    connect: within(interval * 4, 500, 5_000),
    ready: within(interval * 8, 3_000, 10_000),
    retry: within(interval * 2, 250, LONGEST_RETRY_MS),
    keepalive: within(Math.ceil((interval * 4) / 1000), 2, LONGEST_KEEPALIVE_S),
    ...(silence !== undefined && { silence }),
  }
}

export interface OutboundOptions extends Pick<LinksOptions, 'node' | 'largest' | 'log'> {
  identity: Identity
  member: LinkMember
  address: string
  timing: Timing
  refuse: Refuse
  onOpen(path: Path): void
  onClosed(path: Path): void
  onMessage(from: string, topic: string, payload: Buffer, path: string): void
}

export interface Outbound {
  close(): void
}

export function connectOut(options: OutboundOptions): Outbound {
  const { timing: times, address, log } = options
  const { node } = options.member
  let attempts = 0
  let closed = false
  let current: { cut(): void } | undefined
  let retry: NodeJS.Timeout | undefined

  function again(reached: boolean): void {
    if (closed) return
    const most = Math.max(times.retry, reached ? REFUSED_RETRY_MS : 0)
    const span = Math.min(most, FIRST_RETRY_MS * 2 ** Math.min(attempts++, 10))
    retry = setTimeout(attempt, span * (0.5 + Math.random() / 2))
  }

  function attempt(): void {
    const began = performance.now()
    current = connectOnce(options, {
      onReady: () => log('debug', { node, address, ms: Math.round(performance.now() - began) }, 'connected'),
      onEnded(ended) {
        current = undefined
        if (ended.lived > times.retry) attempts = 0
        if (attempts === 0) log('debug', { node, address, reason: ended.reason }, 'connection ended')
        again(ended.reached)
      },
    })
  }
  attempt()
  return {
    close() {
      closed = true
      clearTimeout(retry)
      current?.cut()
    },
  }
}

interface Ended {
  reason: string
  /** ms as an open path. */
  lived: number
  /** The member's TCP answered. */
  reached: boolean
}

function connectOnce(
  options: OutboundOptions,
  events: { onReady(): void; onEnded(ended: Ended): void },
): { cut(): void } {
  const { node: self, identity, member, address, timing: times, largest, refuse } = options
  const target = parseAddress(address)
  let reason = target ? '' : `${address} is not host:port`
  let reached = false
  let opened: number | undefined
  const bound = frameBound(largest)

  const socket: TLSSocket = connect({
    host: target?.host ?? 'invalid.',
    port: target?.port ?? 0,
    cert: identity.certificate,
    key: identity.key,
    // As in door.ts: or Node loads every authority it knows.
    ca: identity.certificate,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [PROTOCOL],
    // Not by authorities, names and dates: by the fingerprint, below.
    rejectUnauthorized: false,
  })
  socket.setNoDelay(true)
  const cut = (why: string): void => {
    reason ||= why
    socket.destroy()
  }
  const deadline = setTimeout(() => cut('no answer in time'), times.ready)
  const tcpDeadline = setTimeout(() => cut('no connection in time'), times.connect)
  socket.once('connect', () => {
    reached = true
    clearTimeout(tcpDeadline)
  })
  let trusted = false
  socket.once('secureConnect', () => {
    const shown = shownFingerprint(socket)
    trusted = shown === member.fingerprint
    if (trusted) return
    refuse(
      address,
      'unknown-certificate',
      `${address} shows another certificate (${shown}) than ${member.node} has`,
    )
    cut('another certificate')
  })
  let heard = 0
  socket.on('data', (chunk) => {
    heard = performance.now()
    if (!bound.take(chunk)) cut('a packet that is too large')
  })

  const client = new mqtt.default(() => socket, {
    protocolVersion: 4,
    clientId: `${self}/${address}`,
    clean: true,
    keepalive: times.keepalive,
    // A ping goes out however much is sent: only an answer tells that the member hears it.
    reschedulePings: false,
    reconnectPeriod: 0,
    reconnectOnConnackError: true,
    connectTimeout: times.ready,
    resubscribe: false,
    queueQoSZero: false,
  })
  const path: Path = {
    node: member.node,
    name: address,
    send: (topic, payload) => client.publish(`from/${self}/${topic}`, payload, { qos: 0 }, () => {}),
    waiting: () => socket.writableLength,
    cut: () => cut('cut'),
  }
  const prefix = `to/${self}/`
  client.on('connect', () => {
    client.subscribe(`${prefix}#`, { qos: 0 }, (error) => {
      if (error || !trusted) {
        cut(error ? errorText(error) : 'not trusted')
        return
      }
      clearTimeout(deadline)
      opened = performance.now()
      events.onReady()
      options.onOpen(path)
    })
  })
  client.on('message', (topic, payload) => {
    if (!trusted || !topic.startsWith(prefix) || payload.length > largest) return
    options.onMessage(member.node, topic.slice(prefix.length), payload, address)
  })
  client.on('error', (error) => cut(errorText(error)))
  const silence = times.silence
  const watch =
    silence === undefined
      ? undefined
      : setInterval(() => {
          if (opened !== undefined && performance.now() - Math.max(heard, opened) > silence) cut('silent')
        }, silence / 4)
  socket.once('close', () => {
    clearTimeout(deadline)
    clearTimeout(tcpDeadline)
    clearInterval(watch)
    client.end(true)
    if (opened !== undefined) options.onClosed(path)
    events.onEnded({
      reason: reason || 'closed by the member',
      lived: opened === undefined ? 0 : performance.now() - opened,
      reached,
    })
  })
  return { cut: () => cut('no longer wanted') }
}

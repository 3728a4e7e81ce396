/**
 * The broker of a member: what the other members' clients publish here arrives, and what this member says goes out to
 * them over the same connections. aedes does the MQTT; this file binds topics to certificates: a member publishes on
 * `from/<itself>/…` and hears `to/<itself>/…`, and nothing else exists. Sessions are clean and QoS is 0, so aedes
 * keeps nothing of anybody.
 */
import type { TLSSocket } from 'node:tls'
import { Aedes, type Client, type Connection } from 'aedes'
import { errorText } from '#core/errors.ts'
import { addressText, plainAddress } from './address.ts'
import type { LinksOptions } from './contract.ts'
import { frameBound } from './frame-bound.ts'

const CONNECT_MS = 5_000
/** A client of another member whose socket takes nothing for so long is cut off. */
const DRAIN_MS = 10_000
/** Members may have different profiles, so this is the longest of any. */
export const LONGEST_KEEPALIVE_S = 3_600
const MOST_OF_ONE_MEMBER = 8

/** One connection to another member, in either direction. */
export interface Path {
  readonly node: string
  /** Names this connection; also shown to people. */
  readonly name: string
  send(topic: string, payload: Buffer): void
  /** Bytes that wait in this process. */
  waiting(): number
  cut(): void
}

export interface InboundOptions extends Pick<LinksOptions, 'largest' | 'log'> {
  onOpen(path: Path): void
  onClosed(path: Path): void
  onMessage(from: string, topic: string, payload: Buffer, path: string): void
}

export interface Inbound {
  /** Serves MQTT on the connection of a member that has proved who it is. */
  serve(node: string, socket: TLSSocket): void
  /** Ends every connection of a member. */
  cut(node: string): void
  close(): Promise<void>
}

export async function openInbound(options: InboundOptions): Promise<Inbound> {
  const { largest, log, onMessage, onOpen, onClosed } = options
  const sockets = new Map<Connection, string>()
  const paths = new Map<Client, Path>()
  const nodeOf = (client: Client | null): string | undefined =>
    client ? sockets.get(client.conn) : undefined

  const broker = await Aedes.createBroker({
    connectTimeout: CONNECT_MS,
    drainTimeout: DRAIN_MS,
    keepaliveLimit: LONGEST_KEEPALIVE_S,
    maxTopicLevels: 8,
    preConnect(client, packet, callback) {
      const node = nodeOf(client)
      // The same client identifier again is the same member's newer connection: aedes closes the old one.
      const known = node !== undefined && packet.clientId.startsWith(`${node}/`)
      callback(null, known && packet.clean === true && packet.will === undefined)
    },
    authenticate: (client, _name, _password, done) => done(null, nodeOf(client) !== undefined),
    authorizeSubscribe(client, subscription, callback) {
      const mine = `to/${nodeOf(client)}/#`
      callback(subscription.topic === mine ? null : new Error(`only ${mine}`), subscription)
    },
    authorizePublish(client, packet, callback) {
      const node = nodeOf(client)
      const prefix = `from/${node}/`
      const payload = Buffer.from(packet.payload)
      if (
        node === undefined ||
        !client ||
        !packet.topic.startsWith(prefix) ||
        packet.qos !== 0 ||
        packet.retain
      ) {
        callback(new Error('not allowed'))
        return
      }
      if (payload.length > largest) {
        callback(new Error('too large'))
        return
      }
      // Here and not after aedes has looked for subscribers: there are none, and this is in order of arrival.
      const path = paths.get(client)
      if (path) onMessage(node, packet.topic.slice(prefix.length), payload, path.name)
      callback(null)
    },
  })
  broker.on('subscribe', (_subscriptions, client) => {
    const node = nodeOf(client)
    const { conn } = client
    if (node === undefined || paths.has(client) || client.closed) return
    const path: Path = {
      node,
      name: `from ${client.id.slice(node.length + 1)}`,
      send: (topic, payload) =>
        client.publish(
          { cmd: 'publish', topic: `to/${node}/${topic}`, payload, qos: 0, dup: false, retain: false },
          () => {},
        ),
      waiting: () => conn.writableLength,
      cut: () => conn.destroy(),
    }
    paths.set(client, path)
    onOpen(path)
  })
  broker.on('clientDisconnect', (client) => {
    const path = paths.get(client)
    paths.delete(client)
    if (path) onClosed(path)
  })
  for (const event of ['clientError', 'connectionError'] as const)
    broker.on(event, (client, error) =>
      log('debug', { node: nodeOf(client), error: errorText(error) }, 'connection of a member ended'),
    )

  return {
    serve(node, socket) {
      const others = [...sockets.values()].filter((other) => other === node).length
      if (others >= MOST_OF_ONE_MEMBER) {
        log('warn', { node }, 'a member opened more connections than it needs')
        socket.destroy()
        return
      }
      sockets.set(socket, node)
      socket.on('close', () => sockets.delete(socket))
      const bound = frameBound(largest)
      const read = socket.read.bind(socket)
      // aedes takes what it reads as it comes, without a bound of its own on a packet.
      socket.read = (size?: number) => {
        const chunk: unknown = read(size)
        if (!Buffer.isBuffer(chunk) || bound.take(chunk)) return chunk
        log(
          'warn',
          {
            node,
            address: addressText({ host: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 }),
          },
          'a member announced a packet that is too large',
        )
        socket.destroy()
        return null
      }
      broker.handle(socket)
    },
    cut(node) {
      for (const [socket, owner] of sockets) if (owner === node) socket.destroy()
    },
    close: () => new Promise((resolve) => broker.close(() => resolve())),
  }
}

/**
 * The door of a member: a TLS 1.3 server that lets in whoever shows a pinned certificate, and hands the rest to the
 * pairing ceremony or away. Dates and names in certificates are not looked at; the fingerprint is the proof.
 *
 * Connections are bounded in number, and those that have proved nothing yet also for each address, so that one host
 * that knocks without end cannot keep members out.
 */
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Listen } from '#config/types.ts'
import { allowList, plainAddress } from './address.ts'
import type { LinksOptions } from './contract.ts'
import type { Refuse } from './refusals.ts'

/** RFC 7301 application protocols. */
export const PROTOCOL = 'mqtt'
export const JOIN_PROTOCOL = 'twinline-join/1'

const MOST_CONNECTIONS = 128
const MOST_UNPROVEN_OF_ONE_ADDRESS = 8
const HANDSHAKE_MS = 5_000

export interface DoorOptions
  extends Pick<LinksOptions, 'identity' | 'listen' | 'allow' | 'onJoin' | 'removed' | 'log'> {
  /** @returns the member that has this certificate */
  memberOf(fingerprint: string): string | undefined
  onMember(node: string, socket: TLSSocket): void
  refuse: Refuse
}

export interface Door {
  readonly listening: Listen
  /** Stops listening and cuts every connection, also those of ceremonies. */
  close(): Promise<void>
}

/** SHA-256 of the certificate that the other side showed, hex in lower case. */
export function shownFingerprint(socket: TLSSocket): string | undefined {
  const shown = socket.getPeerX509Certificate()
  return shown && createHash('sha256').update(shown.raw).digest('hex')
}

export async function openDoor(options: DoorOptions): Promise<Door> {
  const { identity, listen, onJoin, removed, log, memberOf, onMember, refuse } = options
  const allowed = allowList(options.allow)
  const open = new Set<Socket>()
  /** Connections that have proved nothing yet: remote address and port, and the address alone. */
  const unproven = new Map<string, string>()

  const tls = createTlsServer({
    cert: identity.certificate,
    key: identity.key,
    // No authority vouches for members, and Node would load some 140 of them (7 MB) were there none here.
    ca: identity.certificate,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Not by authorities and dates: by the fingerprint, below.
    rejectUnauthorized: false,
    ALPNProtocols: [PROTOCOL, JOIN_PROTOCOL],
    handshakeTimeout: HANDSHAKE_MS,
  })
  tls.on('tlsClientError', (error, socket) => {
    log(
      'debug',
      { address: plainAddress(socket.remoteAddress), error: error.message },
      'TLS handshake failed',
    )
    socket.destroy()
  })
  tls.on('secureConnection', (socket) => {
    const address = plainAddress(socket.remoteAddress)
    socket.on('error', (error) =>
      log('debug', { address, error: error.message }, 'connection of a member failed'),
    )
    if (socket.alpnProtocol === JOIN_PROTOCOL && onJoin) {
      onJoin(socket)
      return
    }
    const fingerprint = shownFingerprint(socket)
    const node = fingerprint === undefined ? undefined : memberOf(fingerprint)
    if (socket.alpnProtocol === PROTOCOL && node !== undefined) {
      unproven.delete(`${socket.remoteAddress} ${socket.remotePort}`)
      onMember(node, socket)
      return
    }
    if (node === undefined) refuseStranger(address, fingerprint)
    socket.destroy()
  })

  function refuseStranger(address: string, fingerprint: string | undefined): void {
    if (fingerprint === undefined) {
      refuse(address, 'unknown-certificate', `${address} showed no certificate`)
      return
    }
    const gone = removed?.(fingerprint)
    const shown = `${address} showed a certificate (${fingerprint}) that`
    if (gone === undefined) refuse(address, 'unknown-certificate', `${shown} belongs to no member`)
    else
      refuse(address, 'pair-member-removed', `${shown} belongs to ${gone}, which was removed from the pair`)
  }

  const server = createServer({ noDelay: true }, (socket) => {
    const address = plainAddress(socket.remoteAddress)
    if (!allowed(address)) {
      refuse(address, 'sync-not-allowed', `${address} is not in pair.allow.sync`)
      socket.destroy()
      return
    }
    const before = [...unproven.values()].filter((other) => other === address).length
    if (before >= MOST_UNPROVEN_OF_ONE_ADDRESS) {
      refuse(address, 'too-many-connections', `${address} opened more connections than it proved itself on`)
      socket.destroy()
      return
    }
    const key = `${socket.remoteAddress} ${socket.remotePort}`
    unproven.set(key, address)
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      open.delete(socket)
      unproven.delete(key)
    })
    tls.emit('connection', socket)
  })
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: listen.host, port: listen.port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => log('warn', { error: error.message }, 'cannot accept a connection'))
  const bound = server.address()
  return {
    listening: { host: listen.host, port: typeof bound === 'object' && bound ? bound.port : listen.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/**
 * Sockets: plain, TLS and the local one, each a bounded node:http server with deadlines against clients that never
 * finish a request. All of them hand their requests to one handler.
 */
import { unlink } from 'node:fs/promises'
import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net'
import type { Listen } from '#config/types.ts'
import { CodedError, errorText } from '#core/errors.ts'
import { LONGEST_BODY_MS, pace } from './body-pace.ts'
import { Problem, problemText } from './problems.ts'
import { problemMediaType } from './schemas.ts'

/** Connections of one listener; more are closed at once. */
const CONNECTIONS = 512
/** Nothing came or went on a connection for this long, ms. Longer than any answer takes. */
const IDLE_MS = 60_000
const STOP_MS = 5_000
const LAST_WORD_MS = 1_000
/** As node:http calls it. */
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'

const options: ServerOptions = {
  // From the first byte of a request (or the connection) to the end of its headers, and of its body, whatever it is.
  headersTimeout: 5_000,
  requestTimeout: LONGEST_BODY_MS,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
  noDelay: true,
}

/** Requests that never became one: too slow, too long, not HTTP. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const problem =
    error.code === TOO_SLOW
      ? new Problem(408, 'request-timeout', 'the request did not arrive in time')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? new Problem(431, 'headers-too-large', 'the headers are too long')
        : new Problem(400, 'malformed-request', 'this is not a valid HTTP request')
  const body = problemText(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\nConnection: close\r\nContent-Type: ${problemMediaType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** The body of a request does not come to its end. */
function cutOff(socket: Socket, response: ServerResponse): void {
  if (response.headersSent) {
    socket.destroy()
    return
  }
  refuseConnection(Object.assign(new Error('too slow'), { code: TOO_SLOW }), socket)
  // Its client may see why before the rest of what it sends is answered by a reset.
  setTimeout(() => socket.destroy(), LAST_WORD_MS).unref()
}

/** What a listener can do besides listening. */
type Equipment = Pick<Listener, 'close' | 'reset'>

/**
 * Bounds a server, gives it its handler, and returns what closes it: it takes no more connections, lets running
 * requests end within 5 s and cuts all the rest. (node:http alone would wait for connections that never said a word.)
 */
function equip(server: Server, handler: RequestListener): Equipment {
  server.maxConnections = CONNECTIONS
  // Otherwise node:http ends the connection under a client that has closed its half after the request: its message is
  // accepted, and it never learns so. (As old as node:http and read at each end, though its types do not name it.)
  Object.assign(server, { httpAllowHalfOpen: true })
  server.timeout = IDLE_MS
  server.on('clientError', refuseConnection)
  // Kept here because node:http does not know a connection before its TLS handshake is over.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  let running = 0
  let stopping = false
  server.on('request', (request, response) => {
    running += 1
    if (stopping) response.shouldKeepAlive = false
    response.once('close', () => {
      running -= 1
      if (stopping && running === 0) cut()
    })
    pace(request, response, () => cutOff(request.socket, response))
    handler(request, response)
  })
  return {
    async close() {
      stopping = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if (running === 0) cut()
      const deadline = setTimeout(cut, STOP_MS)
      await closed
      clearTimeout(deadline)
    },
    reset(address) {
      for (const socket of sockets) {
        // A socket for both families shows an IPv4 address behind this prefix (RFC 4291 2.5.5.2).
        if (socket.localAddress?.replace(/^::ffff:/, '') === address) socket.resetAndDestroy()
      }
    },
  }
}

/** @param where the configuration key and what it says, for the error */
export async function bind(server: NetServer, where: Listen | { path: string }, key: string): Promise<void> {
  const named = 'path' in where ? where.path : `${where.host}:${where.port}`
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const [code, why] =
        error.code === 'EADDRINUSE'
          ? ['address-in-use', `${named} is already in use by another program`]
          : error.code === 'EACCES'
            ? ['address-forbidden', `this user may not listen at ${named}`]
            : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
              ? ['address-unknown', `${named} is not an address of this machine`]
              : ['address-failed', `cannot listen at ${named}: ${errorText(error)}`]
      reject(new CodedError(code, `${key}: ${why}`, { field: key, cause: error }))
    })
    server.listen(where, resolve)
  })
  server.removeAllListeners('error')
}

function url(scheme: string, server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

export interface Listener {
  /** Where it can be reached, the port resolved. */
  address: string
  close(): Promise<void>
  /**
   * Resets every connection to one of this machine's addresses, so that clients know at once that it is gone from
   * here; without that an idle client never would.
   */
  reset(address: string): void
}

export async function listenPlain(listen: Listen, handler: RequestListener): Promise<Listener> {
  const server = createServer(options)
  const equipment = equip(server, handler)
  await bind(server, listen, 'http.listen')
  return { ...equipment, address: url('http', server) }
}

/** @throws CodedError when the certificate and the key are not a pair, or not PEM */
export async function listenTls(
  listen: Listen,
  pem: { certificate: string; key: string },
  handler: RequestListener,
): Promise<Listener> {
  let server: Server
  try {
    const tls = {
      cert: pem.certificate,
      key: pem.key,
      minVersion: 'TLSv1.2',
    } as const
    server = createTlsServer({ ...options, ...tls, handshakeTimeout: 10_000 })
  } catch (error) {
    throw new CodedError(
      'certificate-invalid',
      `https: certificate and key do not work: ${errorText(error)}`,
      {
        field: 'https.certificate',
        cause: error,
      },
    )
  }
  const equipment = equip(server, handler)
  await bind(server, listen, 'https.listen')
  return { ...equipment, address: url('https', server) }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/**
 * A socket file that only this user may open. What a killed process left behind is replaced; a living one is not.
 * @param local told of every connection, so that its requests can be known
 */
export async function listenLocal(
  path: string,
  handler: RequestListener,
  local: WeakSet<Socket>,
): Promise<Listener> {
  if (await answers(path)) {
    throw new CodedError(
      'address-in-use',
      `${path} is in use: this data directory belongs to a running appliance`,
      {
        field: 'data',
      },
    )
  }
  await unlink(path).catch(() => {})
  const server = createServer(options)
  const equipment = equip(server, handler)
  server.on('connection', (socket) => local.add(socket))
  // The file is made while listen() runs, so nobody can open it before it is ours alone.
  const mask = process.umask(0o177)
  const bound = bind(server, { path }, 'data')
  process.umask(mask)
  await bound
  return { ...equipment, address: path }
}

/**
 * One HTTP request to an appliance, over TCP, TLS or its local socket, and an honest word about how it ended: whether
 * the request can have had an effect is decided by whether any byte of it left this process.
 */
import { once } from 'node:events'
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { rootCertificates, TLSSocket } from 'node:tls'
import { errorText } from '#core/errors.ts'

export interface Target {
  /** As people know it: the URL, or the path of the local socket. */
  name: string
  where: { url: URL } | { socketPath: string }
  token: string | undefined
  /** PEM, trusted besides the well-known ones. */
  ca: string | undefined
  insecure: boolean
  /** ms, for the connection and then again for the answer. */
  timeoutMs: number
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /api/v1, beginning with a slash. */
  path: string
  /** JSON, unless the headers say what it is. */
  body?: string | Buffer
  headers?: Record<string, string>
  /** How much longer than usual the answer may take, ms. */
  patience?: number
}

export type Answer =
  | { result: 'answer'; status: number; body: unknown /** Of a redirect. */; location?: string }
  /** Nothing of the request left this process. */
  | { result: 'notSent'; reason: string; code: string | undefined }
  /** It was sent, or part of it, and no whole answer came. */
  | { result: 'unknown'; reason: string }

/** Larger than any answer of an appliance. */
const LARGEST_ANSWER = 64_000_000
/** Of a body, at a time. */
const PIECE_BYTES = 65_536

/** Never rejects. */
export function call(target: Target, { method, path, body, headers, patience = 0 }: Call): Promise<Answer> {
  const options: RequestOptions = {
    method,
    // The process ends after a few requests: a connection kept open would only delay that.
    agent: false,
    headers: {
      accept: 'application/json, application/problem+json',
      ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    },
  }
  let request: ClientRequest
  try {
    request = begin(target, `/api/v1${path}`, options)
  } catch (error) {
    return Promise.resolve({ result: 'notSent', reason: errorText(error), code: undefined })
  }
  return finish(request, target.timeoutMs, target.timeoutMs + patience, body)
}

/** @param path whole, from /api on @throws when the target cannot be written as a request */
export function begin(target: Target, path: string, options: RequestOptions): ClientRequest {
  const { where } = target
  if ('socketPath' in where) return httpRequest({ ...options, socketPath: where.socketPath, path })
  const { url } = where
  const base = url.pathname.replace(/\/$/, '')
  const whole = {
    ...options,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${base}${path}`,
  }
  if (url.protocol === 'http:') return httpRequest(whole)
  return httpsRequest({
    ...whole,
    rejectUnauthorized: !target.insecure,
    ...(target.ca === undefined ? {} : { ca: [...rootCertificates, target.ca] }),
  })
}

function finish(
  request: ClientRequest,
  timeoutMs: number,
  answerMs: number,
  body: string | Buffer | undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    let sent = false
    let timer = setTimeout(() => give(`no connection within ${timeoutMs} ms`), timeoutMs)

    function end(answer: Answer): void {
      clearTimeout(timer)
      resolve(answer)
      request.destroy()
    }
    function give(reason: string, code?: string): void {
      end(sent ? { result: 'unknown', reason } : { result: 'notSent', reason, code })
    }

    request.on('error', (error: NodeJS.ErrnoException) => give(plain(error), error.code))
    request.on('close', () => give('the connection ended before the answer'))
    request.on('socket', (socket: Socket) => {
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
        sent = true
        // Only now: what is written before would leave as soon as the connection stands, before we know of it.
        // What goes wrong meanwhile shows as an event of the request.
        send(request, body, () => {
          clearTimeout(timer)
          timer = setTimeout(() => give(`no answer within ${answerMs} ms`), answerMs)
        }).catch(() => {})
      })
    })
    request.on('response', (response) => {
      read(response).then(
        (text) => {
          const { location } = response.headers
          const answer = { result: 'answer', status: response.statusCode ?? 0, body: parsed(text) } as const
          end(location === undefined ? answer : { ...answer, location })
        },
        (error) => give(errorText(error)),
      )
    })
  })
}

/** @param moved told at first and whenever a piece has left: a slow line that brings something over is no dead one */
async function send(
  request: ClientRequest,
  body: string | Buffer | undefined,
  moved: () => void,
): Promise<void> {
  moved()
  const bytes = Buffer.from(body ?? '')
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (!request.write(bytes.subarray(at, at + PIECE_BYTES))) await once(request, 'drain')
    moved()
  }
  request.end()
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > LARGEST_ANSWER) throw new Error('the answer is too long')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}

/** @returns undefined when the text is not JSON: then it was no appliance that answered */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function plain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'nothing listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'this name has no address'
    case 'ENOENT':
      return 'it is not running'
    case 'ECONNRESET':
      return 'the connection was cut'
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'EPROTO':
      return 'no TLS is spoken there (for plain HTTP write http:// before the host)'
    case 'EACCES':
      return 'this user may not use its local socket'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'its certificate is not one we trust (--ca FILE names the one to trust)'
    default:
      return error.message
  }
}

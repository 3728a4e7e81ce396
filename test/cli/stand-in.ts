/** A server in an appliance's place that answers as it is told and keeps what it was asked. */
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Asked {
  method: string
  path: string
  key: string | undefined
  authorization: string | undefined
  body: unknown
}

/** A status and a body, or what else may happen to a request. */
export type Reply =
  | { status: number; body: unknown; location?: string }
  /** The connection ends with the request in hand. */
  | 'hangUp'
  /** No answer ever. */
  | 'silent'

export interface StandIn {
  url: string
  asked: Asked[]
}

type Decide = (asked: Asked) => Reply

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  asked: Asked[],
  decide: Decide,
): Promise<void> {
  const body = await text(request)
  const one: Asked = {
    method: request.method ?? '',
    path: request.url ?? '',
    key: request.headers['idempotency-key']?.toString(),
    authorization: request.headers.authorization,
    body: body === '' ? undefined : JSON.parse(body),
  }
  asked.push(one)
  const reply = decide(one)
  if (reply === 'silent') return
  if (reply === 'hangUp') {
    request.socket.destroy()
    return
  }
  const { status, body: said, location } = reply
  const headers = { 'content-type': 'application/json', ...(location === undefined ? {} : { location }) }
  response.writeHead(status, headers).end(JSON.stringify(said))
}

export async function standIn(
  decide: Decide,
  options: { tls?: { cert: string; key: string }; path?: string } = {},
): Promise<StandIn> {
  const asked: Asked[] = []
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void handle(request, response, asked, decide)
  const server = options.tls ? createHttps(options.tls, listener) : createHttp(listener)
  await new Promise<void>((resolve) => {
    if (options.path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(options.path, resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const port = options.path === undefined ? (server.address() as AddressInfo).port : 0
  return { url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`, asked }
}

/** An address where nothing listens. */
export async function closedUrl(): Promise<string> {
  const server = createTcp()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

/** A server that takes connections and never reads or says a word. */
export async function muteUrl(scheme: 'http' | 'https'): Promise<string> {
  const server = createTcp((socket) => {
    onTestFinished(() => {
      socket.destroy()
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

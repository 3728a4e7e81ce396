/**
 * A lean HTTP client for load: raw sockets with keep-alive, one request under way on each, loopback and laboratory only. Leaner than
 * a client library, so that on a small machine the figure is the server's.
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

export interface Load {
  accepted: number
  refused: number
  /** First request to last answer, seconds. */
  wallS: number
  /** Latency of each request, ms. */
  latencies: number[]
}

/**
 * Posts messages until `count` are answered or the time is over.
 * @param body makes the body of request n
 */
export async function postMessages(
  address: string,
  token: string,
  options: { connections: number; count: number; withinMs: number; body: (n: number) => object },
): Promise<Load> {
  const { hostname, port } = new URL(address)
  if (!/^(127\.0\.0\.1|10\.77\.0\.[0-9]+)$/.test(hostname)) {
    throw new Error('load goes to the loopback or the laboratory only')
  }
  const load: Load = { accepted: 0, refused: 0, wallS: 0, latencies: [] }
  let next = 0
  const start = performance.now()
  const connectionLoop = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0
      let received = ''
      const post = () => {
        if (next >= options.count || performance.now() - start > options.withinMs) {
          socket.end()
          resolve()
          return
        }
        const body = JSON.stringify(options.body(next++))
        sentAt = performance.now()
        socket.write(
          `POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
      }
      socket.setEncoding('latin1')
      socket.on('data', (chunk: string) => {
        received += chunk
        const head = received.indexOf('\r\n\r\n')
        if (head < 0) return
        const length = Number(/content-length: ([0-9]+)/i.exec(received.slice(0, head))?.[1] ?? 0)
        if (received.length < head + 4 + length) return
        load.latencies.push(performance.now() - sentAt)
        if (received.startsWith('HTTP/1.1 202')) load.accepted += 1
        else load.refused += 1
        received = ''
        post()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
      post()
    })
  const sockets = Array.from({ length: options.connections }, () => {
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    return socket
  })
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))),
  )
  await Promise.all(sockets.map(connectionLoop))
  load.wallS = (performance.now() - start) / 1_000
  return load
}

export const alert = (n: number): object => ({
  to: [`+4915100${String(n % 100_000).padStart(5, '0')}`],
  text: `Alert ${n}: pump 3 in station 12 has stopped`,
  validity: '7d',
})

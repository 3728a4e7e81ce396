/** How long the body of a request may take: progress counts for uploads, half a minute for everything else. */
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { until } from '../../system/appliance.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

const SPAN_MS = 30_000
const PIECE = 'x'.repeat(70_000)

let appliance: Appliance
let socket: Socket
let heard = ''
/** Body bytes that the appliance has taken from the socket. */
let came = 0
let closed = false
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  heard = ''
  came = 0
  given = 0
  closed = false
  appliance = await startAppliance({}, { documents: { ...nobody, take: reading } })
  const { hostname, port } = new URL(appliance.base)
  socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.on('data', (data) => {
    heard += data
  })
})
afterEach(async () => {
  vi.useRealTimers()
  socket.destroy()
  await appliance.stop()
})

const nobody = {
  find: async () => undefined,
  picture: async () => undefined,
  pages: () => Promise.reject(new Error('not asked')),
  troubles: () => [],
}

async function reading(source: AsyncIterable<Uint8Array>) {
  for await (const chunk of source) came += chunk.length
  return { result: 'refused', status: 422, code: 'document-empty', text: 'read to its end' } as const
}

const form = '--x\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\n'

/** The head of a request whose body never comes to its end by itself. */
async function begin(type: string, authorization?: string): Promise<void> {
  const bearer = authorization ?? (await appliance.bearer('send'))
  socket.write(
    `POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer}\r\nContent-Type: ${type}\r\nContent-Length: 50000000\r\n\r\n`,
  )
}

/** Of body bytes that were given to the socket. */
let given = 0

async function bring(text: string): Promise<void> {
  given += text.length
  socket.write(text)
  // The parser holds back what may be the beginning of a boundary.
  await until(() => came > given - 1_000, `the appliance has read it`)
}

test('an upload takes minutes as long as it makes progress, and is answered at its end', async () => {
  await begin('multipart/form-data; boundary=x')
  await bring(form + PIECE)
  for (let span = 0; span < 10; span += 1) {
    vi.advanceTimersByTime(SPAN_MS)
    await bring(PIECE)
  }
  expect(heard).toBe('')
  socket.write(`\r\n--x--\r\n${' '.repeat(50_000_000 - form.length - 11 * PIECE.length - 9)}`)
  await until(() => /^HTTP\/1\.1 422 .*read to its end/s.test(heard), 'it is answered')
})

test('one that brings next to nothing in half a minute is ended', async () => {
  await begin('multipart/form-data; boundary=x')
  await bring(form + PIECE)
  vi.advanceTimersByTime(SPAN_MS)
  socket.write('a few bytes')
  vi.advanceTimersByTime(SPAN_MS)
  await until(() => closed, 'the connection has ended')
  expect(heard).toMatch(/^HTTP\/1\.1 408 .*"code":"request-timeout"/s)
})

test('none takes more than half an hour', async () => {
  await begin('multipart/form-data; boundary=x')
  await bring(form + PIECE)
  for (let span = 0; span < 59; span += 1) {
    vi.advanceTimersByTime(SPAN_MS)
    await bring(PIECE)
  }
  expect(heard).toBe('')
  vi.advanceTimersByTime(SPAN_MS)
  await until(() => closed, 'the connection has ended')
  expect(heard).toMatch(/^HTTP\/1\.1 408 /)
})

test('any other body is whole after half a minute, or never', async () => {
  await begin('application/json')
  socket.write(`{"text":"${PIECE}`)
  // The appliance has taken up the request.
  await until(() => vi.getTimerCount() > 0, 'the request is known')
  vi.advanceTimersByTime(SPAN_MS)
  await until(() => closed, 'the connection has ended')
  expect(heard).toMatch(/^HTTP\/1\.1 408 /)
})

test('whoever was refused at once is not listened to for longer', async () => {
  await begin('multipart/form-data; boundary=x', 'Bearer none')
  await until(() => heard.startsWith('HTTP/1.1 401 '), 'it is refused')
  socket.write(form + PIECE)
  vi.advanceTimersByTime(SPAN_MS)
  await until(() => closed, 'the connection has ended')
})

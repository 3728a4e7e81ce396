/** Sockets as they are: TLS, the control socket, busy ports, slow clients, stopping. */
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, expect, test } from 'vitest'
import { localSocketPath } from '#core/local-socket.ts'
import { startAppliance } from './stand-ins.ts'

const loopback = { host: '127.0.0.1', port: 0 }
const made: string[] = []
async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'http-'))
  made.push(path)
  return path
}
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))))

/** A request with node's own client, for what fetch cannot do. */
function ask(options: RequestOptions, secure = false): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    request.on('error', reject)
    request.end()
  })
}

test('TLS with a certificate of its own, made once, kept private, valid for its names', async () => {
  const data = await directory()
  const first = await startAppliance({ data, https: { listen: loopback } })
  const certificate = await readFile(join(data, 'https-certificate.pem'), 'utf8')
  const [, address = ''] = first.addresses
  expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  const trusted = {
    host: '127.0.0.1',
    port: new URL(address).port,
    path: '/healthz',
    ca: certificate,
    agent: false as const,
  }
  // Verified by node's TLS against both an address and a name of this machine.
  expect(await ask(trusted, true)).toEqual({ status: 200, text: 'OK\n' })
  expect(await ask({ ...trusted, servername: 'localhost' }, true)).toEqual({ status: 200, text: 'OK\n' })
  await expect(ask({ ...trusted, ca: [] }, true)).rejects.toThrow(/self-signed/)

  const parsed = new X509Certificate(certificate)
  expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(parsed.subject).toBe('CN=alpha')
  expect(new Date(parsed.validTo).getUTCFullYear()).toBe(9999)
  expect(((await stat(join(data, 'https-key.pem'))).mode & 0o777).toString(8)).toBe('600')
  expect(((await stat(join(data, 'https-certificate.pem'))).mode & 0o777).toString(8)).toBe('600')

  const old = connectTls({
    host: '127.0.0.1',
    port: Number(trusted.port),
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1.1',
    rejectUnauthorized: false,
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  expect(await once(old, 'error')).toHaveLength(1)

  await first.stopKeeping()
  const second = await startAppliance({ data, https: { listen: loopback } })
  expect(await readFile(join(data, 'https-certificate.pem'), 'utf8')).toBe(certificate)
  await second.stop()
})

test('TLS with given files, and a word about each way they can be wrong', async () => {
  const data = await directory()
  const maker = await startAppliance({ data, https: { listen: loopback } })
  await maker.stopKeeping()
  const certificate = join(data, 'https-certificate.pem')
  const key = join(data, 'https-key.pem')

  const given = await startAppliance({ https: { listen: loopback, certificate, key } })
  const agent = new Agent({ ca: await readFile(certificate, 'utf8') })
  const port = new URL(given.addresses[1] ?? '').port
  expect((await ask({ host: '127.0.0.1', port, path: '/healthz', agent }, true)).status).toBe(200)
  agent.destroy()
  await given.stop()

  const wrong = join(data, 'wrong.pem')
  await writeFile(wrong, 'no certificate')
  await expect(
    startAppliance({ data, https: { listen: loopback, certificate: wrong, key } }),
  ).rejects.toMatchObject({
    code: 'certificate-invalid',
    field: 'https.certificate',
  })
  await expect(
    startAppliance({ data, https: { listen: loopback, certificate, key: join(data, 'none') } }),
  ).rejects.toMatchObject({ code: 'certificate-unreadable', field: 'https.key' })
  await expect(startAppliance({ data, https: { listen: loopback, certificate } })).rejects.toMatchObject({
    code: 'certificate-incomplete',
    field: 'https.key',
  })
})

test.each(['short', join('d'.repeat(60), 'e'.repeat(60))])(
  'the control socket may do everything without a token and is ours alone: %.10s',
  async (below) => {
    const data = join(await directory(), below)
    await mkdir(data, { recursive: true })
    const appliance = await startAppliance({ data })
    const socketPath = localSocketPath(data)
    expect(await ask({ socketPath, path: '/api/v1/tokens' })).toMatchObject({ status: 200 })
    expect(await ask({ socketPath, path: '/api/v1/status' })).toMatchObject({ status: 200 })
    expect((await stat(join(data, 'control.sock'))).mode & 0o777).toBe(0o600)
    await appliance.stopKeeping()
    await expect(stat(join(data, 'control.sock'))).rejects.toThrow('ENOENT')
  },
)

test('a control socket left by a killed process is replaced, that of a living one is not', async () => {
  const data = await directory()
  // A process of its own that listens and is killed, so that the file stays behind.
  const child = execFile(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${JSON.stringify(join(data, 'control.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  await once(child, 'exit')
  expect((await stat(join(data, 'control.sock'))).isSocket()).toBe(true)
  const appliance = await startAppliance({ data })
  await expect(startAppliance({ data })).rejects.toMatchObject({ code: 'address-in-use', field: 'data' })
  expect(await ask({ socketPath: join(data, 'control.sock'), path: '/api/v1/status' })).toMatchObject({
    status: 200,
  })
  await appliance.stop()
})

test('a busy port is named, and nothing stays open', async () => {
  const data = await directory()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const listen = { host: '127.0.0.1', port }
  await expect(startAppliance({ data, http: { listen } })).rejects.toMatchObject({
    code: 'address-in-use',
    field: 'http.listen',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  })
  await expect(startAppliance({ data, https: { listen } })).rejects.toMatchObject({ field: 'https.listen' })
  await expect(stat(join(data, 'control.sock'))).rejects.toThrow('ENOENT')
  await expect(
    startAppliance({ data, http: { listen: { host: '192.0.2.1', port: 0 } } }),
  ).rejects.toMatchObject({
    code: 'address-unknown',
  })
  other.close()
})

test('IPv6 addresses are written as URLs', async () => {
  const appliance = await startAppliance({ http: { listen: { host: '::1', port: 0 } } })
  expect(appliance.base).toMatch(/^http:\/\/\[::1\]:\d+$/)
  expect((await fetch(`${appliance.base}/healthz`)).status).toBe(200)
  await appliance.stop()
})

test('stopping answers what is under way, refuses what is new and does not wait for idle connections', async () => {
  const appliance = await startAppliance({ http: { listen: loopback }, https: { listen: loopback } })
  for (const address of appliance.addresses) {
    const { hostname, port } = new URL(address)
    const silent = connect(Number(port), hostname)
    silent.on('error', () => {})
    await once(silent, 'connect')
  }
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const submit = appliance.dispatch.submit.bind(appliance.dispatch)
  const reached = new Promise<void>((resolve) => {
    appliance.dispatch.submit = async (request) => {
      resolve()
      await held
      return submit(request)
    }
  })
  const answer = appliance.call('POST', '/api/v1/messages', { to: ['1'], text: 'x' })
  await reached
  const stopped = appliance.stop()
  await expect(fetch(`${appliance.base}/healthz`)).rejects.toThrow()
  const released = performance.now()
  release()
  expect((await answer).status).toBe(202)
  await stopped
  // 5 s is what it waits for requests; none is left, and the connection that never asked does not count.
  expect(performance.now() - released).toBeLessThan(4_000)
})

test('a client that never finishes its headers is cut off', { timeout: 40_000 }, async () => {
  const appliance = await startAppliance()
  const { hostname, port } = new URL(appliance.base)
  const socket = connect(Number(port), hostname)
  const drip = setInterval(() => socket.write('X: y\r\n'), 500)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n')
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  socket.on('error', () => {})
  await once(socket, 'close')
  clearInterval(drip)
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(text).toContain('"code":"request-timeout"')
  await appliance.stop()
})

test('connections to an address that leaves the machine are reset at once, all others stay', async () => {
  const started = await startAppliance({ http: { listen: { host: '0.0.0.0', port: 0 } } })
  const port = Number(new URL(started.addresses[0] ?? '').port)
  const open = async (host: string) => {
    const socket = connect({ host, port })
    await once(socket, 'connect')
    // Answered once, so that the server surely knows the connection.
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    return socket
  }
  const leaving = await open('127.0.0.2')
  const staying = await open('127.0.0.1')
  const [failure] = await Promise.all([once(leaving, 'error'), started.reset('127.0.0.2')])
  expect(failure[0].code).toBe('ECONNRESET')
  staying.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(staying, 'data')
  staying.destroy()
  await started.stop()
})

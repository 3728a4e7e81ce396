import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localSocketPath } from '#core/local-socket.ts'

/** Listens at one computed path and connects to another, as two processes would. */
async function listenAndConnect(directory: string): Promise<string> {
  const server = createServer((socket) => socket.end('hello'))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(localSocketPath(directory), resolve)
  })
  expect(existsSync(join(directory, 'control.sock'))).toBe(true)
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(localSocketPath(directory))
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString()
    })
    socket.on('end', () => resolve(received))
    socket.on('error', reject)
  })
  await new Promise((resolve) => server.close(resolve))
  return text
}

test('a short data directory holds the socket under its own name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-'))
  expect(localSocketPath(directory)).toBe(join(directory, 'control.sock'))
  expect(await listenAndConnect(directory)).toBe('hello')
})

test('a data directory deeper than a socket address can say still serves', async () => {
  const directory = join(mkdtempSync(join(tmpdir(), 'twinline-')), 'd'.repeat(120), 'e'.repeat(120))
  mkdirSync(directory, { recursive: true })
  expect(localSocketPath(directory).length).toBeLessThan(60)
  expect(await listenAndConnect(directory)).toBe('hello')
})

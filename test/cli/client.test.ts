/** The one request of a command: a body that leaves slowly is no dead connection. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { call } from '../../src/cli/client.ts'

test('a body may take longer than the answer, as long as it gets on', async () => {
  async function read(request: IncomingMessage): Promise<number> {
    let bytes = 0
    let rested = 0
    for await (const chunk of request) {
      bytes += chunk.length
      if (bytes - rested < 2_000_000) continue
      rested = bytes
      await pause(200)
    }
    return bytes
  }
  const server = createServer((request, response) => {
    // Whoever gives up ends the request in the middle.
    read(request).then(
      (bytes) => response.end(JSON.stringify({ bytes })),
      () => {},
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const target = {
    name: 'slow',
    where: { url: new URL(`http://127.0.0.1:${port}`) },
    token: undefined,
    ca: undefined,
    insecure: false,
    timeoutMs: 2_500,
  }
  // 40 MB at 2 MB in 0.2 s are 4 s.
  const body = Buffer.alloc(40_000_000)
  expect(await call(target, { method: 'POST', path: '/x', body })).toEqual({
    result: 'answer',
    status: 200,
    body: { bytes: body.length },
  })
  expect(await call({ ...target, timeoutMs: 50 }, { method: 'POST', path: '/x', body })).toMatchObject({
    result: 'unknown',
  })
})

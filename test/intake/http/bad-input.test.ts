/** What is wrong gets a clear answer that names the field; nothing is half-done and nothing falls over. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Appliance, startAppliance } from './stand-ins.ts'

let appliance: Appliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.stop())

const good = { to: ['+49170'], text: 'x' }

describe('a message', () => {
  afterEach(async () => {
    expect(appliance.dispatch.requests.splice(0)).toEqual([])
    expect(appliance.errors).toEqual([])
  })

  test.each<[what: string, body: unknown, code: string, field: string | undefined]>([
    ['no body', undefined, 'wrong-type', undefined],
    ['an empty body', '', 'wrong-type', undefined],
    ['no JSON', '{"to":', 'malformed-json', undefined],
    ['a hundred thousand brackets', '['.repeat(100_000), 'malformed-json', undefined],
    ['a list', '[]', 'wrong-type', undefined],
    ['null', 'null', 'wrong-type', undefined],
    [
      'Latin-1',
      new Uint8Array([...Buffer.from('{"to":["1"],"text":"St\xf6rung"}', 'latin1')]),
      'not-utf8',
      undefined,
    ],
    ['half a surrogate pair', '{"to":["1"],"text":"a\\ud83d"}', 'malformed-text', 'text'],
    ['no recipients field', { text: 'x' }, 'missing-field', 'to'],
    ['no text', { to: ['1'] }, 'missing-field', 'text'],
    ['one recipient as text', { ...good, to: '+49170' }, 'wrong-type', 'to'],
    ['no recipient', { ...good, to: [] }, 'no-recipient', 'to'],
    ['a number as recipient', { ...good, to: ['1', '2', '3', 4] }, 'wrong-type', 'to[3]'],
    ['an empty recipient', { ...good, to: ['1', ''] }, 'invalid-recipient', 'to[1]'],
    ['an endless recipient', { ...good, to: ['1'.repeat(101)] }, 'invalid-recipient', 'to[0]'],
    [
      '100,000 recipients',
      { ...good, to: Array(100_000).fill('+491701234567') },
      'too-many-recipients',
      'to',
    ],
    ['an empty text', { ...good, text: '' }, 'empty-text', 'text'],
    ['a text that is none', { ...good, text: 7 }, 'wrong-type', 'text'],
    ['priority as text', { ...good, priority: '1' }, 'wrong-type', 'priority'],
    ['priority 4', { ...good, priority: 4 }, 'invalid-priority', 'priority'],
    ['priority 1.5', { ...good, priority: 1.5 }, 'wrong-type', 'priority'],
    ['an unknown channel', { ...good, channel: 'pigeon' }, 'unknown-channel', 'channel'],
    ['a span without unit', { ...good, validity: '30' }, 'invalid-validity', 'validity'],
    ['a span as number', { ...good, validity: 30 }, 'wrong-type', 'validity'],
    ['an endless span', { ...good, validity: `${'9'.repeat(13)}s` }, 'invalid-validity', 'validity'],
    ['an unknown wish', { ...good, onUnknown: 'pray' }, 'not-allowed', 'onUnknown'],
    ['flash as text', { ...good, flash: 'yes' }, 'wrong-type', 'flash'],
    ['an empty tag', { ...good, tag: '' }, 'invalid-tag', 'tag'],
    ['a long tag', { ...good, tag: 'x'.repeat(101) }, 'invalid-tag', 'tag'],
    ['a misspelt field', { ...good, prioirty: 1 }, 'unknown-field', 'prioirty'],
    ['__proto__', '{"to":["1"],"text":"x","__proto__":{"flash":true}}', 'unknown-field', '__proto__'],
    ['constructor', '{"to":["1"],"text":"x","constructor":{"prototype":1}}', 'unknown-field', 'constructor'],
  ])('with %s is 400', async (_what, body, code, field) => {
    const answer = await appliance.call('POST', '/api/v1/messages', body)
    expect(answer).toMatchObject({ status: 400, json: { status: 400, title: 'Bad Request', code } })
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(answer.json.field).toBe(field)
    expect(answer.json.detail).toContain(field ?? 'body')
  })

  test.each([
    ['too many recipients', { ...good, to: Array(60_001).fill('1') }, { most: 60_000 }],
    ['a long tag', { ...good, tag: 'x'.repeat(101) }, { most: 100 }],
    ['a wrong type', { ...good, text: 7 }, { type: 'string' }],
  ])('with %s is told with names and figures', async (_what, body, values) => {
    const { json } = await appliance.call('POST', '/api/v1/messages', body)
    expect(json).toMatchObject({ values })
  })

  test('of 10 MB is 413', async () => {
    const answer = await appliance.call('POST', '/api/v1/messages', { ...good, text: 'x'.repeat(10_000_000) })
    expect(answer).toMatchObject({ status: 413, json: { code: 'body-too-large' } })
  })

  test('of 10 MB is answered even to a client that sends all of it before it reads', async () => {
    const body = JSON.stringify({ ...good, text: 'x'.repeat(10_000_000) })
    const bearer = await appliance.bearer('send')
    const { hostname, port } = new URL(appliance.base)
    const socket = connect(Number(port), hostname)
    const sent = new Promise<Error | null | undefined>((resolve) => {
      socket.once('error', resolve)
      socket.pause()
      socket.write(
        `POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\nConnection: close\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        resolve,
      )
    })
    expect(await sent).toBeFalsy()
    const answer = once(socket, 'data')
    socket.resume()
    expect(String((await answer)[0])).toContain('body-too-large')
    socket.destroy()
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'garbage'])(
    'as %s is 415',
    async (type) => {
      const answer = await appliance.call('POST', '/api/v1/messages', 'to=1', { 'content-type': type })
      expect(answer).toMatchObject({ status: 415, json: { code: 'wrong-content-type' } })
    },
  )

  test.each([
    ['of 201 characters', 'k'.repeat(201)],
    ['that is empty', ''],
    ['with a tab', 'a\tb'],
  ])('with a key %s is 400', async (_what, key) => {
    const answer = await appliance.call('POST', '/api/v1/messages', good, { 'idempotency-key': key })
    expect(answer).toMatchObject({ status: 400, json: { field: 'idempotency-key' } })
  })
})

test('what is allowed is listed', async () => {
  const channel = await appliance.call('POST', '/api/v1/messages', { ...good, channel: 'pigeon' })
  expect(channel.json).toMatchObject({ allowed: ['sms', 'fax', 'voice'] })
  const field = await appliance.call('POST', '/api/v1/messages', { ...good, priorty: 1 })
  expect(field.json).toMatchObject({ allowed: expect.arrayContaining(['priority', 'to', 'text']) })
})

test('what acceptance refuses comes out with its code, field and a whole sentence', async () => {
  appliance.dispatch.answer = {
    result: 'invalid',
    field: 'to[3]',
    code: 'invalid-recipient',
    detail: 'has no digits',
  }
  const answer = await appliance.call('POST', '/api/v1/messages', good)
  appliance.dispatch.answer = undefined
  appliance.dispatch.requests.length = 0
  expect(answer).toMatchObject({
    status: 400,
    json: { type: 'about:blank', code: 'invalid-recipient', field: 'to[3]', detail: 'to[3]: has no digits' },
  })
})

test.each([
  ['/api/v1/messages?limit=0', 'out-of-range', 'limit'],
  ['/api/v1/messages?limit=501', 'out-of-range', 'limit'],
  ['/api/v1/messages?limit=many', 'wrong-type', 'limit'],
  ['/api/v1/messages?limit=', 'wrong-type', 'limit'],
  ['/api/v1/messages?state=lost', 'not-allowed', 'state'],
  ['/api/v1/messages?status=queued', 'unknown-field', 'status'],
  ['/api/v1/messages?to=1&to=2', 'wrong-type', 'to'],
  ['/api/v1/inbox?state=queued', 'unknown-field', 'state'],
  ['/api/v1/totals?since=yesterday', 'wrong-format', 'since'],
  ['/api/v1/totals?since=2026-99-99', 'wrong-format', 'since'],
])('%s is 400', async (path, code, field) => {
  expect(await appliance.call('GET', path)).toMatchObject({ status: 400, json: { code, field } })
})

test.each([
  ['GET', '/api/v1/nothing', 404, 'route-unknown'],
  ['GET', '/api/v2/messages', 404, 'route-unknown'],
  ['GET', '/%zz', 400, 'malformed-url'],
  ['GET', `/api/v1/messages/${'x'.repeat(150)}`, 400, 'too-long'],
  ['GET', `/api/v1/messages/${'x'.repeat(5_000)}`, 404, 'not-found'],
  ['PUT', '/api/v1/messages', 405, 'method-not-allowed'],
  ['OPTIONS', '/api/v1/messages', 405, 'method-not-allowed'],
  ['PROPFIND', '/api/v1/messages', 405, 'method-not-allowed'],
  ['POST', '/healthz', 405, 'method-not-allowed'],
])('%s %s is %i', async (method, path, status, code) => {
  expect(await appliance.call(method, path)).toMatchObject({ status, json: { status, code } })
})

test('a browser that asks for an address that is none gets a page, and a program never does', async () => {
  const asked = (path: string) =>
    fetch(`${appliance.base}${path}`, { headers: { accept: 'text/html,*/*;q=0.8' } })
  const page = await asked('/qeue')
  // No panel is built for this test: 503 says so, with the same headers.
  expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8'])
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect((await asked('/api/v1/qeue')).headers.get('content-type')).toContain('application/problem+json')
})

test('a wrong method is told the right ones', async () => {
  const answer = await appliance.call('PATCH', '/api/v1/messages/abc')
  expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD'])
})

/** Sends bytes as they are and returns all that comes back. */
async function raw(...chunks: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(appliance.base)
  const socket = connect(Number(port), hostname)
  const answer: Buffer[] = []
  socket.on('data', (data) => answer.push(data))
  socket.on('error', () => {})
  for (const chunk of chunks) socket.write(chunk)
  await once(socket, 'close')
  return Buffer.concat(answer).toString()
}

test.each([
  ['no HTTP', 'hello\r\n\r\n', '400', 'malformed-request'],
  ['a TLS hello', Buffer.from('160301020001000100', 'hex'), '400', 'malformed-request'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '400',
    'malformed-request',
  ],
  [
    'endless headers',
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    '431',
    'headers-too-large',
  ],
])('%s is refused and the connection closed', async (_what, bytes, status, code) => {
  const answer = await raw(bytes)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain(`"code":"${code}"`)
})

test('many large bodies at a time are turned away, and taken again when there is room', async () => {
  const { hostname, port } = new URL(appliance.base)
  const authorization = await appliance.bearer('send')
  const head = `POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n`
  const clients = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = connect(Number(port), hostname)
      client.write(head)
      // 100 Continue: the server has seen the headers and waits for the body.
      await once(client, 'data')
      return client
    }),
  )
  const large = { to: ['1'], text: 'x'.repeat(70_000) }
  const refused = await appliance.call('POST', '/api/v1/messages', large)
  expect(refused).toMatchObject({ status: 503, json: { code: 'busy' } })
  expect(refused.headers.get('retry-after')).toBe('1')
  expect((await appliance.call('POST', '/api/v1/messages', good)).status).toBe(202)
  for (const client of clients) client.destroy()
  await expect.poll(async () => (await appliance.call('POST', '/api/v1/messages', large)).status).toBe(202)
})

test('after all this, a good message is taken', async () => {
  expect((await appliance.call('POST', '/api/v1/messages', good)).status).toBe(202)
})

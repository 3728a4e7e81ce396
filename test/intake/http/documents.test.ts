/** Documents over HTTP, at a real appliance with a fax line whose modem is away: what is accepted stays in the queue. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pagesPdf, pdfOf } from '../../fax/documents/rig.ts'
import { describeWith } from '../../requirements.ts'
import { type RunningAppliance, startAppliance } from '../../system/appliance.ts'

const fax = `  - { id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }
documents: { maxPages: 20, maxSize: 1MB }
`

interface Told {
  status: number
  replay: string | null
  body: Record<string, unknown>
}

/** Fields in the order given; a file where the value is bytes. */
async function post(
  appliance: RunningAppliance,
  token: string,
  fields: readonly (readonly [string, string | Uint8Array<ArrayBuffer>])[],
  headers: Record<string, string> = {},
): Promise<Told> {
  const form = new FormData()
  for (const [name, value] of fields) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, new Blob([value]), 'Größe.bin')
  }
  const answer = await fetch(`${appliance.address}/api/v1/messages`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  const replay = answer.headers.get('idempotent-replay')
  return { status: answer.status, replay, body: (await answer.json()) as Record<string, unknown> }
}

const bytesOf = (data: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(data)

describeWith(['ghostscript'], 'with a fax line', () => {
  let directory: string
  let appliance: RunningAppliance
  let token: string
  const pdf = bytesOf(pagesPdf(3))
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'http-documents-'))
    appliance = await startAppliance({ directory, ports: [], more: fax })
    token = await appliance.token()
  })
  afterAll(async () => {
    await appliance.kill('SIGTERM')
    await rm(directory, { recursive: true })
  })
  const files = async () => (await readdir(join(directory, 'data', 'documents'))).length
  const send = (fields: Parameters<typeof post>[2], headers?: Record<string, string>) =>
    post(appliance, token, fields, headers)

  test('a document with its fields becomes a fax whose parts are pages, and can be had again', async () => {
    const told = await send([
      ['to', '+49301234567'],
      ['channel', 'fax'],
      ['document', pdf],
      ['to', '+49301234568, +49301234569'],
      ['priority', '1'],
      ['validity', '2h'],
      ['tag', 'offer'],
      ['text', 'the offer'],
    ])
    expect(told).toMatchObject({ status: 202, replay: null, body: { replicated: false } })
    const id = String(told.body['id'])
    const { body } = await appliance.call('GET', `/api/v1/messages/${id}`)
    expect(body).toMatchObject({
      text: 'the offer',
      priority: 1,
      validity: '2h',
      tag: 'offer',
      document: { name: 'Größe.bin', type: 'pdf', bytes: pdf.length, pages: 3 },
    })
    expect(body['deliveries']).toMatchObject(
      ['+49301234567', '+49301234568', '+49301234569'].map((to) => ({
        to,
        channel: 'fax',
        state: 'queued',
        parts: 3,
      })),
    )
    const again = await fetch(`${appliance.address}/api/v1/messages/${id}/document`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(again.headers.get('content-type')).toBe('application/pdf')
    expect(again.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.bin")
    expect(Buffer.from(await again.arrayBuffer()).equals(pdf)).toBe(true)
  })

  test('only those who may read get it', async () => {
    const answer = await fetch(`${appliance.address}/api/v1/messages/x/document`)
    expect(answer.status).toBe(401)
    expect(await appliance.call('GET', '/api/v1/messages/none/document')).toMatchObject({
      status: 404,
      body: { code: 'document-unknown' },
    })
  })

  test('its pages can be looked at as PDF, as TIFF and one by one, and whoever has them is told so', async () => {
    const told = await send([
      ['to', '+49301234567'],
      ['document', pdf],
    ])
    const url = `${appliance.address}/api/v1/messages/${String(told.body['id'])}`
    const get = async (path: string, headers: Record<string, string> = {}, bearer = token) => {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${bearer}`, ...headers } })
      return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
    }
    const shapes = [
      ['/document', 'application/pdf', '%PDF'],
      ['/pages', 'application/pdf', '%PDF'],
      ['/pages?type=tiff', 'image/tiff', 'II*'],
      ['/pages/1', 'image/png', '\x89PNG'],
      ['/pages/3', 'image/png', '\x89PNG'],
    ] as const
    const tags = new Set<string>()
    for (const [path, type, beginning] of shapes) {
      const { answer, bytes } = await get(path)
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, type])
      expect(bytes.toString('latin1').startsWith(beginning)).toBe(true)
      const tag = answer.headers.get('etag') ?? ''
      tags.add(tag)
      const again = await get(path, { 'if-none-match': `"x", ${tag}` })
      expect([again.answer.status, again.bytes.length, again.answer.headers.get('etag')]).toEqual([
        304,
        0,
        tag,
      ])
      expect((await get(path, { 'if-none-match': '"x"' })).answer.status).toBe(200)
    }
    expect(tags.size).toBe(shapes.length)
    // Width and height of a sheet of A4 at 204 by 196.
    const { bytes } = await get('/pages/2')
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1728, 2292])
    expect((await get('/pages/4')).answer.status).toBe(404)
    expect((await get('/pages/0')).answer.status).toBe(400)
    const made = await appliance.call('POST', '/api/v1/tokens', { name: 'sender', scopes: ['send'] })
    for (const [path] of shapes) {
      expect((await get(path, {}, 'none')).answer.status).toBe(401)
      expect((await get(path, {}, String(made.body['token']))).answer.status).toBe(403)
    }
  })

  test('one document is stored once, and a key covers it', async () => {
    const before = await files()
    const fields = [
      ['to', '+49301234567'],
      ['document', pdf],
    ] as const
    const key = { 'idempotency-key': 'fax-1' }
    const first = await send(fields, key)
    const second = await send(fields, key)
    expect(second).toMatchObject({ status: 202, replay: 'true', body: first.body })
    const other = await send(
      [
        ['to', '+49301234567'],
        ['document', bytesOf(pagesPdf(1))],
      ],
      key,
    )
    expect(other).toMatchObject({ status: 409, body: { code: 'key-reused' } })
    expect(await files()).toBe(before + 1)
  })

  test.each([
    ['too many pages', () => pagesPdf(21), 422, 'document-too-many-pages'],
    [
      'an encrypted PDF',
      () => pdfOf('showpage', '-sOwnerPassword=o', '-sUserPassword=u'),
      422,
      'document-encrypted',
    ],
    ['an empty file', () => new Uint8Array(), 422, 'document-empty'],
    ['what is no document', () => Buffer.from('504b030414000600', 'hex'), 415, 'document-unsupported'],
    ['too many bytes', () => Buffer.alloc(3_000_000, 0x41), 413, 'document-too-large'],
  ])('%s is refused with its reason', async (_, bytes, status, code) => {
    const told = await send([
      ['to', '+49301234567'],
      ['document', bytesOf(bytes())],
    ])
    expect(told).toMatchObject({ status, body: { code, field: 'document' } })
    expect(String(told.body['detail'])).toMatch(/\.$|bytes/)
  })

  test('what is wrong with the fields is told as with JSON', async () => {
    const document = ['document', pdf] as const
    const to = ['to', '+49301234567'] as const
    expect(await send([to])).toMatchObject({
      status: 400,
      body: { code: 'missing-field', field: 'document' },
    })
    expect(await send([document])).toMatchObject({
      status: 400,
      body: { code: 'missing-field', field: 'to' },
    })
    expect(await send([to, document, ['channel', 'sms']])).toMatchObject({
      status: 400,
      body: { field: 'channel' },
    })
    expect(await send([to, document, ['colour', 'red']])).toMatchObject({
      status: 400,
      body: { code: 'unknown-field' },
    })
    expect(await send([to, document, ['priority', '9']])).toMatchObject({
      status: 400,
      body: { code: 'invalid-priority' },
    })
    expect(await send([to, document, ['validity', 'soon']])).toMatchObject({
      status: 400,
      body: { code: 'invalid-validity' },
    })
    expect(await send([to, document, document])).toMatchObject({ status: 400, body: { code: 'too-many' } })
    // Who forgets the @ of curl must not send a text instead.
    expect(await send([to, ['text', 'hello'], ['document', 'offer.pdf']])).toMatchObject({
      status: 400,
      body: { code: 'wrong-type', field: 'document' },
    })
    expect(await send([to, ['picture', pdf]])).toMatchObject({ status: 400, body: { code: 'unknown-field' } })
    expect(await send([['to', 'nobody at all'], document])).toMatchObject({
      status: 400,
      body: { field: 'to[0]' },
    })
  })

  test('a wrong recipient that is named first is told of before anything is stored', async () => {
    const before = await files()
    const told = await send([
      ['to', 'nobody at all'],
      ['document', bytesOf(Buffer.from('never stored'))],
    ])
    expect(told).toMatchObject({ status: 400, body: { code: 'invalid-recipient', field: 'to[0]' } })
    expect(await files()).toBe(before)
  })

  test('JSON stays as it is, and names no document', async () => {
    const told = await appliance.call('POST', '/api/v1/messages', {
      to: ['+49301234567'],
      text: 'x',
      channel: 'fax',
    })
    expect(told).toMatchObject({ status: 400, body: { code: 'no-document', field: 'document' } })
    expect(
      await appliance.call('POST', '/api/v1/messages', { to: ['+491701234567'], text: 'x' }),
    ).toMatchObject({
      status: 400,
      body: { code: 'no-line', field: 'channel' },
    })
  })

  test('a body that is no multipart, and one that breaks off, leave nothing', async () => {
    const before = await files()
    const url = `${appliance.address}/api/v1/messages`
    const answer = await fetch(url, {
      method: 'POST',
      body: 'hello',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'malformed-multipart' })
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 500000\r\n` +
        'Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n' +
        `Content-Disposition: form-data; name="document"; filename="a"\r\n\r\n${'a'.repeat(100_000)}`,
    )
    for (let n = 0; n < 100 && (await files()) === before; n += 1) await pause(20)
    expect(await files()).toBe(before + 1)
    socket.resetAndDestroy()
    for (let n = 0; n < 100 && (await files()) > before; n += 1) await pause(20)
    expect(await files()).toBe(before)
  })

  test('the interface describes both', async () => {
    const { body } = await appliance.call('GET', '/openapi.json')
    expect(body).toMatchObject({
      paths: {
        '/api/v1/messages': {
          post: {
            requestBody: {
              content: {
                'application/json': { schema: { required: ['to', 'text'] } },
                'multipart/form-data': {
                  schema: { required: ['to', 'document'], properties: { document: { format: 'binary' } } },
                },
              },
            },
          },
        },
      },
    })
  })

  test('other routes take no multipart', async () => {
    const form = new FormData()
    form.append('name', 'x')
    const answer = await fetch(`${appliance.address}/api/v1/tokens`, {
      method: 'POST',
      body: form,
      headers: { authorization: `Bearer ${token}` },
    })
    expect([403, 415]).toContain(answer.status)
  })
})

describe('without a fax line', () => {
  test('a document is refused, naming that', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'http-documents-'))
    const appliance = await startAppliance({ directory, ports: ['tcp://127.0.0.1:1'] })
    try {
      const told = await post(appliance, await appliance.token(), [
        ['to', '+49301234567'],
        ['document', Uint8Array.from(Buffer.from('hello'))],
      ])
      expect(told).toMatchObject({ status: 400, body: { code: 'no-line', field: 'channel' } })
      expect(told.body['detail']).toContain('no fax line is configured')
    } finally {
      await appliance.kill('SIGTERM')
      await rm(directory, { recursive: true })
    }
  })
})

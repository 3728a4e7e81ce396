/** Documents in a pair: on both disks before the answer, brought to a member that was away, had from whoever has them. */
import { readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { silent } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'
import { createDocumentExchange, DOCUMENT_TOPIC } from '#pair/documents.ts'
import { DocumentStore, type Receiving } from '#store/documents.ts'
import { pagesPdf, pdfOf } from '../fax/documents/rig.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { fetchOver } from '../system/fax-rig.ts'
import { type PairBox, pairOf } from './boxes.ts'

const bytesOf = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, n) => (n * 7 + (n >> 8)) & 0xff))

interface Member {
  documents: DocumentStore
  exchange: ReturnType<typeof createDocumentExchange>
  needed: string[]
}

/** Two exchanges whose questions reach each other, as long as `reach` says so. */
async function two(reach: (question: string) => boolean = () => true) {
  const directory = await mkdtemp(join(tmpdir(), 'exchange-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const members = new Map<string, Member>()
  const asked: string[] = []
  for (const [node, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const documents = await DocumentStore.open({ directory: join(directory, node), reserve: () => 0 })
    const needed: string[] = []
    const exchange = createDocumentExchange({
      documents,
      store: { documentsNeeded: async () => needed },
      connected: () => [other],
      available: () => true,
      async request(_to, topic, body): Promise<Answer> {
        expect(topic).toBe(DOCUMENT_TOPIC)
        const question = body.slice(0, body.indexOf('\n'))
        asked.push(`${node} ${JSON.parse(question).do}`)
        const away = { result: 'failed', code: 'member-unreachable', text: 'away' } as const
        return reach(question) ? (members.get(other)?.exchange.answer(node, body) ?? away) : away
      },
      log: silent,
    })
    onTestFinished(() => exchange.stop())
    members.set(node, { documents, exchange, needed })
  }
  const [a, b] = [members.get('a'), members.get('b')]
  if (!a || !b) throw new Error('unreachable')
  return { a, b, asked }
}

async function receive(documents: DocumentStore, bytes: Buffer): Promise<Receiving> {
  const receiving = await documents.receive(10_000_000)
  onTestFinished(() => receiving.close())
  for (let at = 0; at < bytes.length; at += 50_000) await receiving.write(bytes.subarray(at, at + 50_000))
  return receiving
}

describe('between two members', () => {
  test('a document is sent while it comes, and is there when it has come', async () => {
    const { a, b } = await two()
    const bytes = bytesOf(400_000)
    const receiving = await a.documents.receive(1_000_000)
    const following = a.exchange.follow(receiving)
    await receiving.write(bytes.subarray(0, 200_000))
    const half = () => readdirSync(dirname(b.documents.temporary())).length
    await until(() => half() === 1, 'the first half is on its way')
    await receiving.write(bytes.subarray(200_000))
    const stored = await receiving.finish()
    await receiving.close()
    if (!stored) throw new Error('not kept')
    expect(await following.settled(stored, 5_000)).toBe(true)
    expect(await b.documents.read(stored.hash, 0, 1_000_000)).toEqual(bytes)
    expect(a.exchange.elsewhere(stored.hash)).toBe(true)
  })

  test('a document that was looked at and refused is on no disk of another member', async () => {
    const { a, b, asked } = await two()
    const receiving = await receive(a.documents, bytesOf(200_000))
    const following = a.exchange.follow(receiving)
    const there = () => readdirSync(dirname(b.documents.temporary())).length
    const stored = await receiving.finish()
    await until(() => asked.filter((one) => one === 'a write').length === 3, 'all of it is there')
    // Nobody has said yet that it is wanted.
    expect(await b.documents.find(stored?.hash ?? '')).toBeUndefined()
    following.dropped()
    await until(() => there() === 0, 'it is gone')
    expect(asked).not.toContain('a finish')
  })

  test('a member that does not take it, or that has another one in the end, counts as not having it', async () => {
    const { a, b } = await two((question) => !question.includes('"finish"'))
    const receiving = await receive(a.documents, bytesOf(1_000))
    const following = a.exchange.follow(receiving)
    const stored = await receiving.finish()
    if (!stored) throw new Error('not kept')
    expect(await following.settled(stored, 5_000)).toBe(false)
    expect(a.exchange.elsewhere(stored.hash)).toBe(false)
    const upload = { upload: 'u', at: 0 }
    await b.exchange.answer(
      'a',
      `${JSON.stringify({ do: 'write', ...upload })}\n${Buffer.from('x').toString('base64')}`,
    )
    const wrong = await b.exchange.answer(
      'a',
      JSON.stringify({ do: 'finish', upload: 'u', hash: stored.hash }),
    )
    expect(wrong).toMatchObject({ result: 'failed', code: 'member-document-unknown' })
    expect(await b.documents.find(stored.hash)).toBeUndefined()
  })

  test('what the queue refers to is asked for, and whoever has it is told', async () => {
    let reached = false
    const { a, b } = await two(() => reached)
    const receiving = await receive(a.documents, bytesOf(300_000))
    const following = a.exchange.follow(receiving)
    const stored = await receiving.finish()
    if (!stored) throw new Error('not kept')
    expect(await following.settled(stored, 5_000)).toBe(false)
    reached = true
    b.needed.push(stored.hash)
    b.exchange.wake()
    await until(async () => (await b.documents.find(stored.hash)) !== undefined, 'b has it')
    await until(() => a.exchange.elsewhere(stored.hash), 'a knows')
  })

  test('what is offered is sent to those that lack it, once', async () => {
    const { a, b, asked } = await two()
    const receiving = await receive(a.documents, bytesOf(100_000))
    const stored = await receiving.finish()
    if (!stored) throw new Error('not kept')
    expect(await a.exchange.offer(stored.hash, 5_000)).toBe(true)
    expect(await b.documents.find(stored.hash)).toEqual(stored)
    const writes = () => asked.filter((one) => one === 'a write').length
    const before = writes()
    expect(await a.exchange.offer(stored.hash, 5_000)).toBe(true)
    expect(writes()).toBe(before)
    expect(await b.exchange.fetch('ab'.repeat(32))).toBe(false)
  })

  test('an upload that is given up is given up there too; nonsense is refused', async () => {
    const { a, b } = await two()
    const receiving = await receive(a.documents, bytesOf(200_000))
    a.exchange.follow(receiving)
    const there = () => readdirSync(dirname(b.documents.temporary())).length
    await until(() => there() === 1, 'it is on its way')
    await receiving.abandon()
    await until(() => there() === 0, 'it is gone')
    for (const body of [
      '',
      '{}',
      'x\ny',
      '{"do":"write","upload":"u","at":5}\n',
      '{"do":"read","hash":"../x","at":0}',
      '{"do":"write","upload":"u","at":-1}\n',
    ])
      expect(await b.exchange.answer('a', body)).toMatchObject({ result: 'failed' })
    for (let n = 0; n < 16; n += 1)
      await b.exchange.answer('a', `{"do":"write","upload":"u${n}","at":0}\neA==`)
    expect(await b.exchange.answer('a', '{"do":"write","upload":"more","at":0}\neA==')).toMatchObject({
      code: 'member-busy',
    })
  })
})

/** A document over the control socket. */
function post(box: PairBox, bytes: Buffer): Promise<{ status: number; body: Record<string, unknown> }> {
  const body = Buffer.concat([
    Buffer.from('--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n+4930123456\r\n--x\r\n'),
    Buffer.from('Content-Disposition: form-data; name="document"; filename="a.txt"\r\n\r\n'),
    bytes,
    Buffer.from('\r\n--x--\r\n'),
  ])
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        socketPath: box.controlSocket,
        method: 'POST',
        path: '/api/v1/messages',
        headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': body.length },
      },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
      },
    )
    asking.on('error', reject)
    asking.end(body)
  })
}

const documentsOf = (box: PairBox): string => join(dirname(box.controlSocket), 'documents')
const held = (box: PairBox): string[] =>
  readdirSync(documentsOf(box)).filter((name) => !name.endsWith('.part'))
const words = (n: number) => Buffer.from(`${n} words\n`.repeat(20_000))

test('two appliances: on both disks before the answer; brought to one that was away; taken where no line is', {
  timeout: 120_000,
}, async () => {
  const [a, b] = await pairOf(
    { lines: [], more: 'documents: { maxPages: 1000 }\n' },
    { lines: ["{ id: fax0, kind: fax, port: 'tcp://127.0.0.1:1', class: '1' }"] },
  )
  await until(async () => (await post(a, words(0))).status === 202, 'a knows of the line of b', 30_000)
  const first = await post(a, words(1))
  expect(first).toMatchObject({ status: 202, body: { replicated: true } })
  expect(held(b)).toEqual(held(a))

  await b.kill()
  await a.sees('box-b', 'DEAD')
  const second = await post(a, words(2))
  expect(second).toMatchObject({ status: 202, body: { replicated: false } })
  const shown = async () => (await a.ask('GET', `/messages/${second.body['id']}`)).body['replicated']
  expect(await shown()).toBe(false)
  await b.start()
  await until(() => held(b).length === held(a).length, 'b has what came while it was away', 60_000)
  await until(async () => (await shown()) === true, 'a knows that b has it', 60_000)

  const { hash } = (await a.ask('GET', `/messages/${second.body['id']}`)).body['document'] as { hash: string }
  rmSync(join(documentsOf(b), hash))
  const had = await new Promise<string>((resolve) => {
    request(
      { socketPath: b.controlSocket, path: `/api/v1/messages/${second.body['id']}/document` },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
      },
    ).end()
  })
  expect(had === words(2).toString()).toBe(true)
  expect(held(b)).toContain(hash)
  // What one member has made and named, every other one names alike.
  const path = `/messages/${second.body['id']}`
  for (const [what, beginning] of [
    ['/document', '2 words'],
    ['/pages?type=tiff', 'II*'],
    ['/pages/2', '\x89PNG'],
  ] as const) {
    const [here, there] = [
      await fetchOver(a.controlSocket, path + what),
      await fetchOver(b.controlSocket, path + what),
    ]
    expect([what, here.status, there.status]).toEqual([what, 200, 200])
    expect(here.body.toString('latin1').startsWith(beginning)).toBe(true)
    expect(here.body.equals(there.body)).toBe(true)
    expect(here.tag).toBe(there.tag)
  }
})

describeWith(['ghostscript'], 'a member without Ghostscript', () => {
  test('has the pages of a PDF counted by the other one; what is refused leaves nothing', {
    timeout: 120_000,
  }, async () => {
    const programs = await mkdtemp(join(tmpdir(), 'programs-'))
    onTestFinished(() => rm(programs, { recursive: true }))
    for (const program of ['prlimit', 'setpriv', 'chrt'])
      await symlink(join('/usr/bin', program), join(programs, program))
    const [a, b] = await pairOf(
      { lines: [], environment: { PATH: programs } },
      { lines: ["{ id: fax0, kind: fax, port: 'tcp://127.0.0.1:1', class: '1' }"] },
    )
    const two = pagesPdf(2)
    await until(async () => (await post(a, two)).status === 202, 'a knows what b can do', 30_000)
    expect(await post(a, two)).toMatchObject({
      status: 202,
      body: { replicated: true, deliveries: [{ parts: 2 }] },
    })
    const before = [held(a), held(b)]
    for (const [bytes, code] of [
      [pdfOf('showpage', '-sOwnerPassword=o', '-sUserPassword=u'), 'document-encrypted'],
      [pagesPdf(201), 'document-too-many-pages'],
    ] as const)
      expect(await post(a, bytes)).toMatchObject({ status: 422, body: { code } })
    expect([held(a), held(b)]).toEqual(before)
  })
})

test('two appliances without a fax line refuse a document', { timeout: 120_000 }, async () => {
  const [a] = await pairOf({ lines: [] }, { lines: [] })
  const before = held(a)
  expect(await post(a, words(1))).toMatchObject({
    status: 400,
    body: { code: 'no-line', detail: expect.stringContaining('no fax line is configured on any member') },
  })
  expect(held(a)).toEqual(before)
})

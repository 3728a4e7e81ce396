/** Files over the members' link: whole, piece by piece, bounded, and told when they break off. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ForwardedAnswer, ForwardedFile, ForwardedRequest } from '#intake/http/forward.ts'
import { answerFiles, fetchFile } from '#intake/http/forward-files.ts'
import type { Replication } from '#pair/replication/replication.ts'

type Handler = Parameters<Replication['handle']>[1]
type Answer = Awaited<ReturnType<Handler>>

const asked: ForwardedRequest = { method: 'POST', path: '/api/v1/backup', body: { a: 1 }, author: 'http:x' }
/** As the links do: a larger answer is refused there. */
const LARGEST_ANSWER = 262_144

let handler: Handler
let requests: ForwardedRequest[]
let make: () => ForwardedFile | ForwardedAnswer
let closeAll: () => void

const request = async (_to: string, _topic: string, body: string): Promise<Answer> => {
  try {
    const answer = await handler('box-a', body)
    if (answer.result === 'answered') expect(answer.body.length).toBeLessThan(LARGEST_ANSWER)
    return answer
  } catch (error) {
    return { result: 'failed', code: 'member-question-failed', text: String(error) }
  }
}
const fetchOne = () => fetchFile(request, 'box-b', asked, ({ code, text }) => new Error(`${code}: ${text}`))
const fileOf = (bytes: Readable): ForwardedFile => ({ type: 'x/y', disposition: 'attachment', bytes })
async function opened(): Promise<ForwardedFile> {
  const answer = await fetchOne()
  if ('status' in answer) throw new Error('an answer, not a file')
  return answer
}

beforeEach(() => {
  requests = []
  closeAll = answerFiles(
    {
      handle(_topic, given) {
        handler = given
      },
    },
    async (given) => {
      requests.push(given)
      return make()
    },
  )
})
afterEach(() => {
  closeAll()
  vi.useRealTimers()
})

test.each([0, 1, 89_999, 90_000, 90_001, 400_000])('a file of %d bytes arrives as it is', async (size) => {
  const content = randomBytes(size)
  // In one chunk, as a support bundle is handed over, and in small ones, as a backup is.
  for (const chunks of [[content], content.toString('hex').match(/.{1,3001}/g) ?? []]) {
    make = () => fileOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))
    const { type, disposition, bytes } = await opened()
    expect([type, disposition]).toEqual(['x/y', 'attachment'])
    expect((await buffer(bytes)).equals(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))))).toBe(true)
  }
  expect(requests[0]).toEqual(asked)
})

test('a refusal is answered as it is', async () => {
  make = () => ({ status: 400, body: { code: 'sealed-passphrase' } })
  expect(await fetchOne()).toEqual({ status: 400, body: { code: 'sealed-passphrase' } })
})

test('nobody reads ahead: a slow reader slows the file', async () => {
  let made = 0
  make = () =>
    fileOf(
      Readable.from(
        (function* () {
          for (; made < 1_000; made += 1) yield Buffer.alloc(90_000)
        })(),
      ),
    )
  const { bytes } = await opened()
  const pieces = bytes[Symbol.asyncIterator]()
  await pieces.next()
  await new Promise((resolve) => setImmediate(resolve))
  expect(made).toBeLessThan(40)
  await pieces.return?.()
})

test('a file that breaks off is an error, never a short file', async () => {
  make = () =>
    fileOf(
      Readable.from(
        (async function* () {
          yield Buffer.alloc(200_000)
          throw new Error('the disk is gone')
        })(),
      ),
    )
  await expect(buffer((await opened()).bytes)).rejects.toThrow('the disk is gone')
})

test('who reads no further has the file closed, and so has who says nothing more', async () => {
  vi.useFakeTimers()
  const sources: Readable[] = []
  make = () => {
    const bytes = Readable.from([Buffer.alloc(300_000), Buffer.alloc(300_000)])
    sources.push(bytes)
    return fileOf(bytes)
  }
  const given = await opened()
  const pieces = given.bytes[Symbol.asyncIterator]()
  await pieces.next()
  await pieces.return?.()
  await vi.waitFor(() => expect(sources[0]?.destroyed).toBe(true))

  await opened()
  await vi.advanceTimersByTimeAsync(29_000)
  expect(sources[1]?.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sources[1]?.destroyed).toBe(true)
})

test('so many at a time; all are closed when it stops', async () => {
  const sources: Readable[] = []
  make = () => {
    const bytes = Readable.from([Buffer.alloc(10)])
    sources.push(bytes)
    return fileOf(bytes)
  }
  await Promise.all([opened(), opened(), opened(), opened()])
  await expect(opened()).rejects.toThrow(/^member-busy: /)
  closeAll()
  expect(sources.map(({ destroyed }) => destroyed)).toEqual([true, true, true, true])
  await opened()
  expect(sources).toHaveLength(5)
})

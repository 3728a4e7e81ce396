/**
 * Files from another member over the members' own links, which carry texts: opened there by a forwarded request, then
 * read piece by piece, each asked for when the one before has been handed on. So nobody holds more of a file than a
 * piece or two, and a slow reader slows its file and nothing else. Bounded: so many files of this member are open at a
 * time, and one that nobody asks about any more is closed.
 */
import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { done, PIECE_BYTES, PIECE_MS } from '#core/member-questions.ts'
import type { Replication } from '#pair/replication/replication.ts'
import { FILE_MS, type ForwardedAnswer, type ForwardedFile, type ForwardedRequest } from './forward.ts'

const TOPIC = 'forward-file'
/** A member that opened a file and asks for nothing more of it has given it up. */
const IDLE_MS = 30_000
/** Files of this member that others read at a time. */
const MOST_OPEN = 4

type Question =
  | { do: 'open'; request: ForwardedRequest }
  | { do: 'read'; file: string }
  | { do: 'close'; file: string }

type Opened =
  | { result: 'opened'; file: string; type: string; disposition: string }
  | { result: 'answered'; answer: ForwardedAnswer }

type Request = Replication['request']
type Asked = Awaited<ReturnType<Request>>

/** @param failed makes the error of a question that nobody answered */
export async function fetchFile(
  request: Request,
  node: string,
  asked: ForwardedRequest,
  failed: (answer: Extract<Asked, { result: 'failed' }>) => Error,
): Promise<ForwardedFile | ForwardedAnswer> {
  const ask = async (question: Question, withinMs: number): Promise<string> => {
    const answer = await request(node, TOPIC, JSON.stringify(question), withinMs)
    if (answer.result === 'failed') throw failed(answer)
    return answer.body
  }
  // A little more than the route waits, so that it is the one to give up.
  const opened = JSON.parse(await ask({ do: 'open', request: asked }, FILE_MS + 1_000)) as Opened
  if (opened.result === 'answered') return opened.answer
  const { file, type, disposition } = opened

  async function* pieces(): AsyncGenerator<Buffer> {
    let whole = false
    try {
      for (;;) {
        const piece = Buffer.from(await ask({ do: 'read', file }, PIECE_MS), 'base64')
        whole = piece.length === 0
        if (whole) return
        yield piece
      }
    } finally {
      if (!whole) await ask({ do: 'close', file }, PIECE_MS).catch(() => {})
    }
  }
  return { type, disposition, bytes: Readable.from(pieces(), { objectMode: false }) }
}

interface Open {
  bytes: Readable
  pieces: AsyncGenerator<Buffer>
  timer: NodeJS.Timeout
}

/**
 * Answers those questions.
 * @param execute does the request here
 * @returns what closes all files
 */
export function answerFiles(
  replication: Pick<Replication, 'handle'>,
  execute: (request: ForwardedRequest) => Promise<ForwardedFile | ForwardedAnswer>,
): () => void {
  const files = new Map<string, Open>()
  let opening = 0

  function close(id: string): void {
    const open = files.get(id)
    files.delete(id)
    clearTimeout(open?.timer)
    open?.bytes.destroy()
  }

  async function opened(request: ForwardedRequest): Promise<Opened> {
    opening += 1
    try {
      const made = await execute(request)
      if ('status' in made) return { result: 'answered', answer: made }
      const { type, disposition, bytes } = made
      // Whoever reads it is told; while nobody does, an error must not be one of the whole program.
      bytes.on('error', () => {})
      const file = randomUUID()
      files.set(file, {
        bytes,
        pieces: inPieces(bytes),
        timer: setTimeout(() => close(file), IDLE_MS).unref(),
      })
      return { result: 'opened', file, type, disposition }
    } finally {
      opening -= 1
    }
  }

  /** @returns nothing at its end */
  async function read(id: string): Promise<Buffer> {
    const open = files.get(id)
    if (open === undefined) throw new Error('the file is not open here any more')
    open.timer.refresh()
    const { value } = await open.pieces.next()
    if (value === undefined) close(id)
    return value ?? Buffer.alloc(0)
  }

  // A member is one of us: its certificate is pinned. What it may ask for is checked by the routes all the same.
  replication.handle(TOPIC, async (_from, body) => {
    const question = JSON.parse(body) as Question
    if (question.do === 'open') {
      if (files.size + opening >= MOST_OPEN)
        return { result: 'failed', code: 'member-busy', text: 'it hands out other files now' }
      return { result: 'answered', body: JSON.stringify(await opened(question.request)) }
    }
    if (question.do === 'close') {
      close(question.file)
      return done
    }
    return { result: 'answered', body: (await read(question.file)).toString('base64') }
  })
  return () => {
    for (const id of [...files.keys()]) close(id)
  }
}

/** Chunks of any size as pieces of one, and the rest. */
async function* inPieces(bytes: Readable): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0)
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk])
    for (; held.length >= PIECE_BYTES; held = held.subarray(PIECE_BYTES)) yield held.subarray(0, PIECE_BYTES)
  }
  if (held.length > 0) yield held
}

/**
 * Documents between members, over the links of the log: sent in pieces while they come in, asked for by whoever lacks
 * one that its queue refers to. A piece is acknowledged when it is written, a document when it is fsynced under its
 * hash. Bounded: one piece of a document under way at a time, so many documents a member, a deadline for each piece.
 */
import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { CodedError, errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import {
  type Answer,
  done,
  oneInTime,
  PIECE_BYTES,
  PIECE_MS,
  placeOf,
  splitBytes,
  withBytes,
} from '#core/member-questions.ts'
import type { Store } from '#store/contract.ts'
import {
  type DocumentPeers,
  type DocumentStore,
  isHash,
  type Receiving,
  type StoredDocument,
} from '#store/documents.ts'

export const DOCUMENT_TOPIC = 'document'

/** The whole file is fsynced before this is answered. */
const FINISH_MS = 30_000
/** A member that began a document and says nothing more has given it up; it may be looking at it for a while. */
const IDLE_MS = 180_000
/** Documents that one member sends at a time. */
const MOST_FROM_ONE = 16
/** Larger than any document or its pages. */
const LARGEST = 512e6
/** Documents that are looked for at a time, and known to be on this disk alone. */
const MOST_LOOKED_FOR = 1_000
const MOST_ALONE = 10_000
/** How soon after a change the queue is looked through. */
const SOON_MS = 200
/** How soon what could not be brought here is asked for again. */
const AGAIN_MS = 30_000

export interface ExchangeParts {
  documents: DocumentStore
  store: Pick<Store, 'documentsNeeded'>
  /** The members that are connected now. */
  connected(): readonly string[]
  /** Some connected member keeps up, so that waiting for it makes sense. */
  available(): boolean
  request(to: string, topic: string, body: string, deadlineMs: number): Promise<Answer>
  log: Log
}

export interface DocumentExchange extends DocumentPeers {
  /** For the topic DOCUMENT_TOPIC. */
  answer(from: string, body: string): Promise<Answer>
  /** The queue, what is remembered or the members have changed: what is lacking here is looked for. */
  wake(): void
  stop(): Promise<void>
}

type Question =
  | { do: 'write'; upload: string; at: number }
  | { do: 'finish'; upload: string; hash: string }
  | { do: 'abandon'; upload: string }
  | { do: 'read'; hash: string; at: number }
  /** Whoever says so has it on its disk. */
  | { do: 'have'; hash: string }
  | { do: 'has'; hash: string }

interface Coming {
  receiving: Receiving
  timer: NodeJS.Timeout
}

export function createDocumentExchange(parts: ExchangeParts): DocumentExchange {
  const { documents, store } = parts
  const log = parts.log.child({ part: 'documents' })
  const coming = new Map<string, Coming>()
  const fetching = new Map<string, Promise<boolean>>()
  /** Documents that no other member has, as far as this run knows. */
  const alone = new Set<string>()
  let looking: Promise<void> | undefined
  let lookAgain = false
  let timer: NodeJS.Timeout | undefined
  let soon: NodeJS.Timeout | undefined
  let stopped = false

  const ask = (to: string, question: Question, bytes?: Buffer, withinMs = PIECE_MS): Promise<Answer> =>
    parts.request(to, DOCUMENT_TOPIC, withBytes(question, bytes), withinMs)

  const settledHere = (hash: string, elsewhere: boolean): boolean => {
    if (elsewhere) alone.delete(hash)
    else if (alone.size < MOST_ALONE) alone.add(hash)
    return elsewhere
  }

  /** @param wanted known when it has been looked at @returns whether the member has it on its disk */
  async function push(to: string, source: Receiving, wanted: Promise<boolean>): Promise<boolean> {
    const upload = randomUUID()
    for (let at = 0; ; ) {
      if (stopped || source.state === 'abandoned') {
        await ask(to, { do: 'abandon', upload })
        return false
      }
      if (at < source.written) {
        const piece = await pieceOf(source, at)
        if (!piece || (await ask(to, { do: 'write', upload, at }, piece)).result === 'failed') return false
        at += piece.length
      } else if (source.stored) {
        if (await wanted) return finish(to, upload, source.stored)
        await ask(to, { do: 'abandon', upload })
        return false
      } else await source.changed()
    }
  }

  /** Once it is finished its file may be closed, and has its name. */
  const pieceOf = (source: Receiving, at: number): Promise<Buffer | undefined> =>
    source.stored ? documents.read(source.stored.hash, at, PIECE_BYTES) : source.read(at, PIECE_BYTES)

  async function finish(to: string, upload: string, { hash }: StoredDocument): Promise<boolean> {
    const { result } = await ask(to, { do: 'finish', upload, hash }, undefined, FINISH_MS)
    return result === 'answered' && settledHere(hash, true)
  }

  async function pushStored(to: string, { hash, bytes }: StoredDocument): Promise<boolean> {
    const known = await ask(to, { do: 'has', hash })
    if (known.result === 'answered' && known.body === 'yes') return settledHere(hash, true)
    const upload = randomUUID()
    for (let at = 0; at < bytes; ) {
      const piece = stopped ? undefined : await documents.read(hash, at, PIECE_BYTES)
      if (!piece?.length || (await ask(to, { do: 'write', upload, at }, piece)).result === 'failed')
        return false
      at += piece.length
    }
    return finish(to, upload, { hash, bytes })
  }

  const oneOf = async (
    pushes: readonly Promise<boolean>[],
    hash: string,
    withinMs: number,
  ): Promise<boolean> => settledHere(hash, await oneInTime(pushes, parts.available() ? withinMs : 0))

  async function fetch(hash: string): Promise<boolean> {
    for (const from of parts.connected()) {
      try {
        if (await fetchFrom(from, hash)) return true
      } catch (error) {
        log.warn(
          { document: hash, from, error: errorText(error) },
          'a document could not be taken from a member',
        )
      }
    }
    return false
  }

  async function fetchFrom(from: string, hash: string): Promise<boolean> {
    let receiving: Receiving | undefined
    try {
      for (;;) {
        const at = receiving?.written ?? 0
        const answer = await ask(from, { do: 'read', hash, at })
        if (answer.result === 'failed') return false
        const piece = Buffer.from(answer.body, 'base64')
        if (piece.length === 0) break
        receiving ??= await documents.receive(LARGEST)
        await receiving.write(piece)
      }
      if (!receiving || !(await receiving.finish(hash))) return false
    } finally {
      await receiving?.abandon()
      await receiving?.close()
    }
    log.info({ document: hash, from }, 'a document was taken from a member')
    await Promise.all(parts.connected().map((node) => ask(node, { do: 'have', hash })))
    return true
  }

  /** @returns whether everything that the queue refers to is here */
  async function look(): Promise<boolean> {
    let complete = true
    for (const hash of await store.documentsNeeded(MOST_LOOKED_FOR)) {
      if (stopped) return true
      if ((await documents.find(hash)) === undefined && !(await peers.fetch(hash))) complete = false
    }
    return complete
  }

  async function lookAround(): Promise<void> {
    do {
      lookAgain = false
      try {
        if (!(await look()) && !stopped) timer ??= setTimeout(later, AGAIN_MS).unref()
      } catch (error) {
        log.warn({ error: errorText(error) }, 'documents of the queue could not be looked for')
      }
    } while (lookAgain && !stopped)
    looking = undefined
  }
  const later = () => {
    timer = undefined
    peers.wake()
  }

  async function write(
    from: string,
    { upload, at }: Extract<Question, { do: 'write' }>,
    bytes: Buffer,
  ): Promise<Answer> {
    const name = `${from} ${upload}`
    let one = coming.get(name)
    if (!one && at === 0) {
      if ([...coming.keys()].filter((key) => key.startsWith(`${from} `)).length >= MOST_FROM_ONE)
        return tooMany
      const receiving = await documents.receive(LARGEST)
      one = { receiving, timer: setTimeout(() => void end(name), IDLE_MS).unref() }
      coming.set(name, one)
    }
    if (one?.receiving.written !== at) return unknown
    one.timer.refresh()
    try {
      await one.receiving.write(bytes)
      return done
    } catch (error) {
      await end(name)
      return {
        result: 'failed',
        code: error instanceof CodedError ? error.code : 'disk-full',
        text: errorText(error),
      }
    }
  }

  async function end(name: string): Promise<void> {
    const one = coming.get(name)
    if (!one) return
    coming.delete(name)
    clearTimeout(one.timer)
    await one.receiving.abandon()
    await one.receiving.close()
  }

  async function keep(from: string, { upload, hash }: Extract<Question, { do: 'finish' }>): Promise<Answer> {
    const name = `${from} ${upload}`
    const one = coming.get(name)
    if (!one) return unknown
    try {
      return (await one.receiving.finish(hash)) ? done : unknown
    } finally {
      await end(name)
    }
  }

  const peers: DocumentExchange = {
    follow(receiving) {
      const { promise: wanted, resolve } = Promise.withResolvers<boolean>()
      const pushes = parts.connected().map((to) =>
        push(to, receiving, wanted).catch((error: unknown) => {
          log.warn({ to, error: errorText(error) }, 'a document could not be sent to a member')
          return false
        }),
      )
      return {
        settled({ hash }, withinMs) {
          resolve(true)
          return oneOf(pushes, hash, withinMs)
        },
        dropped: () => resolve(false),
      }
    },
    async offer(hash, withinMs) {
      const stored = await documents.find(hash)
      if (!stored) return false
      const pushes = parts.connected().map((to) => pushStored(to, stored).catch(() => false))
      return oneOf(pushes, hash, withinMs)
    },
    fetch(hash) {
      if (!isHash(hash)) return Promise.resolve(false)
      const known = fetching.get(hash) ?? fetch(hash).finally(() => fetching.delete(hash))
      fetching.set(hash, known)
      return known
    },
    elsewhere: (hash) => !alone.has(hash) && alone.size < MOST_ALONE,
    async answer(from, body) {
      const asked = splitBytes(body)
      if (asked === undefined) return unknown
      const question = questionOf(asked.about)
      switch (question?.do) {
        case 'write':
          return write(from, question, asked.bytes())
        case 'finish':
          return keep(from, question)
        case 'abandon':
          await end(`${from} ${question.upload}`)
          return done
        case 'read': {
          const piece = await documents.read(question.hash, question.at, PIECE_BYTES)
          return piece === undefined ? unknown : { result: 'answered', body: piece.toString('base64') }
        }
        case 'have':
          settledHere(question.hash, true)
          return done
        case 'has':
          return { result: 'answered', body: (await documents.find(question.hash)) ? 'yes' : 'no' }
        default:
          return unknown
      }
    },
    wake() {
      if (stopped) return
      lookAgain = true
      // What was sent while it came is here already when the queue refers to it: many messages at once are one look.
      soon ??= setTimeout(() => {
        soon = undefined
        looking ??= lookAround()
      }, SOON_MS).unref()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      clearTimeout(soon)
      await looking
      await Promise.all([...coming.keys()].map(end))
    },
  }
  // What the last run lacked.
  peers.wake()
  return peers
}

const unknown: Answer = {
  result: 'failed',
  code: 'member-document-unknown',
  text: 'this member does not have that document, or not that part of it',
}
const tooMany: Answer = {
  result: 'failed',
  code: 'member-busy',
  text: 'too many documents at a time',
}

function questionOf({ do: what, upload, at, hash }: Record<string, unknown>): Question | undefined {
  const place = placeOf(at)
  const named = typeof upload === 'string' && upload.length <= 64 ? upload : undefined
  const document = typeof hash === 'string' && isHash(hash) ? hash : undefined
  if (what === 'write' && named !== undefined && place !== undefined)
    return { do: what, upload: named, at: place }
  if (what === 'finish' && named !== undefined && document !== undefined)
    return { do: what, upload: named, hash: document }
  if (what === 'abandon' && named !== undefined) return { do: what, upload: named }
  if (what === 'read' && document !== undefined && place !== undefined)
    return { do: what, hash: document, at: place }
  if ((what === 'have' || what === 'has') && document !== undefined) return { do: what, hash: document }
  return undefined
}

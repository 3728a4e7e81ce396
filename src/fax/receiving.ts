/**
 * Received faxes: each page is on the disk before its sender is told that it came, and the whole becomes one TIFF among
 * the documents and one entry of the inbox. A call that breaks off keeps what came of it; so does a program that ends in
 * the middle: what lies here at its next start is made whole then.
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { DocumentReference } from '#messages/message.ts'
import { type DocumentPeers, type DocumentStore, waitFor } from '#store/documents.ts'
import type { CallInResult, ReceivedPage } from './contract.ts'
import { writeTiff } from './tiff.ts'

/** Between two tries to store what the disk had no room for. */
const AGAIN_MS = 60_000
/** Pages of one call that are taken; a sender that never ends would fill the disk. */
const MOST_PAGES = 500

export interface IncomingCall {
  /** Resolves when the page is on the disk; rejects when it cannot be kept. */
  keep(page: ReceivedPage): Promise<void>
  /** Never rejects: what cannot be stored now is tried again. */
  end(result: CallInResult): Promise<void>
}

export interface FaxReceiver {
  /** @param caller as the caller-ID says, empty when it says nothing */
  begin(line: string, caller: string): IncomingCall
  /** What an earlier run left, and from then on what could not be stored. */
  start(): void
  stop(): void
}

export interface FaxReceiverOptions {
  /** Pages lie there until they are a document. */
  directory: string
  clock: Clock
  log: Log
  documents: Pick<DocumentStore, 'receive'>
  peers: Pick<DocumentPeers, 'follow'>
  /** Resolves when the entry is in the inbox. */
  receive(part: Omit<InboundPart, 'node'>): Promise<void>
}

/** What is known of a call; kept beside its pages. */
interface Call {
  id: string
  line: string
  caller: string
  /** ms since 1970 */
  at: number
}

/** How a call ended, as the inbox shows it. */
interface End {
  station?: string
  problem?: string
}

const cutOff: End = { problem: 'The appliance stopped during the call.' }

export function createFaxReceiver(options: FaxReceiverOptions): FaxReceiver {
  const { directory, clock, log, documents, peers, receive } = options
  let timer: NodeJS.Timeout | undefined
  const finishing = new Set<string>()
  const running = new Set<string>()

  async function keep(call: Call, page: ReceivedPage): Promise<void> {
    if (page.number >= MOST_PAGES) throw new Error(`a call may bring ${MOST_PAGES} pages at most`)
    const place = join(directory, call.id)
    if (page.number === 0 || !running.has(call.id)) {
      running.add(call.id)
      await mkdir(place, { recursive: true })
      await writeDurably(join(place, 'call.json'), Buffer.from(JSON.stringify(call)))
      await syncDirectory(directory)
    }
    const { data, ...facts } = page
    const head = Buffer.from(`${JSON.stringify(facts)}\n`)
    await writeDurably(join(place, nameOf(page.number)), Buffer.concat([head, data]))
    await syncDirectory(place)
  }

  async function end(call: Call, result: CallInResult): Promise<void> {
    if (result.result === 'no-fax') {
      log.info({ line: call.line }, result.text)
      // Somebody who sent pages was a fax machine, whatever came after them.
      if (!running.has(call.id)) return
    }
    const { station } = result.result === 'no-fax' ? {} : result.facts
    const text = result.result === 'received' ? undefined : result.text
    await finish(call, {
      ...(station === undefined ? {} : { station }),
      ...(text === undefined ? {} : { problem: text }),
    })
    running.delete(call.id)
  }

  /** @returns whether nothing is left to do */
  async function finish(call: Call, how: End): Promise<boolean> {
    if (finishing.has(call.id)) return false
    finishing.add(call.id)
    const place = join(directory, call.id)
    try {
      await writeDurably(join(place, 'end.json'), Buffer.from(JSON.stringify(how))).catch(() => {})
      const pages = await readPages(place)
      if (pages.length === 0) {
        log.info({ line: call.line, problem: how.problem }, 'a fax call brought no page')
        await rm(place, { recursive: true, force: true })
        return true
      }
      const from = call.caller || how.station?.trim() || 'unknown'
      const document = await store(writeTiff(pages), call, pages.length)
      const complete = how.problem === undefined && pages.every((page) => page.complete)
      await receive({
        fingerprint: `fax:${call.id}`,
        line: call.line,
        at: call.at,
        from,
        sentAt: call.at,
        text: '',
        fax: {
          pages: pages.length,
          complete,
          document,
          ...(how.station === undefined ? {} : { station: how.station }),
          ...(how.problem === undefined ? {} : { problem: how.problem }),
        },
      })
      await rm(place, { recursive: true, force: true })
      return true
    } catch (error) {
      log.error(
        { line: call.line, error: errorText(error) },
        'a received fax could not be stored yet; it is tried again',
      )
      retryLater()
      return false
    } finally {
      finishing.delete(call.id)
    }
  }

  /** It is our own TIFF, so nobody needs to look at it, and no limit of what is taken in holds for it. */
  async function store(bytes: Uint8Array, { id }: Call, pages: number): Promise<DocumentReference> {
    const receiving = await documents.receive(bytes.length)
    const following = peers.follow(receiving)
    try {
      await receiving.write(bytes)
      const stored = await receiving.finish()
      if (stored === undefined) throw new Error('the document was not kept')
      // Whoever gets to know of the fax should find its pages there too, as far as that is to be waited for.
      await following.settled(stored, waitFor(stored.bytes))
      return { hash: stored.hash, type: 'tiff', name: `fax-${id}.tif`, bytes: stored.bytes, pages }
    } finally {
      await receiving.abandon()
      await receiving.close()
    }
  }

  function retryLater(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void sweep(), AGAIN_MS)
  }

  /** Everything that lies here and belongs to no call under way. */
  async function sweep(): Promise<void> {
    const names = await readdir(directory).catch(() => [])
    for (const name of names) {
      if (running.has(name)) continue
      const place = join(directory, name)
      const call = await readJson<Call>(join(place, 'call.json'))
      if (call === undefined) {
        await rm(place, { recursive: true, force: true })
        continue
      }
      await finish(call, (await readJson<End>(join(place, 'end.json'))) ?? cutOff)
    }
  }

  return {
    begin(line, caller) {
      const at = clock.now()
      const call: Call = { id: newId(at), line, caller, at }
      // A page that is still being written when its call ends belongs to it.
      let writing: Promise<void> = Promise.resolve()
      return {
        keep(page) {
          const kept = keep(call, page)
          writing = kept.catch(() => {})
          return kept
        },
        async end(result) {
          await writing
          await end(call, result)
        },
      }
    },
    start: () => void sweep(),
    stop: () => clearTimeout(timer),
  }
}

const pagePattern = /^page-[0-9]{4}$/
const nameOf = (page: number): string => `page-${String(page).padStart(4, '0')}`

async function readPages(place: string): Promise<ReceivedPage[]> {
  const names = (await readdir(place).catch(() => [])).filter((name) => pagePattern.test(name)).sort()
  const pages: ReceivedPage[] = []
  for (const name of names) {
    const bytes = await readFile(join(place, name))
    const end = bytes.indexOf(0x0a)
    const facts: Omit<ReceivedPage, 'data'> = JSON.parse(bytes.toString('utf8', 0, end))
    if (facts.rows > 0) pages.push({ ...facts, data: bytes.subarray(end + 1) })
  }
  return pages
}

/** Written by this program; one that a crash cut off counts as absent. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    const read: T = JSON.parse(await readFile(path, 'utf8'))
    return read
  } catch {
    return undefined
  }
}

/** Whole or not at all: half a page after a power cut would keep the others from becoming a document. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`
  const file = await open(part, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(part, path)
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

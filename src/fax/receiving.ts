/**
 * Received faxes: each page is on this disk, and with another member that keeps up on its disk, before its sender is told
 * that it came. The whole becomes one TIFF among the documents and one entry of the inbox. A call that breaks off keeps
 * what came of it; so does a program that ends in the middle: what lies here at its next start is made whole then, and
 * what lies here of a member that is lost is made whole here.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#core/clock.ts'
import { writeDurably } from '#core/durable-file.ts'
import { errorText } from '#core/errors.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { DocumentReference } from '#messages/message.ts'
import { type DocumentPeers, type DocumentStore, waitFor } from '#store/documents.ts'
import {
  type Call,
  END_FILE,
  type End,
  endBytes,
  openCall,
  pageBytes,
  pageFile,
  readCall,
  readEnd,
  readPages,
} from './call-files.ts'
import type { CallInResult, ReceivedPage } from './contract.ts'
import type { PageCopies, PagePeers } from './page-copies.ts'
import { writeTiff } from './tiff.ts'

/** Between two tries to store what the disk had no room for. */
const AGAIN_MS = 60_000
/** Pages of one call that are taken; a sender that never ends would fill the disk. */
const MOST_PAGES = 500
/**
 * How long a page waits for another member's disk. Its sender asks again after 3 s (T.30, T4) up to three times, or is
 * told to wait: later than this it would give up a call that is well.
 */
const COPY_MS = 3_000
/** How often copies of other members' pages are looked at, and how long a member may be away before they are used. */
const WATCH_MS = 5_000
const AWAY_MS = 60_000

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
  /** Resolves when the entry is in the inbox. @param node the member that received it, where that is another one */
  receive(part: Omit<InboundPart, 'node'>, node?: string): Promise<void>
  /** Absent on an appliance that stands alone. */
  pair?: {
    copies: Pick<PageCopies, 'send'>
    standing: PagePeers['standing']
    /** Whether the inbox has an entry whose fingerprint begins like this. */
    received(fingerprint: string): Promise<boolean>
  }
}

const cutOff: End = { problem: 'The appliance stopped during the call.' }
const lost = (node: string): End => ({ problem: `${node}, which received it, was lost during the call.` })

export function createFaxReceiver(options: FaxReceiverOptions): FaxReceiver {
  const { directory, clock, log, documents, peers, receive, pair } = options
  let timer: NodeJS.Timeout | undefined
  let watching: NodeJS.Timeout | undefined
  const finishing = new Set<string>()
  const running = new Set<string>()
  let stopped = false

  async function keep(call: Call, page: ReceivedPage): Promise<void> {
    if (page.number >= MOST_PAGES) throw new Error(`a call may bring ${MOST_PAGES} pages at most`)
    const bytes = pageBytes(page)
    const name = pageFile(page.number)
    const [copied] = await Promise.all([
      pair?.copies.send(call, name, bytes, COPY_MS),
      keepHere(call, name, bytes),
    ])
    if (copied === false)
      log.warn({ line: call.line, page: page.number + 1 }, 'a received page is on this disk alone')
  }

  async function keepHere(call: Call, name: string, bytes: Buffer): Promise<void> {
    const place = join(directory, call.id)
    if (name === pageFile(0) || !running.has(call.id)) {
      running.add(call.id)
      await openCall(directory, call)
    }
    await writeDurably(join(place, name), bytes)
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
      await writeDurably(join(place, END_FILE), endBytes(how)).catch(() => {})
      const pages = await readPages(place)
      const end: End = pages.length === 0 ? { ...how, empty: true } : how
      if (call.node === undefined) void pair?.copies.send(call, END_FILE, endBytes(end), 0)
      if (end.empty) {
        log.info({ line: call.line, problem: how.problem }, 'a fax call brought no page')
        await rm(place, { recursive: true, force: true })
        return true
      }
      const from = call.caller || how.station?.trim() || 'unknown'
      const document = await store(writeTiff(pages), call, pages.length)
      const complete = how.problem === undefined && pages.every((page) => page.complete)
      const part = {
        // By its pages, and whether they are all: what two members make of one call is one part where it is the same,
        // and otherwise the fuller one stands (messages/grouping.ts).
        fingerprint: `${fingerprintOf(call)}:${document.hash}${complete ? '' : ':cut'}`,
        call: call.id,
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
      }
      await receive(part, call.node)
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
    if (stopped) return
    timer ??= setTimeout(() => {
      timer = undefined
      void sweep()
    }, AGAIN_MS)
  }

  /** Everything that lies here, is this member's own and belongs to no call under way. */
  async function sweep(): Promise<void> {
    for (const { call, end } of await lying()) {
      if (call.node === undefined) await finish(call, end ?? cutOff)
    }
  }

  async function lying(): Promise<{ call: Call; place: string; end: End | undefined }[]> {
    const calls: { call: Call; place: string; end: End | undefined }[] = []
    for (const name of await readdir(directory).catch(() => [])) {
      if (running.has(name) || finishing.has(name)) continue
      const place = join(directory, name)
      try {
        const call = await readCall(place)
        if (call !== undefined) calls.push({ call, place, end: await readEnd(place) })
        // A copy may be about to come in.
        else if (pair === undefined) await rm(place, { recursive: true, force: true })
      } catch (error) {
        log.error({ error: errorText(error) }, 'received pages that lie here could not be looked at')
        retryLater()
      }
    }
    return calls
  }

  /** Since when other members have been away, ms of the monotonic clock. */
  const away = new Map<string, number>()

  /** Copies of pages that another member received: in its hands, in the inbox by now, or ours to bring there. */
  async function watch(): Promise<void> {
    if (pair === undefined) return
    const awaySince = new Map(away)
    away.clear()
    for (const { call, place, end } of await lying()) {
      const { node } = call
      if (node === undefined) continue
      const standing = pair.standing(node)
      const now = clock.monotonic()
      const since = awaySince.get(node) ?? now
      if (standing === 'away') away.set(node, since)
      if (end?.empty || (await pair.received(fingerprintOf(call))))
        await rm(place, { recursive: true, force: true })
      else if (standing === 'lost' || (standing === 'away' && now - since >= AWAY_MS)) {
        log.warn({ line: call.line, node }, 'a fax call of a member that is lost is brought to the inbox')
        await finish(call, end ?? lost(node))
      }
    }
  }

  async function watchAgain(): Promise<void> {
    await watch().catch((error: unknown) =>
      log.error({ error: errorText(error) }, 'copies of received pages could not be looked through'),
    )
    if (!stopped) watching = setTimeout(() => void watchAgain(), WATCH_MS)
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
    start() {
      void sweep()
      if (pair !== undefined) watching = setTimeout(() => void watchAgain(), WATCH_MS)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      clearTimeout(watching)
    },
  }
}

const fingerprintOf = ({ id }: Call): string => `fax:${id}`

/**
 * Copies of received pages on the other members' disks while the call goes on: a page that its sender believes delivered
 * survives the box that received it. A file goes in pieces and is acknowledged once it is fsynced under its name. What a
 * copy becomes is receiving.ts's business.
 */
import type { Buffer } from 'node:buffer'
import { open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '#core/durable-file.ts'
import { errorText } from '#core/errors.ts'
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
import { type Call, isCallFile, isCallId, openCall, readCall } from './call-files.ts'

export const PAGES_TOPIC = 'fax-page'

/** Of one file: a page has 16 MB at most on its way to the disk. */
const MOST_BYTES = 20e6
/** Calls of other members of which pages lie here at a time. */
const MOST_CALLS = 64

/** The other members, as far as received pages are concerned; the pair provides it. */
export interface PagePeers {
  /** Those that are connected now. */
  connected(): readonly string[]
  /** Some connected member keeps up, so that waiting for it makes sense. */
  available(): boolean
  request(to: string, body: string, deadlineMs: number): Promise<Answer>
  /** `lost`: it is known to be dead, and this member is the one to act for it. `away`: the same without the certainty. */
  standing(node: string): 'here' | 'away' | 'lost' | 'not-ours'
}

export interface PageCopies {
  /** @returns whether some other member has the file on its disk in time; it is brought to the others all the same */
  send(call: Call, name: string, bytes: Uint8Array, withinMs: number): Promise<boolean>
  /** For the topic PAGES_TOPIC. */
  answer(from: string, body: string): Promise<Answer>
}

interface Piece {
  call: Call
  name: string
  at: number
  last: boolean
}

export function createPageCopies(directory: string, peers: PagePeers, log: Log): PageCopies {
  /** One piece is written at a time. Never rejects. */
  let turn: Promise<unknown> = Promise.resolve()

  /** @returns whether the member has all of it */
  async function push(to: string, call: Call, name: string, bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece: Piece = { call, name, at, last: at + PIECE_BYTES >= bytes.length }
      const question = withBytes(piece, bytes.subarray(at, at + PIECE_BYTES))
      const answer = await peers.request(to, question, PIECE_MS)
      if (answer.result === 'answered') continue
      log.warn({ to, call: call.id, code: answer.code }, 'a received page could not be copied to a member')
      return false
    }
    return true
  }

  async function write(from: string, { call, name, at, last }: Piece, bytes: Buffer): Promise<Answer> {
    const place = join(directory, call.id)
    if (at === 0) {
      const known = await readCall(place)
      if (known !== undefined && known.node !== from) return notTaken
      if (known === undefined) {
        if ((await readdir(directory).catch(() => [])).length >= MOST_CALLS) return tooMany
        await openCall(directory, { ...call, node: from })
      }
    }
    const part = join(place, `${name}.part`)
    const file = await open(part, at === 0 ? 'w' : 'a', 0o600)
    try {
      if ((await file.stat()).size !== at || at + bytes.length > MOST_BYTES) return notTaken
      await file.appendFile(bytes)
      if (last) await file.datasync()
    } finally {
      await file.close()
    }
    if (last) {
      await rename(part, join(place, name))
      await syncDirectory(place)
    }
    return done
  }

  return {
    send: (call, name, bytes, withinMs) =>
      oneInTime(
        peers.connected().map((to) => push(to, call, name, bytes)),
        peers.available() ? withinMs : 0,
      ),
    answer(from, body) {
      const asked = splitBytes(body)
      const piece = asked && pieceOf(asked.about)
      if (asked === undefined || piece === undefined) return Promise.resolve(notTaken)
      const mine = turn.then(() => write(from, piece, asked.bytes()))
      turn = mine.catch(() => {})
      return mine.catch((error: unknown) => {
        log.warn({ from, error: errorText(error) }, 'a page that another member received could not be kept')
        return { result: 'failed', code: 'disk-full', text: errorText(error) }
      })
    },
  }
}

const notTaken: Answer = {
  result: 'failed',
  code: 'member-question-unknown',
  text: 'this is no piece of a received page that this member takes',
}
const tooMany: Answer = {
  result: 'failed',
  code: 'member-busy',
  text: 'pages of too many calls lie here',
}

function pieceOf({ call, name, at, last }: Record<string, unknown>): Piece | undefined {
  if (typeof call !== 'object' || call === null) return undefined
  const { id, line, caller, at: began } = call as Partial<Call>
  const place = placeOf(at)
  if (typeof id !== 'string' || !isCallId(id) || typeof name !== 'string' || !isCallFile(name))
    return undefined
  if (typeof line !== 'string' || typeof caller !== 'string') return undefined
  if (typeof began !== 'number' || !Number.isSafeInteger(began)) return undefined
  if (place === undefined || typeof last !== 'boolean') return undefined
  return { call: { id, line, caller, at: began }, name, at: place, last }
}

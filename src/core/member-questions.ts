/**
 * What members ask each other over the links of the log (pair/replication/requests.ts carries it): the shape of an
 * answer, and how a question carries part of a file. Links carry texts, so that is a line of JSON that says what the
 * bytes are, and the bytes in base64 behind it.
 */
import { Buffer } from 'node:buffer'

export type Answer =
  | { result: 'answered'; body: string }
  /** Nothing is known of what became of it when `code` is `member-no-answer`; otherwise it did not happen. */
  | { result: 'failed'; code: string; text: string }

/** Bytes of a file in one question or answer: as base64 they fit what a link takes at a time. */
export const PIECE_BYTES = 90_000
/** How long a member may take over one. */
export const PIECE_MS = 10_000

/** Done, and there is nothing more to say. */
export const done: Answer = { result: 'answered', body: '' }

/** @param about what the bytes are; has no line break */
export function withBytes(about: object, bytes?: Uint8Array): string {
  return `${JSON.stringify(about)}\n${bytes === undefined ? '' : Buffer.from(bytes).toString('base64')}`
}

/** @returns the fields of the line, none of them checked, and the bytes; undefined for what withBytes() did not write */
export function splitBytes(body: string): { about: Record<string, unknown>; bytes(): Buffer } | undefined {
  const end = body.indexOf('\n')
  try {
    const about: unknown = JSON.parse(body.slice(0, Math.max(0, end)))
    if (typeof about !== 'object' || about === null) return undefined
    return { about: { ...about }, bytes: () => Buffer.from(body.slice(end + 1), 'base64') }
  } catch {
    return undefined
  }
}

/** Where in its file a piece begins. @returns undefined where it can be no place in a file */
export const placeOf = (at: unknown): number | undefined =>
  typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : undefined

/** Whether one of them comes true within the time; the others go on all the same. Never rejects. */
export async function oneInTime(tries: readonly Promise<boolean>[], withinMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, withinMs, false)
  const first = Promise.any(tries.map(async (one) => (await one) || Promise.reject(new Error('not there'))))
  const came = await Promise.race([first.catch(() => false), late])
  clearTimeout(timer)
  return came
}

/**
 * The files of a received call while it is no document yet: a directory with `call.json`, a file for each page (a line
 * of JSON with its facts, its rows behind it) and, once it is over, `end.json`. Each is whole or not there at all.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile, syncDirectory } from '#core/durable-file.ts'
import type { ReceivedPage } from './contract.ts'

/** What is known of a call. */
export interface Call {
  id: string
  line: string
  caller: string
  /** ms since 1970 */
  at: number
  /** The member that received it, where that is another one: these are copies of its pages. */
  node?: string
}

/** How a call ended, as the inbox shows it. */
export interface End {
  station?: string
  problem?: string
  /** Nothing of it was confirmed, so that copies of its pages are nothing, either. */
  empty?: true
}

export const END_FILE = 'end.json'
const CALL_FILE = 'call.json'
const pagePattern = /^page-[0-9]{4}$/

export const pageFile = (page: number): string => `page-${String(page).padStart(4, '0')}`
/** Of what may be copied to another member: such names cannot lead out of the directory. */
export const isCallFile = (name: string): boolean => name === END_FILE || pagePattern.test(name)
export const isCallId = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

/** @param directory that of all calls @returns that of this one */
export async function openCall(directory: string, call: Call): Promise<string> {
  const place = join(directory, call.id)
  await mkdir(place, { recursive: true })
  await replaceFile(join(place, CALL_FILE), Buffer.from(JSON.stringify(call)))
  await syncDirectory(directory)
  return place
}

export const readCall = (place: string): Promise<Call | undefined> => readJson<Call>(join(place, CALL_FILE))
export const readEnd = (place: string): Promise<End | undefined> => readJson<End>(join(place, END_FILE))

export const endBytes = (end: End): Buffer => Buffer.from(JSON.stringify(end))

export function pageBytes({ data, ...facts }: ReceivedPage): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(facts)}\n`), data])
}

/** Fails where pages may be there and cannot be read now: they are not to be taken for none. */
export async function readPages(place: string): Promise<ReceivedPage[]> {
  const names = (await unlessAbsent(readdir(place), [])).filter((name) => pagePattern.test(name)).sort()
  const pages: ReceivedPage[] = []
  for (const name of names) {
    const bytes = await readFile(join(place, name))
    const end = bytes.indexOf(0x0a)
    const facts: Omit<ReceivedPage, 'data'> = JSON.parse(bytes.toString('utf8', 0, end))
    if (facts.rows > 0) pages.push({ ...facts, data: bytes.subarray(end + 1) })
  }
  return pages
}

/** Written by this program; one that a crash cut off counts as absent, and one that cannot be read now does not. */
async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await unlessAbsent(readFile(path, 'utf8'), '')
  try {
    const read: T = JSON.parse(text)
    return read
  } catch {
    return undefined
  }
}

const unlessAbsent = <T>(reading: Promise<T>, absent: T): Promise<T> =>
  reading.catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? absent : Promise.reject(error)))

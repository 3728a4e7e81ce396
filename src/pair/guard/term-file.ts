/**
 * The highest term that this member has seen, on the disk before it is acted upon. The only thing that the guard
 * writes: whole or not at all, also across a power cut.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '#core/durable-file.ts'
import { errorText } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'

const pathIn = (directory: string): string => join(directory, 'term')

export type StoredTerm = { term?: Term } | { problem: string }

/** @returns no term when none was ever stored, a problem when there is a file that cannot be used */
export async function readTerm(directory: string): Promise<StoredTerm> {
  let text: string
  try {
    text = await readFile(pathIn(directory), 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return missing ? {} : { problem: errorText(error) }
  }
  const [, counter, node] = /^(\d{1,15}) (\S{1,200})\n$/.exec(text) ?? []
  if (counter === undefined || node === undefined) return { problem: `${pathIn(directory)} holds no term` }
  return { term: { counter: Number(counter), node } }
}

/** @throws when the disk refuses it */
export async function writeTerm(directory: string, { counter, node }: Term): Promise<void> {
  await writeDurably(pathIn(directory), `${counter} ${node}\n`)
}

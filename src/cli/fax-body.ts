/** A document and its fields as multipart/form-data (RFC 7578), for twinline send --fax. */
import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { errorText } from '#core/errors.ts'
import { Ended, exit } from './outcome.ts'

export interface FaxBody {
  body: Buffer
  contentType: string
  /** How much longer the answer may take for the document's sake, ms: it is looked at, and goes to another member's disk. */
  patience: number
}

/** An appliance takes no more. */
const LARGEST = 100_000_000

/** @throws Ended when the file cannot be read */
export async function faxBody(
  file: string,
  fields: readonly (readonly [name: string, value: string])[],
): Promise<FaxBody> {
  const document = await read(file)
  const boundary = `twinline-${randomUUID()}`
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  // As browsers write what cannot stand between quotes.
  const name = basename(file).replace(
    /["\r\n]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="document"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`
  return {
    body: Buffer.concat([
      Buffer.from(parts.join('') + head),
      document,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
    contentType: `multipart/form-data; boundary=${boundary}`,
    patience: 60_000 + Math.ceil(document.length / 1_000),
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file)
    if (size <= LARGEST) return await readFile(file)
  } catch (error) {
    throw new Ended(exit.usage, `the file ${file} cannot be read: ${why(error)}`)
  }
  throw new Ended(exit.usage, `the file ${file} has more than ${LARGEST / 1e6} MB`)
}

/** In words, where it is one of the usual mistakes. */
function why(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'it is not there'
    case 'EISDIR':
      return 'it is a directory'
    case 'EACCES':
      return 'you may not read it'
    default:
      return errorText(error)
  }
}

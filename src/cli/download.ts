/** A file from an appliance: written beside its name first, so that what is there is whole. */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { errorText } from '#core/errors.ts'
import { begin, type Call, type Target } from './client.ts'
import { Ended, exit } from './outcome.ts'
import { problemText } from './target.ts'

/** A copy of a large store takes its time before the first byte, ms. */
const PATIENCE_MS = 600_000

/**
 * @param looked told of the file before it gets its name; what it throws leaves no file
 * @throws Ended when it is refused, or nobody can be reached
 */
export async function download(
  target: Target,
  { method, path, body }: Call,
  file: string,
  looked: (part: string) => Promise<void> = async () => {},
): Promise<void> {
  const part = `${file}.part`
  const response = await answered(target, method, `/api/v1${path}`, body)
  if (response.statusCode !== 200) {
    const text = await readText(response)
    throw new Ended(
      exit.refused,
      `${target.name}: ${problemText({ status: response.statusCode ?? 0, body: parsed(text) })}`,
    )
  }
  try {
    await pipeline(response, createWriteStream(part, { mode: 0o600 }))
    await looked(part)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof Ended) throw error
    throw new Ended(exit.refused, `${file} was not written: ${errorText(error)}`)
  }
}

function answered(
  target: Target,
  method: string,
  path: string,
  body: Call['body'],
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new Ended(exit.unreachable, `cannot reach ${target.name}: ${errorText(error)}`))
    try {
      const request = begin(target, path, {
        method,
        agent: false,
        timeout: PATIENCE_MS,
        headers: {
          ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        },
      })
      request.once('response', resolve)
      request.once('timeout', () => request.destroy(new Error('no answer in time')))
      request.once('error', fail)
      request.end(body)
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

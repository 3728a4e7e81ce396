/**
 * Messages with a document: multipart/form-data (RFC 7578) by @fastify/multipart. The document is stored and sent to
 * the other members while it comes, never held in memory; the fields may stand before it or behind. What was read
 * becomes the request's body, so that one schema checks it like JSON.
 */
import { finished } from 'node:stream/promises'
import multipart from '@fastify/multipart'
import type { FastifyRequest, preValidationAsyncHookHandler } from 'fastify'
import type { FaxDocuments } from '#fax/documents/contract.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Api, Parts } from './parts.ts'
import { notTaken, Problem, valuesOf } from './problems.ts'

/** A document is bounded by documents.maxSize, fields by these. `to` may name thousands. */
const limits = {
  fileSize: 1e9,
  files: 2,
  fields: 2_000,
  parts: 2_002,
  fieldSize: 1_300_000,
  fieldNameSize: 100,
}
/** Bytes of a refused request that are read and dropped, so that its sender lives to see why. */
const DROPPED = 64_000_000
const DROPPED_MS = 30_000

/** Stands for any document where only the recipients are asked about. */
const anyDocument: DocumentReference = { hash: '', type: 'text', name: '', bytes: 1, pages: 1 }

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** The documents that came with requests. */
const taken = new WeakMap<FastifyRequest, DocumentReference>()

export const documentOf = (request: FastifyRequest): DocumentReference | undefined => taken.get(request)

/** Lets the routes of a scope take multipart/form-data. */
export function takeMultipart(scope: Api): void {
  void scope.register(multipart, { limits })
}

/** Reads the body of such a request. `documents` is absent where no member can have a fax line. */
export function readMultipart({
  documents,
  withoutLine,
  check,
}: Pick<Parts, 'documents' | 'withoutLine' | 'check'>): preValidationAsyncHookHandler {
  return async (request) => {
    // Without a body there is no content type by whose schema it would be checked.
    if (request.body === undefined && !request.isMultipart()) throw noBody
    if (!request.isMultipart()) return
    try {
      const unserved = withoutLine?.('fax')
      if (unserved) throw notTaken(unserved)
      if (documents === undefined) throw noLine
      request.body = await readParts(request, documents, check)
    } catch (error) {
      await drop(request)
      throw problemOf(error)
    }
  }
}

const noBody = new Problem(400, 'wrong-type', 'the body must be of type object')

const noLine = new Problem(400, 'no-line', 'channel: no fax line is configured on this appliance', {
  field: 'channel',
})

async function readParts(
  request: FastifyRequest,
  documents: Pick<FaxDocuments, 'take'>,
  check: Parts['check'],
): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {}
  for await (const part of request.parts()) {
    const { fieldname: name } = part
    if (part.type === 'field') {
      addField(body, name, part.value, part.valueTruncated)
      continue
    }
    if (name !== 'document') {
      throw new Problem(400, 'unknown-field', `${name} is not a file of this request`, {
        field: name,
        allowed: ['document'],
      })
    }
    if (taken.has(request)) {
      throw new Problem(400, 'too-many', 'document may stand once; send one message for each', {
        field: 'document',
      })
    }
    // Whoever names the recipients first is told of a wrong one before megabytes are taken.
    const early =
      isTexts(body['to']) &&
      check?.({ to: body['to'], text: '', document: anyDocument, source: request.source })
    if (early && early.result === 'invalid') throw notTaken(early)
    const result = await documents.take(part.file, part.filename ?? '')
    if (result.result === 'refused')
      throw new Problem(result.status, result.code, result.text, {
        field: 'document',
        ...valuesOf(result),
      })
    taken.set(request, result.document)
    body['document'] = result.document.name
  }
  return body
}

function addField(body: Record<string, unknown>, name: string, value: unknown, cut: boolean): void {
  if (typeof value !== 'string' || cut) {
    throw new Problem(400, cut ? 'too-long' : 'wrong-type', `${name} must be a text of this request`, {
      field: name,
    })
  }
  if (name === 'document') {
    throw new Problem(
      400,
      'wrong-type',
      'document must be a file, with a file name (curl: -F document=@FILE)',
      {
        field: name,
      },
    )
  }
  if (name === 'to') {
    const named = value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
    body[name] = [...(Array.isArray(body[name]) ? body[name] : []), ...named]
    return
  }
  if (body[name] !== undefined) throw new Problem(400, 'too-many', `${name} may stand once`, { field: name })
  if (name === 'priority' && /^[0-9]$/.test(value)) body[name] = Number(value)
  else body[name] = value
}

/** What is left of the request is read and dropped, for no longer than a while, so that its sender lives to see why. */
export async function drop({ raw, headers }: FastifyRequest): Promise<void> {
  if (raw.readableEnded || raw.destroyed || Number(headers['content-length'] ?? 0) > DROPPED) return
  raw.unpipe()
  raw.resume()
  await finished(raw, { signal: AbortSignal.timeout(DROPPED_MS) }).catch(() => {})
}

/** The parser's own refusals, by its error codes. */
const ofParser: Readonly<Record<string, readonly [number, string, string]>> = {
  FST_PARTS_LIMIT: [413, 'body-too-large', 'the request has more parts than this appliance takes'],
  FST_FILES_LIMIT: [413, 'body-too-large', 'the request has more files than this appliance takes'],
  FST_FIELDS_LIMIT: [413, 'body-too-large', 'the request has more fields than this appliance takes'],
}

function problemOf(error: unknown): unknown {
  if (error instanceof Problem) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = ofParser[code]
  if (known !== undefined) return new Problem(...known)
  // What busboy says of a body that is no multipart has no code of its own.
  if (error instanceof Error && (code === '' || code.startsWith('FST_')))
    return new Problem(
      400,
      'malformed-multipart',
      `the body is not valid multipart/form-data: ${error.message}`,
    )
  return error
}

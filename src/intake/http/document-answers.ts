/** Documents and their pages as answers: named by their hash, so that whoever has them already is told so (RFC 9110, 13.1.2). */
import { createReadStream } from 'node:fs'
import type { FastifyReply } from 'fastify'
import { CodedError } from '#core/errors.ts'
import type { FaxDocuments } from '#fax/documents/contract.ts'
import { pdfOf } from '#fax/received-pdf.ts'
import { Problem } from './problems.ts'

/** As the description names such an answer. */
export const file = { type: 'string', format: 'binary' } as const

export interface Asked {
  headers: { 'if-none-match'?: string | undefined }
}

/** Says what the answer is, and whether the client has it already; the answer is complete then. */
export function had({ headers }: Asked, reply: FastifyReply, tag: string): boolean {
  const entity = `"${tag}"`
  void reply.header('etag', entity)
  const known = (headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  if (!known.includes(entity) && !known.includes('*')) return false
  void reply.code(304).send()
  return true
}

/**
 * A TIFF of pages, as it is or as PDF.
 * @param find its path; asked only where the client does not have it
 */
export async function sendPages(
  request: Asked,
  reply: FastifyReply,
  pages: { hash: string; name: string; type: 'pdf' | 'tiff'; find(): Promise<string | undefined> },
): Promise<FastifyReply> {
  const { hash, name, type } = pages
  if (had(request, reply, type === 'tiff' ? hash : `${hash}.pdf`)) return reply
  const path = await pages.find()
  if (path === undefined) throw away
  void reply.header('content-disposition', `inline; filename="${name}.${type === 'pdf' ? 'pdf' : 'tif'}"`)
  if (type === 'tiff') return reply.type('image/tiff').send(createReadStream(path))
  return reply.type('application/pdf').send(await pdf(path))
}

/** One page, as a picture. */
export async function sendPicture(
  request: Asked,
  reply: FastifyReply,
  documents: Pick<FaxDocuments, 'find' | 'picture'>,
  { hash, pages, page }: { hash: string; pages: number; page: number },
): Promise<FastifyReply> {
  if (page > pages)
    throw new Problem(404, 'page-unknown', `there is no page ${page}; it has ${pages}`, {
      field: 'page',
      values: { page, pages },
    })
  if (had(request, reply, `${hash}.${page}.png`)) return reply
  const picture = await documents.picture({ hash }, page)
  if (picture === undefined) throw away
  return reply.type('image/png').send(picture)
}

const away = new Problem(503, 'document-away', 'no member that can be reached has the pages of this fax')

async function pdf(path: string): Promise<Buffer> {
  try {
    return await pdfOf(path)
  } catch (error) {
    if (error instanceof CodedError) throw new Problem(503, error.code, error.message)
    throw error
  }
}

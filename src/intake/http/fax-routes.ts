/** The pages of received faxes over HTTP. */
import { createReadStream } from 'node:fs'
import { CodedError } from '#core/errors.ts'
import type { FaxDocuments } from '#fax/documents/contract.ts'
import { pdfOf } from '#fax/received-pdf.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import * as schemas from './schemas.ts'

export function faxRoutes(
  api: Api,
  { access, store }: Pick<Parts, 'access' | 'store'>,
  documents: Pick<FaxDocuments, 'find'>,
): void {
  api.get(
    '/inbox/:id/document',
    {
      onRequest: requires('read', access),
      schema: {
        tags: ['inbox'],
        summary: 'The pages of a received fax, as PDF (default) or as the TIFF that is stored',
        params: schemas.idParam,
        querystring: schemas.faxDocumentQuery,
      },
    },
    async ({ params, query }, reply) => {
      const { id } = params
      const entry = await store.inboxEntry(id)
      if (entry?.fax === undefined)
        throw new Problem(404, 'fax-unknown-id', 'there is no received fax with this id', { field: 'id' })
      const path = await documents.find(entry.fax.document)
      if (path === undefined)
        throw new Problem(503, 'document-away', 'no member that can be reached has the pages of this fax')
      const type = query.type ?? 'pdf'
      void reply.header(
        'content-disposition',
        `inline; filename="fax-${id}.${type === 'pdf' ? 'pdf' : 'tif'}"`,
      )
      if (type === 'tiff') return reply.type('image/tiff').send(createReadStream(path))
      return reply.type('application/pdf').send(await pdf(path))
    },
  )
}

async function pdf(path: string): Promise<Buffer> {
  try {
    return await pdfOf(path)
  } catch (error) {
    if (error instanceof CodedError) throw new Problem(503, error.code, error.message)
    throw error
  }
}

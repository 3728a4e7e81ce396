/** The pages of received faxes over HTTP. */
import type { FaxDocuments } from '#fax/documents/contract.ts'
import type { InboundFax } from '#messages/inbound.ts'
import { requires } from './auth.ts'
import { file, sendPages, sendPicture } from './document-answers.ts'
import * as schemas from './message-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { idParam } from './schemas.ts'

export function faxRoutes(
  api: Api,
  { access, store }: Pick<Parts, 'access' | 'store'>,
  documents: Pick<FaxDocuments, 'find' | 'picture'>,
): void {
  const [onRequest, tags] = [requires('read', access), ['inbox']]

  async function faxOf(id: string): Promise<InboundFax> {
    const entry = await store.inboxEntry(id)
    if (entry?.fax !== undefined) return entry.fax
    throw new Problem(404, 'fax-unknown-id', 'there is no received fax with this id', { field: 'id' })
  }

  api.get(
    '/inbox/:id/document',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The pages of a received fax, as PDF (default) or as the TIFF that is stored',
        params: idParam,
        querystring: schemas.faxDocumentQuery,
        produces: ['application/pdf', 'image/tiff'],
        response: { 200: file },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { document } = await faxOf(id)
      const { type = 'pdf' } = request.query
      const find = () => documents.find(document)
      return sendPages(request, reply, { hash: document.hash, name: `fax-${id}`, type, find })
    },
  )

  api.get(
    '/inbox/:id/pages/:page',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One page of a received fax, as PNG',
        params: schemas.pageParam,
        produces: ['image/png'],
        response: { 200: file },
      },
    },
    async (request, reply) => {
      const { document, pages } = await faxOf(request.params.id)
      const page = Number(request.params.page)
      return sendPicture(request, reply, documents, { hash: document.hash, pages, page })
    },
  )
}

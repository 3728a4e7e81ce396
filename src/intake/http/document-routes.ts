/** The document of a message over HTTP: as it came, and as the pages that are faxed of it. */
import { createReadStream } from 'node:fs'
import type { FaxDocuments, PagesResult } from '#fax/documents/contract.ts'
import type { DocumentReference } from '#messages/message.ts'
import { requires } from './auth.ts'
import { file, had, sendPages, sendPicture } from './document-answers.ts'
import * as schemas from './message-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { idParam } from './schemas.ts'

/** What a browser is told; text is never taken for anything that it could run. */
const mediaTypes = {
  pdf: 'application/pdf',
  tiff: 'image/tiff',
  png: 'image/png',
  jpeg: 'image/jpeg',
  text: 'text/plain; charset=utf-8',
} as const

export function documentRoutes(api: Api, { access, store, documents }: Parts): void {
  const [onRequest, tags] = [requires('read', access), ['messages']]

  async function documentOf(id: string): Promise<{ document: DocumentReference; at: FaxDocuments }> {
    const document = (await store.message(id))?.message.document
    if (document === undefined || documents === undefined)
      throw new Problem(404, 'document-unknown', 'there is no message with this id and a document', {
        field: 'id',
      })
    return { document, at: documents }
  }

  /** Made where they have not been made yet; in the finer resolution, whatever the line sends. */
  async function pagesOf(
    id: string,
  ): Promise<Extract<PagesResult, { result: 'pages' }> & { at: FaxDocuments }> {
    const { document, at } = await documentOf(id)
    const made = await at.pages(document, { resolution: 196 })
    if (made.result === 'pages') return { ...made, at }
    throw new Problem(made.result === 'later' ? 503 : 422, made.reason.code, made.reason.text)
  }

  api.get(
    '/messages/:id/document',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The document of a message, as it came',
        params: idParam,
        produces: Object.values(mediaTypes).map((type) => type.split(';')[0] ?? type),
        response: { 200: file },
      },
    },
    async (request, reply) => {
      const { document, at } = await documentOf(request.params.id)
      if (had(request, reply, document.hash)) return reply
      const path = await at.find(document)
      if (path === undefined)
        throw new Problem(503, 'document-away', 'no member that can be reached has this document')
      void reply
        .type(mediaTypes[document.type])
        .header('x-content-type-options', 'nosniff')
        .header('content-length', document.bytes)
        .header(
          'content-disposition',
          `attachment; filename*=UTF-8''${encodeURIComponent(document.name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
        )
      return reply.send(createReadStream(path))
    },
  )

  api.get(
    '/messages/:id/pages',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What is faxed of a message, without the line above each page: PDF (default) or TIFF',
        params: idParam,
        querystring: schemas.faxDocumentQuery,
        produces: ['application/pdf', 'image/tiff'],
        response: { 200: file },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { hash, file } = await pagesOf(id)
      const { type = 'pdf' } = request.query
      return sendPages(request, reply, { hash, name: `pages-${id}`, type, find: async () => file })
    },
  )

  api.get(
    '/messages/:id/pages/:page',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One page of what is faxed of a message, as PNG',
        params: schemas.pageParam,
        produces: ['image/png'],
        response: { 200: file },
      },
    },
    async (request, reply) => {
      const { hash, pages, at } = await pagesOf(request.params.id)
      return sendPicture(request, reply, at, { hash, pages, page: Number(request.params.page) })
    },
  )
}

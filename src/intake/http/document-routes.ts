/** The document of a message over HTTP, as it came. */
import { createReadStream } from 'node:fs'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import * as schemas from './schemas.ts'

/** What a browser is told; text is never taken for anything that it could run. */
const mediaTypes = {
  pdf: 'application/pdf',
  tiff: 'image/tiff',
  png: 'image/png',
  jpeg: 'image/jpeg',
  text: 'text/plain; charset=utf-8',
} as const

export function documentRoutes(api: Api, { access, store, documents }: Parts): void {
  api.get(
    '/messages/:id/document',
    {
      onRequest: requires('read', access),
      schema: {
        tags: ['messages'],
        summary: 'The document of a message, as it came',
        params: schemas.idParam,
      },
    },
    async ({ params }, reply) => {
      const document = (await store.message(params.id))?.message.document
      if (document === undefined)
        throw new Problem(404, 'document-unknown', 'there is no message with this id and a document', {
          field: 'id',
        })
      const path = await documents?.find(document)
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
}

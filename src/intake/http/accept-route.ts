/** POST /messages: a text as JSON, or a document with its fields as multipart/form-data. */
import { createHash } from 'node:crypto'
import { parseDuration } from '#core/duration.ts'
import { limits, type SubmitRequest } from '#dispatch/contract.ts'
import type { DocumentReference } from '#messages/message.ts'
import { requires } from './auth.ts'
import { roomForBody } from './large-bodies.ts'
import * as schemas from './message-schemas.ts'
import { documentOf, readMultipart, takeMultipart } from './multipart.ts'
import type { Api, Parts } from './parts.ts'
import { notTaken, Problem } from './problems.ts'
import type { Shape } from './schemas.ts'
import { acceptedView } from './views.ts'

type NewMessage = Shape<typeof schemas.newMessage>
/** As multipart.ts reads it: the document's name stands for what was taken. */
type NewFax = Shape<typeof schemas.newFax>

const fields = Object.keys(schemas.newMessage.properties)

/** Over the fields in one fixed order, so that the order and the white space of the JSON do not matter. */
function bodyHash(body: NewMessage | NewFax, document: DocumentReference | undefined): string {
  const hash = createHash('sha256').update(JSON.stringify(body, fields))
  return (document === undefined ? hash : hash.update(document.hash)).digest('hex')
}

function submitRequest(
  body: NewMessage | NewFax,
  source: string,
  key: string | undefined,
  document: DocumentReference | undefined,
): SubmitRequest {
  const { validity, text = '', ...same } = body
  for (const field of ['text', 'tag'] as const) {
    // A lone half of a surrogate pair is no character: it could be neither stored nor sent as it came.
    if (body[field]?.isWellFormed() === false)
      throw new Problem(400, 'malformed-text', `${field} holds half a surrogate pair`, { field })
  }
  const { document: _name, ...rest } = { document: undefined, ...same }
  const request: SubmitRequest = { ...rest, text, source, ...(document === undefined ? {} : { document }) }
  if (validity !== undefined) {
    const ms = parseDuration(validity)
    if (ms === undefined)
      throw new Problem(400, 'invalid-validity', 'validity must be a span such as 30m', { field: 'validity' })
    request.validity = ms
  }
  if (key !== undefined) request.key = { key, bodyHash: bodyHash(body, document) }
  return request
}

export function acceptRoute(scope: Api, parts: Parts): void {
  const { dispatch, metrics, access } = parts
  takeMultipart(scope)
  scope.post(
    '/messages',
    {
      onRequest: [requires('send', access), roomForBody()],
      preValidation: readMultipart(parts),
      bodyLimit: limits.body,
      schema: {
        tags: ['messages'],
        summary: 'Accept a message; 202 means that it is on disk',
        description:
          'JSON for a text; multipart/form-data for a fax, with the file `document` and the same fields. A document is PDF, TIFF, PNG, JPEG or plain text, told by its content.',
        body: {
          content: {
            'application/json': { schema: schemas.newMessage },
            'multipart/form-data': { schema: schemas.newFax },
          },
        },
        headers: schemas.idempotencyHeader,
        response: { 202: schemas.accepted },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key']
      // The schema of its content type has checked it.
      const body = request.body as NewMessage | NewFax
      const result = await dispatch.submit(submitRequest(body, request.source, key, documentOf(request)))
      switch (result.result) {
        case 'accepted':
          if (result.replayed) reply.header('idempotent-replay', 'true')
          else metrics.accepted('http')
          reply.code(202)
          return acceptedView(result.view, result.replicated)
        case 'conflict':
          throw new Problem(409, 'key-reused', 'this Idempotency-Key came before with another body', {
            field: 'Idempotency-Key',
          })
        default:
          throw notTaken(result)
      }
    },
  )
}

/**
 * What the shapes of the HTTP interface are made of (message-schemas.ts, line-schemas.ts and the others), and those that
 * every route has. One JSON Schema each, which validates requests, writes answers and is the OpenAPI document. Plain
 * objects whose types are inferred, because a schema library costs 12 MB of memory at run time.
 */
import type { FastifyTypeProvider } from 'fastify'
import type { XSchema, XStatic } from 'typebox/schema'

export type Shape<S> = S extends XSchema ? XStatic<S> : unknown

/** Tells fastify's types what a validated request holds. */
export interface SchemaTypes extends FastifyTypeProvider {
  validator: Shape<this['schema']>
  serializer: unknown
}

export const problemMediaType = 'application/problem+json'

/** An object that has these properties and no others. */
export function object<const P extends object, const R extends readonly (keyof P & string)[]>(
  properties: P,
  required: R,
) {
  return {
    type: 'object',
    additionalProperties: false,
    required,
    properties,
  } as const
}

export const list = <const S extends object>(items: S) => ({ type: 'array', items }) as const

export const text = { type: 'string' } as const
export const count = { type: 'integer', minimum: 0 } as const
export const flag = { type: 'boolean' } as const
/** ISO 8601 in UTC. Not checked on the way out: it is made by Date. */
export const time = { type: 'string', description: 'ISO 8601, UTC' } as const

/** Of a state that needs one. */
export const reason = object({ code: text, text }, ['code', 'text'])

export const page = <const S extends object>(items: S) =>
  object(
    {
      items: list(items),
      next: {
        ...text,
        description: 'Pass as `after`; absent on the last page',
      },
    },
    ['items'],
  )

export const pageQuery = {
  limit: { type: 'integer', minimum: 1, maximum: 500 },
  after: { type: 'string', minLength: 1, maxLength: 100 },
} as const

export const idParam = object({ id: { type: 'string', minLength: 1, maxLength: 100 } }, ['id'])

export const problem = {
  $id: 'problem',
  ...object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: { ...text, description: 'What is wrong, for people' },
      code: {
        ...text,
        description: 'What is wrong, for programs; see docs/errors.md',
      },
      field: { ...text, description: 'The field at fault, such as to[3]' },
      allowed: {
        type: 'array',
        items: {},
        description: 'What the field may be',
      },
      until: { ...time, description: 'Until when it stays refused, where that is known' },
      values: {
        type: 'object',
        additionalProperties: { type: ['string', 'number'] },
        description: 'Names and figures of what is wrong, which the detail has as well; see docs/errors.md',
      },
    },
    ['type', 'title', 'status', 'detail', 'code'],
  ),
} as const

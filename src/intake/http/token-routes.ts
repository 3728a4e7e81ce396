/** API tokens over HTTP. Needs the scope admin, which no token has by default, or the control socket. */
import type { TokenRecord } from '#messages/operation.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { idParam } from './schemas.ts'
import * as schemas from './token-schemas.ts'
import { defaultScopes } from './tokens.ts'
import { iso } from './views.ts'

const tokenView = ({ id, name, scopes, createdAt, createdBy }: TokenRecord) => ({
  id,
  name,
  scopes: [...scopes],
  createdAt: iso(createdAt),
  ...(createdBy === undefined ? {} : { createdBy }),
})

export function tokenRoutes(api: Api, { access, log, records }: Parts): void {
  const admin = requires('admin', access)
  const tags = ['tokens']

  api.get(
    '/tokens',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'All API tokens',
        response: { 200: schemas.tokenList },
      },
    },
    async () => {
      const entries = await access.tokens.list()
      return {
        items: entries.map((entry) => ({
          ...tokenView(entry),
          ...(entry.lastUsedAt === undefined ? {} : { lastUsedAt: iso(entry.lastUsedAt) }),
        })),
      }
    },
  )

  api.post(
    '/tokens',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'Make an API token',
        body: schemas.newToken,
        response: { 201: schemas.createdToken },
      },
    },
    async ({ body, source }, reply) => {
      const { token, record } = await access.tokens.create({
        name: body.name,
        scopes: body.scopes ?? defaultScopes,
        by: source,
      })
      log.info(
        {
          tokenId: record.id,
          name: record.name,
          scopes: record.scopes,
          by: source,
        },
        'token created',
      )
      records?.audit.write(
        source,
        'token-created',
        `token ${record.id} (${record.name}) may ${record.scopes.join(', ')}`,
      )
      reply.code(201)
      return { ...tokenView(record), token }
    },
  )

  api.delete(
    '/tokens/:id',
    {
      onRequest: admin,
      schema: {
        tags,
        summary: 'Revoke an API token',
        params: idParam,
        response: { 204: { type: 'null', description: 'Revoked' } },
      },
    },
    async ({ params, source }, reply) => {
      if (!(await access.tokens.revoke(params.id)))
        throw new Problem(404, 'token-unknown', 'there is no token with this id', { field: 'id' })
      log.info({ tokenId: params.id, by: source }, 'token revoked')
      records?.audit.write(source, 'token-revoked', `token ${params.id} was revoked`)
      reply.code(204)
    },
  )
}

/** The people who use the panel, for administrators. Changes are made on the active member and replicate. */
import type { UserRecord } from '#messages/operation.ts'
import { requires } from './auth.ts'
import { forwarded } from './forward.ts'
import * as schemas from './panel-schemas.ts'
import type { Api, Parts } from './parts.ts'
import type { Shape } from './schemas.ts'
import { iso } from './views.ts'

/** Of a later version's languages nothing is shown. */
export const languageView = (language: string | undefined): { language?: 'en' | 'de' } =>
  language === 'en' || language === 'de' ? { language } : {}

export function userRoutes(api: Api, { access, records, forward }: Parts): void {
  const { users, sessions } = access
  const admin = requires('admin', access)
  const tags = ['users']

  function userView({ name, role, language, createdAt, createdBy }: UserRecord): Shape<typeof schemas.user> {
    const open = sessions.of(name)
    const lastSeen = open[0]?.usedAt
    return {
      name,
      role,
      ...languageView(language),
      createdAt: iso(createdAt),
      createdBy,
      sessions: open.length,
      ...(lastSeen === undefined ? {} : { lastSeen: iso(lastSeen) }),
    }
  }

  forwarded(api, forward, (routes) => {
    routes.get(
      '/users',
      { onRequest: admin, schema: { tags, summary: 'All users', response: { 200: schemas.userList } } },
      async () => ({ items: users.list().map(userView) }),
    )

    routes.post(
      '/users',
      {
        onRequest: admin,
        schema: { tags, summary: 'Make a user', body: schemas.newUser, response: { 201: schemas.user } },
      },
      async ({ body, source }, reply) => {
        const user = await users.create(body, source)
        records?.audit.write(source, 'user-created', `${user.name} is ${user.role}`)
        reply.code(201)
        return userView(user)
      },
    )

    routes.patch(
      '/users/:name',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Another role, password or language; a new password logs that user out everywhere',
          params: schemas.userParam,
          body: schemas.userChange,
          response: { 200: schemas.user },
        },
      },
      async ({ params, body, source }) => {
        const user = await users.change(params.name, body)
        if (body.password !== undefined) await sessions.endAll(user.name)
        const what = Object.keys(body).map((field) =>
          field === 'role' ? `role ${user.role}` : `new ${field}`,
        )
        if (what.length > 0) records?.audit.write(source, 'user-changed', `${user.name}: ${what.join(', ')}`)
        return userView(user)
      },
    )

    routes.delete(
      '/users/:name',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Remove a user and log it out everywhere; never the last administrator',
          params: schemas.userParam,
          response: { 204: { type: 'null', description: 'Removed' } },
        },
      },
      async ({ params, source }, reply) => {
        const { name } = await users.remove(params.name)
        await sessions.endAll(name)
        records?.audit.write(source, 'user-removed', `${name} was removed`)
        reply.code(204)
      },
    )
  })
}

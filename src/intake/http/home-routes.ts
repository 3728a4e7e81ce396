/** The front page of the panel, its live events, and the name that people give this appliance. */
import { applianceView } from './appliance-name.ts'
import { mayStill, requires } from './auth.ts'
import { MOST_LISTENERS } from './live.ts'
import * as schemas from './panel-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { iso } from './views.ts'

export function homeRoutes(api: Api, parts: Parts): void {
  const { access, clock, home, live, names, node, records } = parts
  const read = requires('read', access)

  api.get(
    '/home',
    {
      onRequest: read,
      schema: {
        tags: ['status'],
        summary: 'Am I active, is my peer well, are my lines well',
        response: { 200: schemas.home },
      },
    },
    async (request) => ({
      appliance: applianceView(parts, request),
      at: iso(clock.now()),
      ...(await home.body()),
    }),
  )

  api.get(
    '/events',
    {
      onRequest: read,
      exposeHeadRoute: false,
      schema: {
        tags: ['status'],
        summary: 'What changes, as server-sent events: status, message, configuration, failover, audit',
        produces: ['text/event-stream'],
        response: { 200: { type: 'string' } },
      },
    },
    async (request, reply) => {
      const response = reply.raw
      const headers = {
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no',
      }
      const listener = {
        response,
        appliance: () => applianceView(parts, request),
        may: () => mayStill(request, 'read', access),
      }
      if (live.full())
        throw new Problem(
          503,
          'too-many-listeners',
          `${MOST_LISTENERS} panels are listening, which is the most`,
          { values: { most: MOST_LISTENERS } },
        )
      reply.headers(headers).hijack()
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) response.setHeader(name, value)
      live.listen(listener)
    },
  )

  api.put(
    '/appliance',
    {
      onRequest: requires('admin', access),
      schema: {
        tags: ['status'],
        summary: 'What people call the appliance that answers',
        body: schemas.applianceChange,
        response: { 200: schemas.session.properties.appliance },
      },
    },
    async (request) => {
      const name = request.body.name.trim()
      if (name === '') throw new Problem(400, 'empty', 'name must not be empty', { field: 'name' })
      await names.give(node, name)
      records?.audit.write(request.source, 'appliance-named', `${node} is called ${name}`)
      live.changed()
      return applianceView(parts, request)
    },
  )
}

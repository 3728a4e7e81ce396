/** The support bundle over HTTP: one click, one file. */
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { text } from './schemas.ts'
import type { SupportSource } from './support.ts'
import { iso } from './views.ts'

export function supportRoutes(api: Api, parts: Parts, source: SupportSource): void {
  let making: Promise<Uint8Array> | undefined

  api.get(
    '/support',
    {
      onRequest: requires('admin', parts.access),
      schema: {
        tags: ['status'],
        summary:
          'Logs, configuration, state and failover log of this member as a zip file; secrets and numbers masked',
        produces: ['application/zip'],
        response: { 200: text },
      },
    },
    async (request, reply) => {
      // Who asks twice gets one: it reads much and takes memory.
      // Loaded when it is asked for: a waiting appliance is small.
      const { makeSupportBundle } = await import('./support.ts')
      making ??= makeSupportBundle(parts, source).finally(() => {
        making = undefined
      })
      const bytes = await making
      parts.records?.audit.write(request.source, 'support-made', 'a support bundle was made')
      const day = iso(parts.clock.now()).slice(0, 10)
      reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="twinline-${parts.node}-${day}.zip"`)
      return reply.send(Buffer.from(bytes))
    },
  )
}

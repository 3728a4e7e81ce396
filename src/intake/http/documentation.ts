/**
 * The interface described: OpenAPI 3.1 made from the routes' own schemas at /openapi.json, and a page to read and try
 * it at /docs that needs no network. Both are open, they hold no data. The page is loaded when somebody first asks
 * for it, since most appliances never show it.
 */
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import type { Api } from './parts.ts'
import { problem, problemMediaType } from './schemas.ts'

const described = `Alerts in, short messages out. An accepted message (202) is on disk and ends in a final state with a reason.

Every refusal is a problem (RFC 9457) with a \`code\` that is listed in docs/errors.md.`

/**
 * Everything comes from the appliance. Nothing may send a browser to https: where only http.listen is configured,
 * the page would then load none of its files.
 */
const contentPolicy = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'frame-ancestors': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'", "'unsafe-inline'"],
}

async function readingPage(api: Api): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const page = fastify()
  await page.register(swagger)
  await page.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentPolicy,
    // The page would describe its own server.
    transformSpecification: () => api.swagger(),
    transformSpecificationClone: false,
    uiConfig: { deepLinking: true },
  })
  await page.ready()
  return page
}

/** To be called before the routes are added, which it then describes. */
export async function describeApi(api: Api, version: string): Promise<void> {
  api.addSchema(problem)
  // Documented for every route; the text itself is written by problems.ts.
  api.addHook('onRoute', (route) => {
    if (route.schema === undefined || route.schema.hide === true) return
    const content = { [problemMediaType]: { schema: { $ref: 'problem#' } } }
    route.schema.response = {
      ...(route.schema.response as object),
      '4xx': { description: 'Refused', content },
      '5xx': {
        description: 'It cannot be done now; nothing was stored, unless the code says otherwise',
        content,
      },
    }
  })
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'twinline',
        version,
        description: described,
        license: { name: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API token with the scope that is needed',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'twinline_session_PORT',
            description:
              'The login of a person, set by POST /api/v1/session; the name ends in the port of the listener, such as ' +
              'twinline_session_8080. The role of the user says what is allowed. What changes something must come from ' +
              'a page of the same origin (Origin, Sec-Fetch-Site).',
          },
        },
      },
      // Either of them.
      security: [{ token: [] }, { session: [] }],
    },
    refResolver: {
      buildLocalReference: (schema: { $id?: string }, _base, _fragment, index) =>
        schema.$id ?? `def-${index}`,
    },
  })

  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger())

  let page: Promise<FastifyInstance> | undefined
  for (const url of ['/docs', '/docs/*']) {
    api.get(url, { schema: { hide: true } }, async (request, reply) => {
      page ??= readingPage(api)
      const { routing } = await page
      reply.hijack()
      routing(request.raw, reply.raw)
    })
  }
}

/** The description of the interface: complete, consistent in itself, readable without a network. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Appliance, answerOf, startAppliance } from './stand-ins.ts'

let appliance: Appliance
interface Operation {
  summary?: string
  security?: object[]
  requestBody?: { content: Record<string, { schema: { required?: string[]; properties?: object } }> }
  responses: Record<string, { description?: string; content?: Record<string, unknown> }>
  parameters?: { name: string; in: string }[]
}
interface Description {
  openapi: string
  paths: Record<string, Record<string, Operation> & { post?: Operation }>
  security: object[]
  components: { schemas: Record<string, unknown>; securitySchemes: object }
}
let document: Description

beforeAll(async () => {
  appliance = await startAppliance()
  document = (await (await fetch(`${appliance.base}/openapi.json`)).json()) as Description
})
afterAll(() => appliance.stop())

test('every route of the interface is described, and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(described.sort()).toEqual([
    'DELETE /api/v1/messages/{id}',
    'DELETE /api/v1/session',
    'DELETE /api/v1/tokens/{id}',
    'DELETE /api/v1/users/{name}',
    'GET /api/v1/events',
    'GET /api/v1/home',
    'GET /api/v1/inbox',
    'GET /api/v1/lines',
    'GET /api/v1/lines/{id}',
    'GET /api/v1/lines/{id}/trace',
    'GET /api/v1/messages',
    'GET /api/v1/messages/counts',
    'GET /api/v1/messages/{id}',
    'GET /api/v1/messages/{id}/document',
    'GET /api/v1/messages/{id}/pages',
    'GET /api/v1/messages/{id}/pages/{page}',
    'GET /api/v1/pair',
    'GET /api/v1/pair/address',
    'GET /api/v1/pair/drills',
    'GET /api/v1/session',
    'GET /api/v1/status',
    'GET /api/v1/tokens',
    'GET /api/v1/totals',
    'GET /api/v1/users',
    'GET /healthz',
    'GET /metrics',
    'GET /readyz',
    'GET /role',
    'PATCH /api/v1/session',
    'PATCH /api/v1/users/{name}',
    'POST /api/v1/lines/{id}/mute',
    'POST /api/v1/lines/{id}/test',
    'POST /api/v1/lines/{id}/{action}',
    'POST /api/v1/messages',
    'POST /api/v1/messages/actions',
    'POST /api/v1/messages/{id}/move',
    'POST /api/v1/messages/{id}/retry',
    'POST /api/v1/pair/drill',
    'POST /api/v1/pair/handover',
    'POST /api/v1/pair/invite',
    'POST /api/v1/pair/join',
    'POST /api/v1/pair/recover',
    'POST /api/v1/pair/remove',
    'POST /api/v1/pair/takeover',
    'POST /api/v1/session',
    'POST /api/v1/setup',
    'POST /api/v1/tokens',
    'POST /api/v1/users',
    'PUT /api/v1/appliance',
  ])
})

test('it is OpenAPI 3.1 and every reference in it leads somewhere', () => {
  expect(document.openapi).toBe('3.1.0')
  const text = JSON.stringify(document)
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    expect(Object.keys(document.components.schemas)).toContain(name)
  }
  expect(text).toContain('#/components/schemas/problem')
  // $id belongs to the validator; in OpenAPI it would change what a reference means.
  expect(text).not.toContain('"$id"')
})

test('every operation has a summary, a described answer, its problems and its security', () => {
  const either = [{ token: [] }, { session: [] }]
  expect(document.security).toEqual(either)
  expect(document.components.securitySchemes).toMatchObject({
    token: { type: 'http', scheme: 'bearer' },
    session: { type: 'apiKey', in: 'cookie', name: expect.stringMatching(/^twinline_session/) },
  })
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      expect(operation.summary, path).toBeTruthy()
      expect(operation.responses['4XX']?.content, path).toHaveProperty(['application/problem+json'])
      for (const answer of Object.values(operation.responses)) expect(answer.description, path).toBeTruthy()
      const open = !path.startsWith('/api/') || /\/(session|setup)$/.test(path)
      const own = path.endsWith('/session') && method === 'patch'
      const wanted = own ? [{ session: [] }] : open ? [] : either
      expect(operation.security ?? document.security, path).toEqual(wanted)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(inPath.map(({ name }) => name).sort(), path).toEqual(named.sort())
    }
  }
})

test('what is described is what is asked for', () => {
  const post = document.paths['/api/v1/messages']?.post
  const body = post?.requestBody?.content['application/json']?.schema
  expect(body?.required).toEqual(['to', 'text'])
  expect(Object.keys(body?.properties ?? {})).toContain('onUnknown')
  expect(post?.parameters?.map(({ name }) => name)).toEqual(['idempotency-key'])
  expect(Object.keys(post?.responses ?? {})).toContain('202')
})

test('the page to read it comes from the appliance alone', async () => {
  const page = await answerOf(await fetch(`${appliance.base}/docs`))
  // Over plain HTTP a browser that is told to upgrade loads nothing.
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
  expect(page.headers.get('content-security-policy')).not.toMatch(/upgrade-insecure-requests|https?:/)
  expect(page.status, appliance.errors.join()).toBe(200)
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
  expect(links.length).toBeGreaterThan(3)
  for (const link of links) {
    const part = await fetch(new URL(link, `${appliance.base}/docs`))
    expect(part.status, link).toBe(200)
    expect(new URL(part.url).origin).toBe(appliance.base)
    await part.arrayBuffer()
  }
  expect(await (await fetch(`${appliance.base}/docs/json`)).json()).toEqual(document)
})

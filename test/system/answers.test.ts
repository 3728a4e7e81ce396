/**
 * What the interface answers is what its description says: every route of two real appliances that are a pair is asked
 * for something that works, and each answer is held against the schema that the appliance itself gives for it.
 */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, serveTcp } from '#simulator/serve.ts'
import { setupCode } from '../panel/browser.ts'
import { makeActive, type PairRig, type RigBox, startPair } from '../panel/pair-rig.ts'
import { describeWith } from '../requirements.ts'
import { until } from './appliance.ts'

/** What is not asked here, and why. */
const elsewhere = new Map([
  ['GET /api/v1/events', 'never ends: test/intake/http/live.test.ts'],
  ['GET /api/v1/inbox/{id}/document', 'wants a fax that came in: test/system/fax.test.ts'],
  ['GET /api/v1/inbox/{id}/pages/{page}', 'wants a fax that came in: test/system/fax.test.ts'],
  ['POST /api/v1/config/dismiss', 'wants a conflict: test/intake/http/config.test.ts'],
  ['POST /api/v1/inbound/dead/{id}/replay', 'wants what was given up: test/system/inbound.test.ts'],
  ['POST /api/v1/ldap/import', 'wants a directory: test/intake/http/ldap.test.ts'],
  ['POST /api/v1/pair/drill', 'kills what is asked: test/system/pair-operate.test.ts'],
  ['POST /api/v1/restore', 'replaces everything: test/system/backup.test.ts'],
  ['POST /api/v1/restore/release', 'wants what a restore held: test/system/backup.test.ts'],
])

interface Answer {
  content?: Record<string, { schema?: object }>
}
interface Description {
  paths: Record<string, Record<string, { responses: Record<string, Answer> }>>
}

const person = { name: 'ann', password: 'correct horse battery' }
const number = '+491701234567'
/** Two appliances, and a machine with other work. */
const LONG = 90_000

describeWith(['ghostscript'], 'what is answered is what is described', () => {
  let rig: PairRig
  let network: SimulatedNetwork
  let modem: SimulatedModem
  let served: Served
  let description: Description
  let ajv: Ajv2020
  let headers: Record<string, string>
  const asked = new Set<string>()

  beforeAll(async () => {
    network = new SimulatedNetwork()
    const options = parseModemOptions({ network: '10', prompt: '0', reports: 'none' }, 0)
    if (isProblem(options)) throw new Error(options.problem)
    modem = new SimulatedModem(options, undefined, network, 'line0')
    served = await serveTcp(modem)
    const fax = '{ id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }'
    const gsm = `{ id: gsm1, kind: gsm, port: "${served.address}" }`
    rig = await startPair(96, [], (name) => (name === 'a' ? [fax, gsm] : [fax]))
    await Promise.all([rig.a.running().ready(2), rig.b.running().ready(1)])
    const single = async () => (await rig.a.running().call('GET', '/api/v1/pair')).body['role'] === 'single'
    await until(single, 'it serves alone')
    const { body } = await rig.a.running().call('GET', '/openapi.json')
    description = body as unknown as Description
    ajv = new Ajv2020({ strict: false, validateSchema: false, validateFormats: false, allErrors: true })
    ajv.addSchema(description, 'described')
  }, 60_000)
  afterAll(async () => {
    await rig.stop()
    modem.stop()
    network.stop()
    await served.stop()
  })

  const escaped = (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1')

  /** What the description says against an answer in JSON. */
  function faults(route: string, status: number, body: unknown): unknown[] {
    const [method = '', template = ''] = route.split(' ')
    const way = [
      'paths',
      template,
      method.toLowerCase(),
      'responses',
      status,
      'content',
      'application/json',
      'schema',
    ]
    const pointer = way.map((step) => encodeURIComponent(escaped(String(step)))).join('/')
    const validate = ajv.compile({ $ref: `described#/${pointer}` })
    validate(body)
    return validate.errors ?? []
  }

  /**
   * Asks, and holds the answer against the description.
   * @param route as described, such as `GET /api/v1/lines/{id}`
   * @param about what stands in the path, behind it, and in the body; a form, or text of a table, as it is
   */
  async function ask(
    box: RigBox,
    route: string,
    about: {
      path?: Record<string, string>
      query?: string
      body?: unknown
      more?: Record<string, string>
    } = {},
  ): Promise<{ body: Record<string, unknown>; answer: Response }> {
    const [method = '', template = ''] = route.split(' ')
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(about.path?.[name] ?? ''),
    )
    const { body } = about
    const plain = body === undefined || body instanceof FormData || typeof body === 'string'
    const answer = await fetch(`${box.address}${path}${about.query ?? ''}`, {
      method,
      headers: { ...headers, ...(plain ? {} : { 'content-type': 'application/json' }), ...about.more },
      ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const named = `${route} ${about.query ?? ''}: ${answer.status} ${text.slice(0, 1_000)}`
    expect(answer.ok, named).toBe(true)
    asked.add(route)
    const responses = description.paths[template]?.[method.toLowerCase()]?.responses ?? {}
    const described = responses[String(answer.status)]
    expect(described, `${named} is not described`).toBeDefined()
    const type = answer.headers.get('content-type')?.split(';')[0]
    if (described?.content === undefined) {
      expect(text, `${named}: the description has no content`).toBe('')
      return { body: {}, answer }
    }
    expect(Object.keys(described.content), named).toContain(type)
    if (type !== 'application/json') return { body: {}, answer }
    const parsed = JSON.parse(text) as Record<string, unknown>
    expect(faults(route, answer.status, parsed), named).toEqual([])
    return { body: parsed, answer }
  }
  const api = (box: RigBox, route: string, about?: Parameters<typeof ask>[2]) =>
    ask(box, route.replace(' ', ' /api/v1'), about)
  const idOf = (body: Record<string, unknown>): string => String(body['id'])

  async function answersAgain(box: RigBox): Promise<void> {
    await until(async () => {
      const { status } = await box
        .running()
        .call('GET', '/api/v1/own-configuration')
        .catch(() => ({ status: 0 }))
      return status === 200
    }, `${box.node} answers`)
  }

  test(
    'health and the first run',
    async () => {
      const { a } = rig
      for (const path of ['/healthz', '/readyz', '/metrics', '/role']) await ask(a, `GET ${path}`)
      headers = { origin: a.address }
      await api(a, 'GET /session')
      const first = await api(a, 'POST /setup', { body: { ...person, code: setupCode(a.running()) } })
      const cookie = (answer: Response) =>
        answer.headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; ')
      headers = { origin: a.address, cookie: cookie(first.answer) }
      await api(a, 'PATCH /session', { body: { language: 'de' } })
      await api(a, 'DELETE /session')
      headers = { origin: a.address }
      const again = await api(a, 'POST /session', { body: person })
      headers = { origin: a.address, cookie: cookie(again.answer) }
      await api(a, 'GET /session')
      const scopes = ['read', 'send', 'operate', 'admin']
      const { body } = await api(a, 'POST /tokens', { body: { name: 'test', scopes } })
      headers = { authorization: `Bearer ${String(body['token'])}` }
    },
    LONG,
  )

  test(
    'people, tokens, contacts and the appliance',
    async () => {
      const { a } = rig
      await api(a, 'PUT /appliance', { body: { name: 'Berlin, cellar' } })
      const { body } = await api(a, 'POST /tokens', { body: { name: 'other' } })
      await api(a, 'GET /tokens')
      await api(a, 'DELETE /tokens/{id}', { path: { id: idOf(body) } })
      await api(a, 'POST /users', { body: { name: 'eve', password: person.password, role: 'viewer' } })
      await api(a, 'PATCH /users/{name}', { path: { name: 'eve' }, body: { role: 'operator' } })
      await api(a, 'GET /users')
      await api(a, 'DELETE /users/{name}', { path: { name: 'eve' } })
      await api(a, 'PUT /contacts/{id}', { path: { id: 'ops' }, body: { name: 'Duty', sms: number } })
      await api(a, 'PUT /groups/{id}', { path: { id: 'all' }, body: { members: ['ops'] } })
      for (const route of ['GET /contacts', 'GET /groups']) await api(a, route)
      const table = { body: `id;sms\nada;${number}1\n`, more: { 'content-type': 'text/csv' } }
      await api(a, 'POST /contacts/import', { ...table, query: '?preview=true' })
      await api(a, 'POST /contacts/import', table)
      await api(a, 'DELETE /groups/{id}', { path: { id: 'all' } })
      await api(a, 'DELETE /contacts/{id}', { path: { id: 'ada' } })
    },
    LONG,
  )

  test(
    'lines and messages',
    async () => {
      const { a } = rig
      const lines = ['gsm0', 'gsm1', 'fax0']
      await api(a, 'GET /lines')
      for (const id of lines) await api(a, 'GET /lines/{id}', { path: { id } })
      await api(a, 'POST /lines/{id}/test', { path: { id: 'gsm1' }, body: { to: number, text: 'a test' } })
      await until(() => network.received().length > 0, 'the test arrives')
      await api(a, 'GET /lines/{id}/trace', { path: { id: 'gsm1' } })
      for (const id of lines) await api(a, 'POST /lines/{id}/mute', { path: { id }, body: { for: '1h' } })
      const text = { to: ['ops', '+491701234568'], text: 'Pump 3 has stopped', tag: 'pump' }
      const { body } = await api(a, 'POST /messages', { body: text })
      const path = { id: idOf(body) }
      await api(a, 'GET /messages')
      await api(a, 'GET /messages', { query: '?state=queued,failed&search=pump' })
      await api(a, 'GET /messages/counts')
      await api(a, 'POST /messages/{id}/move', { path, body: { line: 'gsm1' } })
      await api(a, 'GET /messages/{id}', { path })
      await api(a, 'DELETE /messages/{id}', { path })
      await api(a, 'POST /messages/{id}/retry', { path })
      await api(a, 'POST /messages/actions', { body: { action: 'cancel', ids: [path.id, 'nothing'] } })
      for (const id of lines) await api(a, 'POST /lines/{id}/{action}', { path: { id, action: 'unmute' } })
      const form = new FormData()
      form.append('to', '+49301234567')
      form.append('document', new Blob(['A page of words']), 'words.txt')
      const fax = await api(a, 'POST /messages', { body: form })
      const ofFax = { id: idOf(fax.body) }
      await api(a, 'GET /messages/{id}', { path: ofFax })
      await api(a, 'GET /messages/{id}/document', { path: ofFax })
      await api(a, 'GET /messages/{id}/pages', { path: ofFax, query: '?type=tiff' })
      await api(a, 'GET /messages/{id}/pages/{page}', { path: { ...ofFax, page: '1' } })
      network.send('line0', { from: number, text: 'Understood' })
      let entry: unknown
      await until(async () => {
        const { body } = await api(a, 'GET /inbox')
        entry = (body['items'] as { id: string }[])[0]?.id
        return entry !== undefined
      }, 'what was answered is in the inbox')
      await api(a, 'GET /inbox/{id}/actions', { path: { id: String(entry) } })
      await api(a, 'GET /inbound/dead')
      await api(a, 'POST /inbound/dead/replay')
      for (const route of ['PUT', 'DELETE'])
        await api(a, `${route} /inbound/stopped/{number}`, { path: { number } })
      for (const route of [
        '/inbound/stopped',
        '/storm',
        '/storm/folded',
        '/totals',
        '/status',
        '/home',
        '/ldap',
      ])
        await api(a, `GET ${route}`)
      await api(a, 'GET /totals', { query: '?since=7d&step=day' })
    },
    LONG,
  )

  test(
    'settings that all members share',
    async () => {
      const { a } = rig
      for (const route of ['', '/schema', '/export', '/conflicts']) await api(a, `GET /config${route}`)
      await api(a, 'PATCH /config', { body: { validity: '2h' } })
      await api(a, 'POST /config/check', { body: { changes: { validity: '3h' } } })
      await api(a, 'POST /config/check', { body: { changes: { validity: 'soon', nothing: 1 } } })
      const change = { changes: { validity: '3h' }, confirmWithin: '90s' }
      const { body } = await api(a, 'POST /config/apply', { body: change })
      await api(a, 'GET /config')
      const { revision } = body
      await api(a, 'POST /config/confirm', { body: { revision } })
      await api(a, 'POST /config/revert', { body: { revision } })
      await api(a, 'POST /config/restore', { body: { revision } })
      await api(a, 'GET /config/history')
    },
    LONG,
  )

  test(
    'the pair',
    async () => {
      const { a, b } = rig
      const { body } = await api(a, 'POST /pair/invite')
      // The other member knows nobody yet but whoever is at the box.
      const joined = await b.running().call('POST', '/api/v1/pair/join', { code: body['code'] })
      expect(joined.status).toBe(200)
      expect(faults('POST /api/v1/pair/join', 200, joined.body)).toEqual([])
      asked.add('POST /api/v1/pair/join')
      await makeActive(a)
      const current = async () => {
        const { body } = await api(a, 'GET /pair')
        const [other] = body['members'] as { role?: string; replication?: { state?: string } }[]
        return other?.role === 'standby' && other.replication?.state === 'current'
      }
      await until(current, 'the two are a pair')
      for (const box of [a, b]) {
        for (const route of [
          '/pair',
          '/pair/address',
          '/pair/drills',
          '/pair/failover',
          '/home',
          '/audit',
          '/lines',
        ])
          await api(box, `GET ${route}`)
        await api(box, 'GET /lines', { query: '?node=*' })
        await api(box, 'GET /audit/verify')
        await api(box, 'GET /ldap')
      }
      await api(b, 'POST /pair/recover', { body: {} })
      await api(a, 'POST /pair/handover')
      await api(b, 'GET /pair')
      const holdsAll = async () => (await a.running().call('POST', '/api/v1/pair/takeover')).status === 200
      await until(holdsAll, 'it is active again')
      await api(a, 'POST /pair/takeover', { query: '?node=box-b' })
      await makeActive(a)
    },
    LONG,
  )

  test(
    "what is one member's own, also asked at the other",
    async () => {
      const { a, b } = rig
      const query = '?node=box-b'
      for (const route of ['/own-configuration', '/own-configuration/history', '/restore', '/support'])
        await api(a, `GET ${route}`, { query })
      await api(a, 'GET /support', { query: '?node=*' })
      await api(a, 'POST /backup', { query, body: { passphrase: 'a long passphrase' } })
      await api(a, 'POST /modems/search', { query })
      const changes = { 'documents.maxPages': 50 }
      await api(a, 'POST /own-configuration/check', { query, body: { changes } })
      await api(a, 'POST /own-configuration/check', {
        query,
        body: { changes: { 'documents.maxPages': 'many' } },
      })
      await api(b, 'PUT /own-configuration', { body: { changes, confirmWithin: '1h' } })
      await answersAgain(b)
      await api(b, 'GET /own-configuration')
      await api(b, 'POST /own-configuration/revert')
      await answersAgain(b)
      await api(b, 'PUT /own-configuration', { body: { changes, confirmWithin: '1h' } })
      await answersAgain(b)
      await api(b, 'POST /own-configuration/confirm')
      await api(b, 'GET /own-configuration/history')
      await api(b, 'POST /restart')
      await answersAgain(b)
      await api(a, 'POST /pair/remove', { body: { node: 'box-b' } })
    },
    LONG,
  )

  test('nothing that is described was left out', () => {
    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.filter((route) => !asked.has(route) && !elsewhere.has(route))).toEqual([])
    expect([...elsewhere.keys()].filter((route) => !described.includes(route) || asked.has(route))).toEqual(
      [],
    )
  })
})

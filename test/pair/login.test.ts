/**
 * People at the common address: two members and a browser in network namespaces, with a real address that moves. One
 * login for both, over a failover; who answers is told each time; what protects a login holds at that address as well.
 */
import { beforeAll, expect, it } from 'vitest'
import type { LabSetting, MemberName, VisitorAnswer, VisitorOrder } from '../lab/contract.ts'
import { addressOf, VIP } from '../lab/network.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { labNeeds, labSuite } from './lab-suite.ts'

const PATIENCE_MS = 60_000
const TEST_MS = 180_000
const password = 'correct horse'
const port = 8080
const common = `http://${VIP}:${port}`
const ownOf = (member: MemberName) => `http://${addressOf[member]}:${port}`

describeWith([...labNeeds, 'chromium'], 'people at the common address', () => {
  const setting: Partial<LabSetting> = { members: ['a', 'b'] }
  const { lab } = labSuite(setting)
  const visit = (order: VisitorOrder): Promise<VisitorAnswer> => lab().ask({ kind: 'visit', order })
  /** As a page of the panel that was opened at `base` asks. */
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    { base = common, cookie = '', origin = base as string | null } = {},
  ): Promise<VisitorAnswer & { json: Record<string, unknown> }> {
    const answer = await visit({
      do: 'request',
      method,
      url: `${base}/api/v1${path}`,
      headers: { ...(cookie === '' ? {} : { cookie }), ...(origin === null ? {} : { origin }) },
      ...(body === undefined ? {} : { body }),
    })
    return { ...answer, json: answer.text.startsWith('{') ? JSON.parse(answer.text) : {} }
  }
  const cookieOf = ({ cookies }: VisitorAnswer) => (cookies[0] ?? '').split(';')[0] ?? ''
  const becomes = (holds: () => Promise<boolean>, what: string) => until(holds, what, PATIENCE_MS)
  const setupCode = async (member: MemberName) =>
    /setup code ([A-Z2-9-]{9})/.exec(await lab().ask({ kind: 'log', member }))?.[1] ?? ''
  const role = async (member: MemberName) =>
    (await lab().ask({ kind: 'call', member, method: 'GET', path: '/api/v1/pair' })).body['role']
  const power = (member: MemberName, what: 'kill' | 'start') => lab().ask({ kind: 'power', member, what })
  const serves = (member: MemberName) =>
    becomes(
      async () =>
        (await ask('GET', '/session')).headers['twinline-member'] === `${member} ${addressOf[member]}`,
      `${member} answers at the common address`,
    )
  /** The one that was away is back, and knows everything. */
  const whole = () =>
    becomes(async () => {
      const { body } = await lab().ask({ kind: 'call', member: 'a', method: 'GET', path: '/api/v1/pair' })
      const [other] = Array.isArray(body['members']) ? body['members'] : []
      return other?.signal === 'LIVE' && other.replication?.state === 'current'
    }, 'both are in step')
  const login = () => ask('POST', '/session', { name: 'ann', password })
  const knows = async (cookie: string, base = common) =>
    (await ask('GET', '/session', undefined, { base, cookie })).json['user'] !== null

  /** Of the login that the tests go on with. */
  let cookie = ''

  beforeAll(async () => {
    await becomes(async () => (await role('a')) === 'active', 'a is active')
  }, PATIENCE_MS)

  it(
    'the first run at the common address is that of the active member, and nobody else offers one then',
    async () => {
      const code = await setupCode('a')
      const made = await ask('POST', '/setup', { code, name: 'ann', password })
      expect(made).toMatchObject({ status: 200, json: { user: { name: 'ann' }, appliance: { node: 'a' } } })
      expect(made.cookies).toHaveLength(1)
      const [pair, ...attributes] = made.cookies[0]?.split('; ') ?? []
      expect(pair).toMatch(/^twinline_session_8080=[\w-]{43}$/)
      expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict'])
      cookie = cookieOf(made)

      const atB = () => ask('GET', '/session', undefined, { base: ownOf('b') })
      await becomes(async () => (await atB()).json['setup'] === false, 'b knows that there is a user')
      const second = { code: await setupCode('b'), name: 'eve', password }
      expect(await ask('POST', '/setup', second, { base: ownOf('b') })).toMatchObject({
        status: 409,
        json: { code: 'setup-done' },
      })
    },
    TEST_MS,
  )

  it(
    'each answer names the member and its own address, also when it is asked at the common one',
    async () => {
      const at = async (base: string) => ask('GET', '/session', undefined, { base, cookie })
      for (const base of [common, ownOf('a')]) {
        const answer = await at(base)
        expect(answer.headers['twinline-member']).toBe(`a ${addressOf.a}`)
        expect(answer.json).toMatchObject({ appliance: { node: 'a', address: addressOf.a } })
      }
      const refusal = await ask('GET', '/users', undefined, { cookie: '' })
      expect(refusal.status).toBe(401)
      expect(refusal.headers['twinline-member']).toBe(`a ${addressOf.a}`)
      expect((await at(ownOf('b'))).headers['twinline-member']).toBe(`b ${addressOf.b}`)
    },
    TEST_MS,
  )

  it(
    'only a page of the common address itself may use a login there',
    async () => {
      const bob = { name: 'bob', role: 'viewer', password }
      for (const origin of [ownOf('a'), `http://${VIP}`, 'http://evil.example', 'null', null]) {
        const answer = await ask('POST', '/users', bob, { cookie, origin })
        expect([answer.status, answer.json['code']], `from ${origin}`).toEqual([403, 'cross-site'])
      }
      expect((await ask('POST', '/session', { name: 'ann', password }, { origin: ownOf('a') })).status).toBe(
        403,
      )
      expect(await ask('POST', '/users', bob, { cookie })).toMatchObject({
        status: 201,
        json: { createdBy: 'panel:ann' },
      })
    },
    TEST_MS,
  )

  it(
    'a failover: the login holds at the new active member, and open pages are told',
    async () => {
      expect(
        (await visit({ do: 'listen', url: `${common}/api/v1/events`, headers: { cookie } })).status,
      ).toBe(200)
      const heard = () => visit({ do: 'heard' })
      await becomes(async () => /event: status/.test((await heard()).text), 'the first status')
      await becomes(async () => knows(cookie, ownOf('b')), 'the login has reached b')
      await power('a', 'kill')
      await becomes(async () => (await heard()).over, 'the stream of the dead member has ended')
      await serves('b')
      const again = await ask('GET', '/session', undefined, { cookie })
      expect(again.json).toMatchObject({
        setup: false,
        user: { name: 'ann' },
        appliance: { node: 'b', address: addressOf.b, role: 'active' },
      })
      expect(again.cookies).toEqual([])
      expect(
        (await visit({ do: 'listen', url: `${common}/api/v1/events`, headers: { cookie } })).status,
      ).toBe(200)
      await becomes(
        async () => /event: status\ndata: .*"answer":\{"active":true/.test((await heard()).text),
        'the new active member tells its status',
      )
      // People get in anew, and what they change holds.
      expect((await login()).status).toBe(200)
      expect((await ask('PATCH', '/users/bob', { role: 'operator' }, { cookie })).status).toBe(200)
    },
    TEST_MS,
  )

  it(
    'a login is made and ended at the common address: nobody knows it any more, wherever it is asked',
    async () => {
      await power('a', 'start')
      await whole()
      const given = cookieOf(await login())
      await becomes(() => knows(given, ownOf('a')), 'a knows the login made at b')
      expect((await ask('DELETE', '/session', undefined, { cookie: given })).status).toBe(204)
      expect(await knows(given)).toBe(false)
      await becomes(async () => !(await knows(given, ownOf('a'))), 'a knows that it was ended')
      expect(await knows(cookie, ownOf('a'))).toBe(true)
    },
    TEST_MS,
  )

  it(
    'an open panel shows the failover live: the connection lost since when, then the member that answers now',
    async () => {
      await visit({ do: 'open', url: common, name: 'ann', password })
      const see = (where: string, text: string) => visit({ do: 'see', where, text, withinMs: PATIENCE_MS })
      // The plate is there before somebody is logged in; this is not.
      await see('main', 'Is my peer well?')
      await see('.plate', addressOf.b)
      await see('.plate', 'Active (Primary)')
      await visit({ do: 'expect', where: '.lost', text: 'No connection since', withinMs: PATIENCE_MS })
      await power('b', 'kill')
      await visit({ do: 'came' })
      await see('.plate', addressOf.a)
      await see('.plate', 'Active (Primary)')
      await power('b', 'start')
      await whole()

      // Gone without a word: nothing ends the connection, so only its silence tells.
      await visit({ do: 'expect', where: '.lost', text: 'No connection since', withinMs: PATIENCE_MS })
      await lab().ask({ kind: 'cable', member: 'a', plugged: false })
      await visit({ do: 'came' })
      await see('.plate', addressOf.b)
      await lab().ask({ kind: 'cable', member: 'a', plugged: true })
      await whole()
    },
    TEST_MS,
  )

  // The last one: nobody gets in from there for a minute.
  it(
    'guesses are slowed down',
    async () => {
      const guess = () => ask('POST', '/session', { name: 'ann', password: 'a wrong horse' })
      await becomes(async () => (await guess()).status === 429, 'too many tries')
      const refused = await login()
      expect(refused).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
      expect(await knows(cookie)).toBe(true)
    },
    TEST_MS,
  )
})

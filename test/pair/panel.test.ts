/** People and a pair: one login for both boxes, users made on either, and a browser that stays logged in over a takeover. */
import { expect, test } from 'vitest'
import { Browser } from '../intake/http/browser.ts'
import { until } from '../system/appliance.ts'
import { modem, PATIENCE_MS, pairOf } from './boxes.ts'

const net = () => 1 + Math.floor(Math.random() * 254)

test('a login holds on both members and over a takeover; users change everywhere', {
  timeout: 180_000,
}, async () => {
  const hosts = `127.${net()}.${net()}`
  const [urlA, urlB] = [`http://${hosts}.1:8080`, `http://${hosts}.2:8080`]
  const plan = async (url: string) => ({
    lines: [`{ id: gsm0, kind: gsm, port: '${(await modem('20')).address}', reports: false }`],
    more: `http: { listen: '${new URL(url).host}' }\n`,
  })
  const [a, b] = await pairOf(await plan(urlA), await plan(urlB))
  const code = /setup code ([A-Z2-9-]{9})/.exec(a.wholeLog())?.[1]
  const password = 'correct horse'
  const atA = new Browser(urlA)
  expect((await atA.call('POST', '/setup', { code, name: 'ann', password })).status).toBe(200)

  // A cookie belongs to an address; this is the one that a browser sends to the common address.
  const knownAtB = async () => (await atA.at(urlB).call('GET', '/session')).json
  await until(async () => (await knownAtB()).user !== null, 'the login is known at box-b', PATIENCE_MS)
  expect(await knownAtB()).toMatchObject({ setup: false, pair: { members: [{}, {}] } })
  const codeB = /setup code ([A-Z2-9-]{9})/.exec(b.wholeLog())?.[1]
  const second = await new Browser(urlB).call('POST', '/setup', { code: codeB, name: 'eve', password })
  expect(second).toMatchObject({ status: 409, json: { code: 'setup-done' } })

  const atB = atA.at(urlB)
  expect(await atB.call('POST', '/users', { name: 'bob', role: 'viewer', password })).toMatchObject({
    status: 201,
    json: { createdBy: 'panel:ann' },
  })
  expect((await new Browser(urlA).call('POST', '/session', { name: 'bob', password })).status).toBe(200)

  const live = await fetch(`${urlB}/api/v1/events`, {
    headers: { cookie: [...atB.cookies].map((pair) => pair.join('=')).join('; ') },
  })
  const seen = follow(live)
  await a.kill()
  await b.is('active')
  await seen.has(/event: failover\ndata: .*SWITCH THIS SERVER TO ACTIVE/)
  await seen.has(/event: status\ndata: .*"answer":\{"active":true,"peer":"silent"/)
  expect((await atB.call('GET', '/home')).json).toMatchObject({ failover: { node: 'box-b' } })

  // Nobody but box-b is left, so what it does is known there alone until box-a is back.
  expect((await atB.call('DELETE', '/session')).status).toBe(204)
  await a.start()
  await a.inStepWith('box-b')
  await until(async () => (await atA.call('GET', '/home')).status === 401, 'logged out at box-a', PATIENCE_MS)
})

function follow(response: Response): { has(wanted: RegExp): Promise<void> } {
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  const reading = (async () => {
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read())
      text += read.value
  })()
  reading.catch(() => {})
  return { has: (wanted) => until(() => wanted.test(text), `${wanted} among the live events`, PATIENCE_MS) }
}

/** In a pair: who may send by address, and that a standby answers itself. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { pairStandIn } from '../http/pair-stand-in.ts'
import { type Appliance, startAppliance } from '../http/stand-ins.ts'

const compat = { smseagle: false, kannel: true, ozeki: false, twilio: true, smsGateway: false }

let appliance: Appliance
afterEach(() => appliance.stop())

async function send(path = '/cgi-bin/sendsms'): Promise<Response> {
  const token = (await appliance.bearer('send')).slice('Bearer '.length)
  return fetch(`${appliance.base}${path}?user=x&pass=${token}&to=12345&text=x`)
}

test('a GET that sends is for the networks of pair.allow.send', async () => {
  const pair = pairStandIn({ allow: { send: ['10.0.0.0/8'] } })
  appliance = await startAppliance({ compat }, { pair })
  const answer = await send()
  expect(answer.status).toBe(403)
  expect(await answer.text()).toBe('Authorization failed for sendsms')
  const twilio = await fetch(`${appliance.base}/2010-04-01/Accounts/A/Messages.json`, { method: 'POST' })
  expect(twilio.status).toBe(401)
  expect(appliance.dispatch.requests).toEqual([])
})

test('a standby accepts itself and sends nobody elsewhere', async () => {
  const pair = pairStandIn({ redirect: true })
  appliance = await startAppliance({ compat }, { pair })
  appliance.role = 'STANDBY'
  expect((await send()).status).toBe(202)
  expect(appliance.dispatch.requests).toHaveLength(1)
})

test('what is not configured is not there, and what is does not stand in the description of the API', async () => {
  appliance = await startAppliance({ compat })
  expect((await send('/http_api/send_sms')).status).toBe(404)
  const description = await (await fetch(`${appliance.base}/openapi.json`)).text()
  expect(description).not.toContain('cgi-bin')
})

test('failures of the disk are never answered as if the message were taken', async () => {
  appliance = await startAppliance({ compat: { ...compat, smseagle: true, ozeki: true } })
  const token = (await appliance.bearer('send')).slice('Bearer '.length)
  const paths = [
    `/cgi-bin/sendsms?pass=${token}&to=12345&text=x`,
    `/http_api/send_sms?access_token=${token}&to=12345&message=x`,
    `/api?action=sendmessage&password=${token}&recipient=12345&messagedata=x`,
  ]
  for (const [failure, status] of [
    [{ result: 'full' }, 507],
    [{ result: 'oneDisk' }, 503],
    [new Error('broken'), 500],
  ] as const) {
    appliance.dispatch.answer = failure
    for (const path of paths) {
      const answer = await fetch(appliance.base + path)
      expect([path.slice(0, 9), answer.status]).toEqual([path.slice(0, 9), status])
      expect(await answer.text()).not.toMatch(/OK; ID|Accepted|acceptreport/)
    }
  }
  expect(appliance.errors).toHaveLength(3)
})

test('a client that closes its half of the connection after its request is answered', async () => {
  appliance = await startAppliance({ compat })
  const token = (await appliance.bearer('send')).slice('Bearer '.length)
  const { hostname, port } = new URL(appliance.base)
  const { dispatch } = appliance
  const submit = dispatch.submit.bind(dispatch)
  const ended = Promise.withResolvers<void>()
  dispatch.submit = async (request) => {
    await ended.promise
    return submit(request)
  }
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  socket.end(
    `GET /cgi-bin/sendsms?pass=${token}&to=12345&text=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  )
  // The other side has read the end once it answers another client.
  socket.once('finish', () => void fetch(`${appliance.base}/healthz`).then(() => ended.resolve()))
  expect(await text(socket)).toContain('0: Accepted for delivery')
})

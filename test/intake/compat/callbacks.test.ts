/** Reports to the callbacks of Kannel's and Twilio's clients: a real receiver, a simulated modem, a killed appliance. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../system/appliance.ts'
import { type Rig, startRig } from './rig.ts'

interface Got {
  method: string
  url: string
  body: string
}

let rig: Rig
let receiver: Server
let place: string
let got: Got[]
let status: number

beforeEach(async () => {
  got = []
  status = 200
  receiver = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      got.push({ method: request.method ?? '', url: request.url ?? '', body })
      response.writeHead(status).end('ok')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  place = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
})
afterEach(async () => {
  await rig.stop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return body
}

const sendKannel = (mask: number) => {
  const url = encodeURIComponent(`${place}/dlr?type=%d&to=%p&from=%P&user=%n&literal=%%25`)
  return rig.get(
    `/cgi-bin/sendsms?username=nagios&password=TOKEN&from=1234&to=%2B491700000001+%2B491700000002&text=x&dlr-mask=${mask}&dlr-url=${url}`,
  )
}
const reported = (to: string) =>
  got.filter(({ url }) => url.includes(encodeURIComponent(to))).map(({ url }) => /type=(\d+)/.exec(url)?.[1])

test('Kannel: given to the network, then delivered, for each receiver; escapes are filled in', async () => {
  rig = await startRig('sim://gsm?reports=50ms')
  expect((await sendKannel(31)).status).toBe(202)
  await until(() => got.length >= 4, 'four reports')
  expect(reported('+491700000001')).toEqual(['8', '1'])
  expect(reported('+491700000002')).toEqual(['8', '1'])
  expect(got[0]).toMatchObject({
    method: 'GET',
    url: '/dlr?type=8&to=%2B491700000001&from=1234&user=nagios&literal=%25',
  })
})

test('Kannel: the mask says what is told; a report that it failed is 2', async () => {
  rig = await startRig('sim://gsm?reports=50ms&status=65')
  await sendKannel(3)
  await until(() => got.length >= 2, 'two reports')
  expect(reported('+491700000001')).toEqual(['2'])
})

test('what was not taken is told again, also after the appliance was killed, and then no more', async () => {
  rig = await startRig('sim://gsm?reports=50ms')
  status = 503
  await sendKannel(1)
  await until(() => got.length >= 1, 'a first try')
  await rig.appliance.kill('SIGKILL')
  status = 200
  got = []
  await rig.restart()
  await until(
    () => reported('+491700000001').length > 0 && reported('+491700000002').length > 0,
    'both reports',
  )
  await until(async () => {
    const { body } = await rig.appliance.call('GET', '/api/v1/status')
    return JSON.stringify(body).includes('"queued":0')
  }, 'nothing is queued')
  const told = got.length
  await rig.restart()
  await sendKannel(1)
  // Its reports come after whatever would have been told anew.
  await until(() => got.length >= told + 2, 'the reports of another message')
  expect(got).toHaveLength(told + 2)
})

test('Twilio: sent, then delivered', async () => {
  rig = await startRig('sim://gsm?reports=50ms')
  const form = `To=%2B491700000001&From=%2B15005550006&Body=x&StatusCallback=${encodeURIComponent(`${place}/status?a=1`)}`
  const made = await rig.post('/2010-04-01/Accounts/AC1/Messages.json', form, {
    Authorization: 'Basic BASIC',
  })
  const { sid } = JSON.parse(made.body)
  await until(() => got.length >= 2, 'two callbacks')
  expect(got.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /status?a=1', 'POST /status?a=1'])
  const bodies = got.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
  expect(bodies).toMatchObject([
    {
      SmsSid: sid,
      MessageSid: sid,
      MessageStatus: 'sent',
      SmsStatus: 'sent',
      To: '+491700000001',
      From: '+15005550006',
      AccountSid: 'AC1',
    },
    { SmsSid: sid, MessageStatus: 'delivered' },
  ])
})

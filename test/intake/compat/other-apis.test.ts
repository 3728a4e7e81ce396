/** Ozeki, Twilio, Uptime Kuma's SMS gateway, Home Assistant and apprise's generic notifiers, to the byte. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Rig, startRig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig('sim://gsm?reports=none', false)
})
afterAll(() => rig.stop())

async function refused(
  answer: Promise<{ status: number; body: string }>,
): Promise<{ status: number; body: string }> {
  const before = await rig.newest()
  const got = await answer
  expect(await rig.newest()).toBe(before)
  return got
}

describe('Ozeki', () => {
  test('a message, with names in any letter case', async () => {
    const { status, headers, body } = await rig.get(
      '/api?Action=sendmessage&UserName=admin&PassWord=TOKEN&recipient=%2B491700000001,%2B491700000002&messageType=SMS:TEXT:CLASS0&messagedata=Hello+World',
    )
    expect(status).toBe(200)
    expect(headers).toMatch(/^content-type: text\/xml/im)
    const report = (number: string) =>
      `<acceptreport><statuscode>0</statuscode><statusmessage>Message accepted for delivery</statusmessage><messageid>ID</messageid><recipient>${number}</recipient></acceptreport>`
    expect(body.replace(/<messageid>[0-9a-f-]{36}</g, '<messageid>ID<')).toBe(
      `<?xml version="1.0" encoding="utf-8"?><response><action>sendmessage</action><data>${report('+491700000001')}${report('+491700000002')}</data></response>`,
    )
    expect((await rig.messages())[0]).toMatchObject({
      text: 'Hello World',
      flash: true,
      source: 'ozeki:monitoring',
    })
  })

  test('a form by POST, in the character set that it names', async () => {
    const form =
      'action=sendmessage&username=a&password=TOKEN&recipient=12345&messagedata=gr%FC%DFe&_charset_=ISO-8859-1'
    expect((await postForm('/api', form)).status).toBe(200)
    expect((await rig.messages())[0]?.text).toBe('grüße')
  })

  test.each([
    [
      'action=sendmessage&password=no&recipient=12345&messagedata=x',
      401,
      'token-unknown',
      'Invalid username or password',
    ],
    ['action=sendmessage&password=TOKEN&messagedata=x', 400, 'no-recipient', 'to: names nobody'],
    ['action=sendmessage&password=TOKEN&recipient=12345', 400, 'empty-text', 'text: is empty'],
    ['action=receive&password=TOKEN', 400, 'function-unknown', 'action: must be sendmessage'],
    [
      'action=sendmessage&password=TOKEN&recipient=12345&messagedata=x&messagetype=SMS:VCARD',
      400,
      'binary-unsupported',
      'messagetype: ',
    ],
  ])('%s is refused', async (query, status, code, words) => {
    const answer = await refused(rig.get(`/api?${query}`))
    expect(answer.status).toBe(status)
    expect(answer.body).toContain(
      `<action>error</action><data><errorcode>${code}</errorcode><errormessage>${words}`,
    )
  })
})

const postForm = (path: string, form: string, headers: Record<string, string> = {}) => {
  const body = form.replaceAll('TOKEN', rig.token)
  return rig.post(path, body, { 'Content-Type': 'application/x-www-form-urlencoded', ...headers })
}
const account = '/2010-04-01/Accounts/ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
const basic = { Authorization: 'Basic BASIC' }

describe('Twilio', () => {
  test('a message is made and looked at', async () => {
    const form = 'To=%2B491700000001&From=%2B15005550006&Body=Hi%20there&ValidityPeriod=3600'
    const made = await postForm(`${account}/Messages.json`, form, basic)
    expect(made.status).toBe(201)
    const resource = JSON.parse(made.body)
    expect(resource).toMatchObject({
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      account_sid: 'ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      status: 'queued',
      to: '+491700000001',
      body: 'Hi there',
      num_segments: '1',
      error_code: null,
      uri: `${account}/Messages/${resource.sid}.json`,
    })
    expect((await rig.messages())[0]).toMatchObject({ validity: '1h', source: 'twilio:monitoring' })
    const seen = await rig.get(`${account}/Messages/${resource.sid}.json`, basic)
    expect(seen.status).toBe(200)
    expect(JSON.parse(seen.body)).toMatchObject({
      sid: resource.sid,
      status: expect.stringMatching(/queued|sending|sent/),
    })
  })

  test('the idempotency token of its libraries holds', async () => {
    const form = 'To=%2B491700000001&Body=once'
    const headers = { ...basic, 'I-Twilio-Idempotency-Token': 'a-b-c' }
    const first = JSON.parse((await postForm(`${account}/Messages.json`, form, headers)).body)
    const second = JSON.parse((await postForm(`${account}/Messages.json`, form, headers)).body)
    expect(second.sid).toBe(first.sid)
  })

  test.each([
    ['To=%2B491700000001&Body=x', { Authorization: 'Basic YTpi' }, 401, 20003],
    ['To=%2B491700000001&Body=x', {}, 401, 20003],
    ['Body=x', basic, 400, 21604],
    ['To=%2B491700000001', basic, 400, 21602],
    ['To=nobody&Body=x', basic, 400, 21211],
    [`To=12345&Body=${'x'.repeat(1_601)}`, basic, 400, 21617],
    ['To=12345&Body=x&StatusCallback=ftp%3A%2F%2Fx', basic, 400, 21609],
    ['To=12345&Body=x&SendAt=2030-01-01T00%3A00%3A00Z', basic, 400, 35114],
  ])('%.40s is refused as Twilio does', async (form, headers, status, code) => {
    const answer = await refused(postForm(`${account}/Messages.json`, form, headers))
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, message: expect.any(String) })
  })

  test('a sid that nobody knows is 20404', async () => {
    const answer = await rig.get(`${account}/Messages/SM${'0'.repeat(32)}.json`, basic)
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 20404 })
  })
})

describe('shapes of single clients', () => {
  test("Uptime Kuma's SMS gateway", async () => {
    const made = await rig.post('/api/v1/sms/send', '{"to":"+491700000001","body":"down"}', {
      'X-API-Key': 'TOKEN',
    })
    expect(made).toMatchObject({ status: 200, body: expect.stringContaining('"status":"queued"') })
    const bad = await refused(
      rig.post('/api/v1/sms/send', '{"to":"+491700000001"}', { 'X-API-Key': 'TOKEN' }),
    )
    expect(bad).toMatchObject({ status: 400, body: expect.stringContaining('"status":"failed"') })
    expect((await rig.post('/api/v1/sms/send', '{}', { 'X-API-Key': 'x' })).status).toBe(401)
  })

  test('Home Assistant', async () => {
    const body = '{"title":"Uptime Kuma","message":"down","data":{"name":"x","channel":"y"}}'
    const answer = await rig.post('/api/services/notify/mobile_app_phone', body, {
      Authorization: 'Bearer TOKEN',
    })
    expect(answer).toMatchObject({ status: 200, body: '[]' })
    expect((await rig.messages())[0]).toMatchObject({
      text: 'Uptime Kuma\ndown',
      deliveries: [{ to: '+4917000000001' }],
    })
  })

  test('apprise json, form and xml', async () => {
    const json = '{"version":"1.0","title":"t","message":"m","attachments":[],"type":"failure"}'
    await rig.post('/compat/apprise', json, { ...basic, 'Content-Type': 'application/json' })
    expect((await rig.messages())[0]).toMatchObject({ text: 't\nm', priority: 1 })
    await postForm('/compat/apprise?to=12345', 'title=&message=a+b&type=info&version=1.0', basic)
    expect((await rig.messages())[0]).toMatchObject({ text: 'a b', deliveries: [{ to: '12345' }] })
    const xml =
      "<?xml version='1.0' encoding='utf-8'?><soapenv:Envelope><soapenv:Body><Notification><Version>1.1</Version><Subject>a &lt;b&gt;</Subject><MessageType>info</MessageType><Message>c &amp;amp; &#228;</Message></Notification></soapenv:Body></soapenv:Envelope>"
    await rig.post('/compat/apprise', xml, { 'X-Token': 'TOKEN', 'Content-Type': 'text/xml; charset=utf-8' })
    expect((await rig.messages())[0]?.text).toBe('a <b>\nc &amp; ä')
  })
})

test('a body over the limit is refused in the words of its interface', async () => {
  const answer = await refused(rig.post('/jsonrpc/sms', Buffer.alloc(2_000_001, 32)))
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body).result.error_text).toMatch(/^Wrong parameters \(the body is larger/)
})

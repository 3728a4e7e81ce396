/** SMSEagle: requests as apprise 1.2.0, Uptime Kuma 2 and the manual have them, answers as those clients need them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lengthOf, type Rig, startRig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.stop())

const id = '[0-9a-f]{8}-[0-9a-f-]{27}'

describe('API v1', () => {
  test('as Uptime Kuma asks: a content type without a body, a duration that is undefined', async () => {
    const answer = await rig.raw(
      'GET /http_api/send_sms?access_token=TOKEN&to=%2B491700000001&message=%5BDB%5D+%5B%F0%9F%94%B4+Down%5D&duration=undefined HTTP/1.1\r\n' +
        'Accept: application/json, text/plain, */*\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
        'User-Agent: axios/0.30.2\r\nAccept-Encoding: gzip, compress, deflate, br\r\nHost: HOST\r\nConnection: close\r\n\r\n',
    )
    expect(answer.status).toBe(200)
    expect(answer.body).toMatch(new RegExp(`^OK; ID=${id}$`))
    expect((await rig.messages())[0]).toMatchObject({
      text: '[DB] [🔴 Down]',
      source: 'smseagle:monitoring',
      deliveries: [{ to: '+491700000001' }],
    })
  })

  test('the older path, login and pass, a plus sign that was not encoded, XML', async () => {
    const { status, body } = await rig.get(
      '/index.php/http_api/send_sms?login=anybody&pass=TOKEN&to=+491700000001,+491700000002,501+234&message=hi&highpriority=1&validity=5m&oid=42&responsetype=xml',
    )
    expect(status).toBe(200)
    const item = `<item><message_id>${id}</message_id><status>ok</status></item>`
    expect(body).toMatch(new RegExp(`^<xml>(${item}){3}</xml>$`))
    expect((await rig.messages())[0]).toMatchObject({
      priority: 1,
      validity: '5m',
      tag: '42',
      deliveries: [{ to: '+491700000001' }, { to: '+491700000002' }, { to: '501234' }],
    })
  })

  test('contacts and groups by their ids', async () => {
    await rig.get('/http_api/send_tocontact?access_token=TOKEN&contactname=ops&message=a')
    expect((await rig.messages())[0]?.deliveries).toMatchObject([{ to: '+4917000000001' }])
    await rig.get('/http_api/send_togroup?access_token=TOKEN&groupname=everybody&message=a')
    expect((await rig.messages())[0]?.deliveries).toMatchObject([
      { to: '+4917000000001' },
      { to: '+4917000000003' },
    ])
  })

  test('a test is answered and sends nothing', async () => {
    const before = await rig.newest()
    const { body } = await rig.get('/http_api/send_sms?access_token=TOKEN&to=12345&message=x&test=1')
    expect(body).toBe('OK; ID=0')
    expect(await rig.newest()).toBe(before)
  })

  test.each([
    ['send_sms?access_token=wrong&to=12345&message=x', /^Invalid access token$/],
    ['send_sms?login=a&pass=b&to=12345&message=x', /^Invalid login or password$/],
    ['send_sms?access_token=READER&to=12345&message=x', /^Invalid access token$/],
    ['send_sms?access_token=TOKEN&message=x', /^Wrong parameters \(to: names nobody/],
    ['send_sms?access_token=TOKEN&to=12345', /^Wrong parameters \(message: is empty\)$/],
    ['send_sms?access_token=TOKEN&to=%2B0&message=x', /^Wrong parameters \(to\[0\]: /],
    ['send_sms?access_token=TOKEN&to=12345&message=x&date=203012312359', /^Wrong parameters \(date: /],
    ['send_sms?access_token=TOKEN&to=12345&message=x&validity=soon', /^Wrong parameters \(validity: /],
    ['send_sms?access_token=TOKEN&to=12345&message=%E4', /^Wrong parameters \(message is not valid UTF-8\)$/],
    [
      'send_sms?access_token=TOKEN&to=12345&message=x&responsetype=%FF',
      /^Wrong parameters \(responsetype is not valid UTF-8\)$/,
    ],
    ['send_togroup?access_token=TOKEN&groupname=12345&message=x', /^Wrong parameters \(groupname: /],
    ['send_togroup?access_token=TOKEN&groupname=nobody&message=x', /^Wrong parameters \(to\[0\]: /],
    ['ring_call?access_token=TOKEN&to=12345&duration=10', /^Wrong parameters \(no voice line/],
  ])('%s is refused in the words of the device', async (query, words) => {
    const before = await rig.newest()
    const { status, body } = await rig.get(`/http_api/${query}`)
    expect(status).toBe(200)
    expect(body).toMatch(words)
    expect(await rig.newest()).toBe(before)
  })

  test('a refusal as XML', async () => {
    const { body } = await rig.get('/http_api/send_sms?access_token=x&to=1&message=x&responsetype=xml')
    expect(body).toBe('<xml><error_text>Invalid access token</error_text><status>error</status></xml>')
  })
})

const post = (body: string) =>
  rig.raw(
    `POST /jsonrpc/sms HTTP/1.1\r\nHost: HOST\r\nUser-Agent: Apprise\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${lengthOf(body, rig.token)}\r\n\r\n${body}`,
  )

describe('JSON-RPC', () => {
  test('as apprise asks', async () => {
    const { status, body } = await post(
      '{"method": "sms.send_sms", "params": {"to": "+491700000001", "access_token": "TOKEN", "message": "title\\r\\nbody", "highpriority": 0, "unicode": 1, "message_type": "sms", "responsetype": "extended", "flash": 0, "test": 0}}',
    )
    expect(status).toBe(200)
    expect(body).toMatch(new RegExp(`^\\{"result":\\{"message_id":"${id}","status":"ok"\\}\\}$`))
    expect((await rig.messages())[0]).toMatchObject({ text: 'title\r\nbody', priority: 2 })
  })

  test('several numbers, a contact, a short answer', async () => {
    const many = await post(
      '{"method":"sms.send_sms","params":{"to":"+491700000001,+491700000002","access_token":"TOKEN","message":"x","responsetype":"extended"}}',
    )
    expect(JSON.parse(many.body).result).toMatchObject([{ status: 'ok' }, { status: 'ok' }])
    const short = await post(
      '{"method":"sms.send_tocontact","params":{"contactname":"ops","login":"a","pass":"TOKEN","message":"x"}}',
    )
    expect(short.body).toMatch(/^\{"result":"OK; ID=/)
  })

  test.each([
    [
      '{"method":"sms.send_sms","params":{"to":"12345","access_token":"no","message":"x","responsetype":"extended"}}',
      'Invalid access token',
    ],
    [
      '{"method":"sms.send_sms","params":{"to":"12345","login":"a","pass":"b","message":"x","responsetype":"extended"}}',
      'Invalid login or password',
    ],
    [
      '{"method":"sms.other","params":{"to":"12345","access_token":"TOKEN","message":"x"}}',
      'Wrong parameters (there is no function "" here)',
    ],
    [
      '{"method":"sms.send_sms","params":{"to":[{}],"access_token":"TOKEN","message":"x"}}',
      'Wrong parameters (to must be a number or a list of numbers)',
    ],
    ['{"method":', /^Wrong parameters \(the body is not valid JSON/],
    ['[]', 'Wrong parameters (the body must be a JSON object)'],
  ])('%s is refused with a result that says why', async (body, text) => {
    const before = await rig.newest()
    const answer = await post(body)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      result: {
        error_text: typeof text === 'string' ? text.replace('""', '"other"') : expect.stringMatching(text),
        status: 'error',
      },
    })
    expect(await rig.newest()).toBe(before)
  })
})

describe('API v2', () => {
  test('as Uptime Kuma asks: the priority is a text, contacts and groups are numbers', async () => {
    const body =
      '{"text":"down","encoding":"unicode","priority":"2","to":["+491700000001"],"groups":[2],"contacts":[3],"duration":10,"voice_id":1}'
    const answer = await rig.post('/api/v2/messages/sms', body, {
      'access-token': 'TOKEN',
      'Content-Type': 'application/json',
    })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual([
      { status: 'queued', message: 'OK', number: '+491700000001', id: expect.any(String) },
      { status: 'queued', message: 'OK', number: '+4917000000003', id: expect.any(String) },
    ])
    expect((await rig.messages())[0]).toMatchObject({ text: 'down', priority: 1 })
  })

  test.each([
    ['{"text":"x","to":["12345"]}', 'wrong', 401, 'token-unknown'],
    ['{"text":"x"}', 'TOKEN', 400, 'no-recipient'],
    ['{"to":["12345"]}', 'TOKEN', 400, 'empty-text'],
    ['{"text":"x","to":["12345"],"priority":"urgent"}', 'TOKEN', 400, 'invalid-priority'],
    ['{"text":"x","to":["12345"],"date":"203001010000"}', 'TOKEN', 400, 'later-unsupported'],
    ['{"text":"\\ud800","to":["12345"]}', 'TOKEN', 400, 'malformed-text'],
  ])('%s with the token %s is answered with %i', async (body, token, status, code) => {
    const before = await rig.newest()
    const answer = await rig.post('/api/v2/messages/sms', body, { 'access-token': token })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'error', code })
    expect(await rig.newest()).toBe(before)
  })

  test('a call is refused: there is no voice line', async () => {
    const { status, body } = await rig.post('/api/v2/calls/tts', '{"to":["1"],"text":"x"}', {
      'access-token': 'TOKEN',
    })
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ code: 'no-line' })
  })
})

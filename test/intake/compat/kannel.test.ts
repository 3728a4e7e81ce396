/** Kannel's sendsms: requests as its clients send them, answers as its smsbox 1.4.5 gives them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rig, startRig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.stop())

test('a message is accepted as smsbox says it, with the text as it was sent', async () => {
  const answer = await rig.raw(
    'GET /cgi-bin/sendsms?username=nagios&password=TOKEN&from=1234&to=%2B491700000001&text=Gr%C3%BC%C3%9Fe+%26+more&priority=3&validity=30 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
  )
  expect(answer).toMatchObject({ status: 202, body: '0: Accepted for delivery' })
  expect(answer.headers).toMatch(/^content-type: text\/html/im)
  expect((await rig.messages())[0]).toMatchObject({
    text: 'Grüße & more',
    source: 'kannel:monitoring',
    priority: 0,
    validity: '30m',
    flash: false,
    deliveries: [{ to: '+491700000001' }],
  })
})

test('several receivers stand between spaces, which may come as +; user and pass are names as well', async () => {
  const { status } = await rig.get(
    '/cgi-bin/sendsms?user=x&pass=TOKEN&to=%2B491700000001+%2B491700000002%20ops&text=hi&mclass=0&priority=0',
  )
  expect(status).toBe(202)
  expect((await rig.messages())[0]).toMatchObject({
    flash: true,
    priority: 3,
    deliveries: [{ to: '+491700000001' }, { to: '+491700000002' }, { to: '+4917000000001' }],
  })
})

test('character sets: Latin-1 by name, UTF-16BE where coding is 2', async () => {
  await rig.get('/cgi-bin/sendsms?user=x&pass=TOKEN&to=12345&text=%E4%F6%FC&charset=ISO-8859-1')
  expect((await rig.messages())[0]?.text).toBe('äöü')
  await rig.get('/cgi-bin/sendsms?user=x&pass=TOKEN&to=12345&text=%04%1F%04%40&coding=2')
  expect((await rig.messages())[0]?.text).toBe('Пр')
})

test('a missing text is an empty message', async () => {
  expect(await rig.get('/cgi-bin/sendsms?user=x&pass=TOKEN&to=12345')).toMatchObject({ status: 202 })
  expect((await rig.messages())[0]?.text).toBe(' ')
})

const login = '/cgi-bin/sendsms?user=x&pass=TOKEN'
test.each([
  ['/cgi-bin/sendsms?user=x&pass=wrong&to=12345&text=x', 403, 'Authorization failed for sendsms'],
  ['/cgi-bin/sendsms?to=12345&text=x', 403, 'Authorization failed for sendsms'],
  ['/cgi-bin/sendsms?user=x&pass=READER&to=12345&text=x', 403, 'Authorization failed for sendsms'],
  [`${login}&text=x`, 400, 'Missing receiver number, rejected'],
  [`${login}&to=&text=x`, 400, 'Empty receiver number not allowed, rejected'],
  [`${login}&to=12345&text=x&dlr-mask=31&dlr-url=file:///x`, 400, 'DLR-URL field misformed, rejected'],
  [`${login}&to=12345&text=x&dlr-mask=500&dlr-url=http://x/`, 400, 'DLR-Mask field misformed, rejected'],
  [`${login}&to=12345&text=x&coding=9`, 400, 'Coding field misformed, rejected'],
  [`${login}&to=12345&text=x&priority=high`, 400, 'Priority field misformed, rejected'],
  [`${login}&to=12345&text=x&mclass=4`, 400, 'MClass field misformed, rejected'],
  [`${login}&to=12345&text=%FF`, 400, 'Charset or body misformed, rejected'],
  [`${login}&to=12345&text=x&charset=klingon`, 400, 'Charset or body misformed, rejected'],
  [`${login}&to=12345&text=x&deferred=5`, 400, 'Deferred messages are not possible here, rejected'],
  [
    `${login}&to=12345&udh=%05%00&text=x`,
    400,
    'Binary messages (udh, coding 1) are not possible here, rejected',
  ],
])('%s is refused in the words of smsbox', async (path, status, body) => {
  const before = await rig.newest()
  expect(await rig.get(path)).toMatchObject({ status, body })
  expect(await rig.newest()).toBe(before)
})

test('a number that is none is named, and nothing is stored', async () => {
  const before = await rig.newest()
  const number = await rig.get(`${login}&to=12345+%2B0&text=x`)
  expect(number.status).toBe(400)
  expect(number.body).toMatch(/^to\[1\]: /)
  expect(await rig.newest()).toBe(before)
})

test('only GET sends: HEAD and POST do nothing', async () => {
  const before = await rig.newest()
  expect(
    (await rig.raw(`HEAD ${login}&to=12345&text=x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`))
      .status,
  ).toBe(405)
  expect((await rig.post(`${login}&to=12345&text=x`, '')).status).toBe(405)
  expect(await rig.newest()).toBe(before)
})

test('what was accepted and refused is counted by interface', async () => {
  const { body } = await rig.get('/metrics')
  expect(body).toMatch(/twinline_accepted_total\{intake="kannel"\} 5/)
  expect(body).toMatch(/twinline_refused_total\{intake="kannel",code="token-unknown"\} 1/)
})

/** What the panel's page brings along for somebody who is logged in: the first answers of the interface, as data. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type Appliance, answerOf, startAppliance } from './stand-ins.ts'

const ann = { name: 'ann', password: 'correct horse' }
const early = {
  '/queue': {
    code: ['queue.js'],
    words: { en: ['queue.en.js'], de: ['queue.de.js'] },
    asks: ['/messages?limit=3', '/inbox?limit=3'],
  },
  '/queue/:id': { code: ['message.js'], words: {}, asks: ['/messages/:id'] },
  '/pair': { code: [], words: {}, asks: ['/pair'] },
}

let appliance: Appliance
let panel: string
let browser: Browser

beforeEach(async () => {
  panel = await mkdtemp(join(tmpdir(), 'panel-'))
  await writeFile(
    join(panel, 'index.html'),
    '<!doctype html>\n<html>\n<body>\n<noscript></noscript>\n</body>\n</html>\n',
  )
  await writeFile(join(panel, 'early.json'), JSON.stringify(early))
  appliance = await startAppliance({}, { panel })
  browser = new Browser(appliance.base)
  await browser.call('POST', '/setup', { code: appliance.http.setupCode() ?? '', ...ann })
})
afterEach(async () => {
  await appliance.stop()
  await rm(panel, { recursive: true, force: true })
})

const ownCookie = (): string => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')

const get = async (path: string, headers: Record<string, string> = { cookie: ownCookie() }) =>
  answerOf(await fetch(appliance.base + path, { headers }))

interface Sent {
  date: string
  answers: Record<string, { status: number; body: Record<string, unknown> }>
}

function sentIn(html: string): Sent {
  const found = /<script type="application\/json" id="answers">(.*)<\/script>\n<\/body>\n<\/html>\n$/s.exec(
    html,
  )
  if (found === null) throw new Error(`no answers in ${html}`)
  return JSON.parse(found[1] ?? '')
}

test('somebody who is logged in gets who that is, and what the page shows, with the page', async () => {
  const page = await get('/queue')
  const { answers, date } = sentIn(page.text)
  expect(Object.keys(answers)).toEqual(['/session', '/messages?limit=3', '/inbox?limit=3'])
  for (const [path, { status, body }] of Object.entries(answers)) {
    const asked = await browser.call('GET', path)
    expect({ status, body }).toEqual({ status: asked.status, body: asked.json })
  }
  // As of a request that came over the connection of the page itself.
  expect(answers['/session']?.body).toMatchObject({
    user: { name: 'ann' },
    appliance: { address: '127.0.0.1', reached: '127.0.0.1' },
  })
  expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000)
  expect(page.headers.get('link')).not.toContain('/api/')
})

test('it is kept nowhere; the page of a stranger is, and holds nothing', async () => {
  const known = await get('/queue')
  expect(known.headers.get('cache-control')).toBe('no-store')
  expect(known.headers.get('etag')).toBeNull()
  for (const headers of [{}, { cookie: 'twinline_session_1=unknown' }]) {
    const page = await get('/queue', headers)
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(page.headers.get('etag')).toMatch(/^".+"$/)
    expect(page.text).not.toContain('answers')
    expect(page.headers.get('link')).toContain('</api/v1/session>; rel=preload; as=fetch; crossorigin')
  }
  await browser.call('DELETE', '/session')
  expect((await get('/queue')).text).not.toContain('answers')
})

test('no text of a message ends the data that it stands in', async () => {
  const text = '</script><script src="/x"></script><!--'
  const { json } = await appliance.call('POST', '/api/v1/messages', { to: ['+491701234567'], text })
  const page = await get(`/queue/${json.id}`)
  expect(page.text.match(/<\/?script/g)).toHaveLength(2)
  expect(sentIn(page.text).answers[`/messages/${json.id}`]?.body).toMatchObject({ text })
})

test('a refusal is an answer as well', async () => {
  const { answers } = sentIn((await get('/queue/unknown-id')).text)
  expect(answers['/messages/unknown-id']).toMatchObject({ status: 404, body: { code: 'message-unknown' } })
})

test('an address with filters asks for something else, which the browser does by itself', async () => {
  expect(Object.keys(sentIn((await get('/queue?state=failed')).text).answers)).toEqual(['/session'])
  expect(Object.keys(sentIn((await get('/login')).text).answers)).toEqual(['/session'])
})

test('what takes long or fails is left out, and the page comes without it', async () => {
  appliance.store.messages = () => new Promise(() => {})
  appliance.store.inbox = () => Promise.reject(new Error('no disk'))
  const { status, text } = await get('/queue')
  expect(status).toBe(200)
  expect(Object.keys(sentIn(text).answers)).toEqual(['/session'])
})

test('the words are those of the language that this user has chosen, whatever the browser prefers', async () => {
  const link = async () =>
    (await get('/queue', { cookie: ownCookie(), 'accept-language': 'en' })).headers.get('link')
  expect(await link()).toContain('/assets/queue.en.js')
  await browser.call('PATCH', '/session', { language: 'de' })
  expect(await link()).toContain('/assets/queue.de.js')
})

test('a look at the headers alone is answered, and without a body', async () => {
  const { status, text } = await answerOf(
    await fetch(`${appliance.base}/queue`, { method: 'HEAD', headers: { cookie: ownCookie() } }),
  )
  expect({ status, text }).toEqual({ status: 200, text: '' })
})

/** The front page and its live events over real sockets: what is told, how often, to whom, and how it ends. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MOST_LISTENERS } from '#intake/http/live.ts'
import { Browser } from './browser.ts'
import { pairStandIn } from './pair-stand-in.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

interface Event {
  event: string
  data: Record<string, unknown> & { ids?: string[]; appliance?: { name?: string } }
}

let appliance: Appliance
const open: Stream[] = []

beforeEach(async () => {
  appliance = await startAppliance()
})
afterEach(async () => {
  for (const stream of open.splice(0)) stream.close()
  await appliance.stop()
})

/** Listens as EventSource does. */
class Stream {
  readonly events: Event[] = []
  readonly answer: IncomingMessage
  ended = false
  #text = ''
  #tell: () => void = () => {}

  constructor(answer: IncomingMessage) {
    this.answer = answer
    answer.setEncoding('utf8')
    answer.on('data', (text: string) => {
      this.#text += text
      for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
        const fields = new Map(
          this.#text
            .slice(0, end)
            .split('\n')
            .map((line) => split(line)),
        )
        this.#text = this.#text.slice(end + 2)
        const [event, data] = [fields.get('event'), fields.get('data')]
        if (event !== undefined && data !== undefined) this.events.push({ event, data: JSON.parse(data) })
      }
      this.#tell()
    })
    answer.on('close', () => {
      this.ended = true
      this.#tell()
    })
    answer.on('error', () => {})
  }

  async until(holds: (events: Event[]) => boolean): Promise<void> {
    while (!holds(this.events)) {
      if (this.ended) throw new Error('the stream ended')
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
    }
  }

  /** The newest of its kind. */
  last = (event: string) => this.events.findLast((one) => one.event === event)?.data

  count = (event: string) => this.events.filter((one) => one.event === event).length

  async end(): Promise<void> {
    while (!this.ended)
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
  }

  close(): void {
    this.answer.destroy()
  }
}

const split = (line: string): [string, string] => {
  const at = line.indexOf(':')
  return [line.slice(0, at), line.slice(at + 1).trim()]
}

async function listen(at = appliance, headers?: Record<string, string>): Promise<Stream> {
  const sent = headers ?? { authorization: await at.bearer('read') }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(`${at.base}/api/v1/events`, { headers: sent }, resolve).on('error', reject).end()
  })
  const stream = new Stream(answer)
  open.push(stream)
  return stream
}

test('the front page answers the three questions', async () => {
  const { json } = await appliance.call('GET', '/api/v1/home')
  expect(json).toMatchObject({
    appliance: { node: 'alpha', name: 'alpha', address: '127.0.0.1', reached: '127.0.0.1', role: 'single' },
    answer: { active: true, peer: 'none', lines: { ready: 1, total: 1 } },
    members: [{ node: 'alpha', role: 'single', here: true, lines: { ready: 1, total: 1 }, queue: 3 }],
    lines: [{ id: 'gsm0', state: 'ready', signal: -71 }],
    depth: { queued: 3, submitting: 1 },
    failover: null,
    alarms: [],
  })
})

test('what fax lines lack is told as long as it is not there', async () => {
  let troubles = ['Fax needs the program gs, which is not installed: apt-get install ghostscript.']
  const nothing = () => Promise.reject(new Error('nobody asks for it here'))
  const documents = {
    take: nothing,
    find: nothing,
    pages: nothing,
    picture: nothing,
    troubles: () => troubles,
  }
  const lacking = await startAppliance({}, { documents })
  const alarms = async () => (await lacking.call('GET', '/api/v1/home')).json
  expect(await alarms()).toMatchObject({ alarms: [{ code: 'fax-program-missing', text: troubles[0] }] })
  troubles = []
  expect(await alarms()).toMatchObject({ alarms: [] })
  await lacking.stop()
})

test('of a pair it tells the other member, and what is wrong, as long as it is', async () => {
  const pair = pairStandIn()
  const paired = await startAppliance({}, { pair })
  const home = async () => (await paired.call('GET', '/api/v1/home')).json
  expect(await home()).toMatchObject({
    answer: { active: true, peer: 'well' },
    members: [
      { node: 'alpha', label: 'Active (Primary)', here: true },
      { node: 'beta', role: 'standby', label: 'Standby (Backup)', here: false, address: 'beta' },
    ],
    alarms: [],
  })
  const [beta] = pair.status.members
  if (beta) Object.assign(beta, { signal: 'DEAD', silentMs: 5_000 })
  expect(await home()).toMatchObject({
    answer: { peer: 'silent' },
    members: [{}, { role: 'silent', label: 'Error', lastSeen: expect.stringMatching(/Z$/) }],
    alarms: [{ code: 'member-silent', text: expect.stringContaining('beta') }],
  })
  if (beta) beta.signal = 'CLOSE'
  expect(await home()).toMatchObject({
    answer: { peer: 'away' },
    members: [{}, { role: 'away' }],
    alarms: [],
  })
  if (beta) beta.signal = 'LIVE'
  pair.status.role.role = 'isolated'
  for (const line of paired.dispatch.all) line.state = 'absent'
  expect(await home()).toMatchObject({
    answer: { active: false, lines: { ready: 0 } },
    alarms: [{ code: 'not-transmitting' }, { code: 'no-line-ready' }],
  })
  for (const line of paired.dispatch.all) {
    line.state = 'ready'
    await paired.dispatch.mute(line.id, 60_000)
  }
  expect(await home()).toMatchObject({
    answer: { lines: { ready: 0, total: 1 } },
    alarms: [{}, { code: 'no-line-ready', text: 'No line here can send now: what is ready is muted' }],
  })
  paired.http.live.alarm('clock-skew', 'beta is two seconds ahead')
  // Who begins because nobody was there has taken nobody's place.
  const begins = 'SWITCH THIS SERVER TO ACTIVE, term 7 of alpha: there is no other member'
  paired.http.live.failover({ origin: 'alpha', at: 500, text: begins })
  expect(await home()).toMatchObject({ failover: null })
  paired.http.live.failover({ origin: 'beta', at: 1_000, text: 'SWITCH THIS SERVER TO ACTIVE, term 8: x' })
  expect(await home()).toMatchObject({
    failover: { node: 'beta', at: '1970-01-01T00:00:01.000Z' },
    alarms: [{}, {}, { code: 'clock-skew' }],
  })
  // What is over is not told for as long as other events: whoever has the address needs no longer wait for it.
  const { vip } = pair.status
  if (vip === undefined) throw new Error('the stand-in has an address')
  vip.here = false
  paired.http.live.alarm('address-taken', 'somebody answers for the common address')
  expect(await home()).toMatchObject({ alarms: [{}, {}, {}, { code: 'address-taken' }] })
  vip.here = true
  expect(await home()).toMatchObject({ alarms: [{}, {}, { code: 'clock-skew' }] })
  await paired.stop()
})

test('a listener gets the front page at once, and again when something in it has changed', async () => {
  const stream = await listen()
  expect(stream.answer.statusCode).toBe(200)
  expect(stream.answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'twinline-member': 'alpha 127.0.0.1',
  })
  await stream.until((events) => events.length > 0)
  const { json } = await appliance.call('GET', '/api/v1/home')
  expect({ ...stream.last('status'), at: '' }).toEqual({ ...json, at: '' })
  appliance.http.live.changed()
  appliance.http.live.changed()
  for (const line of appliance.dispatch.all) line.state = 'recovering'
  appliance.http.live.changed()
  await stream.until(() => stream.count('status') > 1)
  expect(stream.last('status')).toMatchObject({ answer: { lines: { ready: 0 } } })
  expect(stream.count('status')).toBe(2)
})

test('what changes without a word is found too', async () => {
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  for (const line of appliance.dispatch.all) line.state = 'blocked'
  await stream.until(() => stream.count('status') > 1)
  expect(stream.last('status')).toMatchObject({ lines: [{ state: 'blocked' }] })
})

test('that somebody did something is told at once, and then together', async () => {
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  const { live } = appliance.http
  for (let n = 0; n < 5; n++) live.audit()
  await stream.until(() => stream.count('audit') > 1)
  expect(stream.count('audit')).toBe(2)
  expect(stream.last('audit')).toEqual({})
})

test('messages are told together, twice a second at most, and a flood without names', async () => {
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  const { live } = appliance.http
  for (const id of ['a', 'b', 'a']) live.message(id)
  await stream.until(() => stream.count('message') > 0)
  expect(stream.last('message')).toEqual({ ids: ['a', 'b'] })
  for (let n = 0; n < 1_000; n++) live.message(`m${n}`)
  await stream.until(() => stream.count('message') > 1)
  expect(stream.last('message')).toEqual({ ids: [] })
  live.message('c')
  live.message()
  await stream.until(() => stream.count('message') > 2)
  expect(stream.last('message')).toEqual({ ids: [] })
})

test('settings and lines of the failover log are told as they come', async () => {
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  appliance.http.live.configuration('r1')
  appliance.http.live.failover({ origin: 'beta', at: 5, text: 'alpha: error detected, count = 1' })
  await stream.until(() => stream.count('failover') > 0)
  expect(stream.last('configuration')).toEqual({ head: 'r1' })
  expect(stream.last('failover')).toEqual({
    at: '1970-01-01T00:00:00.005Z',
    node: 'beta',
    text: 'alpha: error detected, count = 1',
  })
})

test('who may not read hears nothing', async () => {
  expect((await listen(appliance, {})).answer.statusCode).toBe(401)
  expect((await listen(appliance, { authorization: await appliance.bearer('send') })).answer.statusCode).toBe(
    403,
  )
})

test('a stream ends with the login that it was opened with', async () => {
  const browser = new Browser(appliance.base)
  const code = appliance.http.setupCode()
  await browser.call('POST', '/setup', { code, name: 'ann', password: 'correct horse' })
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const stream = await listen(appliance, { cookie })
  await stream.until((events) => events.length > 0)
  await browser.call('DELETE', '/session')
  appliance.http.live.changed()
  await stream.end()
})

test('listeners are bounded, and who leaves makes room', async () => {
  const authorization = await appliance.bearer('read')
  const all = await Promise.all(
    Array.from({ length: MOST_LISTENERS }, () => listen(appliance, { authorization })),
  )
  expect(all.map(({ answer }) => answer.statusCode)).toEqual(Array(MOST_LISTENERS).fill(200))
  const refused = await appliance.call('GET', '/api/v1/events')
  expect(refused).toMatchObject({ status: 503, json: { code: 'too-many-listeners' } })
  all[0]?.close()
  for (;;) {
    const next = await listen(appliance, { authorization })
    if (next.answer.statusCode === 200) break
    next.close()
    await pause(10)
  }
})

test('one that does not read is cut off, and the others hear on', async () => {
  const authorization = await appliance.bearer('read')
  const { hostname, port } = new URL(appliance.base)
  const deaf = connect(Number(port), hostname)
  deaf.on('error', () => {})
  deaf.write(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`)
  await new Promise((resolve) => deaf.once('data', resolve))
  deaf.pause()
  const cut = new Promise((resolve) => deaf.once('close', resolve))
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  const text = 'x'.repeat(200_000)
  for (let n = 0; n < 60; n++) {
    appliance.http.live.failover({ origin: 'beta', at: n, text })
    await stream.until(() => stream.count('failover') > n)
  }
  deaf.resume()
  await cut
  expect(stream.ended).toBe(false)
})

test('stopping does not wait for listeners', async () => {
  const stream = await listen()
  await stream.until((events) => events.length > 0)
  const ended = stream.end()
  await appliance.stopKeeping()
  await ended
  // Ended in due form, and not cut after a while.
  expect(stream.answer.complete).toBe(true)
})

/**
 * Requests that nobody means to the API and to every foreign interface: real ones with spoiled bytes, in pieces, with
 * wrong lengths, cut off anywhere. Found is a message that a refused request made, a success that made none, a 500, an
 * error in the log, and an answer to a good client that takes longer than a second.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { alertDefaults } from '#config/compat.ts'
import { sharedDefaults } from '#config/shared.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import { createDispatch } from '#dispatch/dispatch.ts'
import { noReplicas, soleOwner } from '#dispatch/ownership.ts'
import { startHttp } from '#intake/http/server.ts'
import { createMetrics } from '#notify/metrics.ts'
import { openStore } from '#store/sqlite.ts'
import { StandInLine } from '../intake/http/stand-ins.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const LONGEST_ANSWER_MS = 1_000
/** A whole request has its answer by then. */
const LONGEST_CASE_MS = 10_000
/** How long an answer to what is no whole request is waited for. */
const PATIENCE_MS = 200
const TOKEN = 'a-token-for-fuzzing'
const basic = `Authorization: Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`
const bearer = `Authorization: Bearer ${TOKEN}`

/** Method and path, header lines, body. */
const requests: readonly [Sample, ...Sample[]] = [
  [
    'POST /api/v1/messages',
    [bearer, 'Content-Type: application/json', 'Idempotency-Key: 1'],
    '{"to":["+491701234567","ops"],"text":"Größe","priority":1,"validity":"30m","tag":"x"}',
  ],
  ['GET /api/v1/messages?limit=5&search=x&state=queued', [bearer], ''],
  [
    'GET /api/v1/messages?state=failed,sent&line=a/gsm0&source=http:*&since=24h&until=2026-11-21T08:00:00Z&archived=no',
    [bearer],
    '',
  ],
  ['GET /api/v1/messages/counts', [bearer], ''],
  ['GET /api/v1/lines?node=*', [bearer], ''],
  ['GET /api/v1/lines/gsm0/trace?after=7', [bearer], ''],
  ['GET /api/v1/totals?since=7d&step=day&until=1h', [bearer], ''],
  ['GET /api/v1/messages/01234567-89ab-7def-8123-456789abcdef', [bearer], ''],
  ['GET /api/v1/home', [bearer, 'Cookie: twinline_session_80=%ff; twinline_session_81=x; b="c"'], ''],
  [
    'POST /api/v1/session',
    ['Content-Type: application/json', 'Origin: http://x', 'Cookie: twinline_session_80=x'],
    '{"name":"ann","password":"correct horse"}',
  ],
  [
    'POST /api/v1/setup',
    ['Content-Type: application/json', 'Sec-Fetch-Site: same-origin'],
    '{"code":"AAAA-AAAA","name":"ann","password":"correct horse","appliance":"x","language":"de"}',
  ],
  [
    'PATCH /api/v1/session',
    ['Content-Type: application/json', 'Cookie: twinline_session=x'],
    '{"language":"en"}',
  ],
  ['GET /assets/main-ABCDEFGH.js', ['Accept-Encoding: br, gzip;q=0.5', 'If-None-Match: "x"'], ''],
  [
    `GET /http_api/send_sms?access_token=${TOKEN}&to=%2B491701234567,ops&message=Gr%C3%B6%C3%9Fe&validity=5m&responsetype=xml`,
    [],
    '',
  ],
  [
    `GET /index.php/http_api/send_togroup?login=a&pass=${TOKEN}&groupname=all&message=x&highpriority=1`,
    [],
    '',
  ],
  [
    'POST /jsonrpc/sms',
    ['Content-Type: application/json'],
    `{"method":"sms.send_sms","params":{"to":"+491701234567,ops","access_token":"${TOKEN}","message":"a\\r\\nb","highpriority":0,"responsetype":"extended","test":0}}`,
  ],
  [
    'POST /api/v2/messages/sms',
    [`access-token: ${TOKEN}`],
    '{"text":"x","encoding":"unicode","priority":"2","to":["+491701234567"],"groups":[2],"contacts":[3]}',
  ],
  [
    `GET /cgi-bin/sendsms?username=u&password=${TOKEN}&from=1&to=%2B491701234567+ops&text=%E4&charset=latin1&coding=0&priority=3&validity=9&dlr-mask=31&dlr-url=http%3A%2F%2Fx%2F%25d`,
    [],
    '',
  ],
  [
    `GET /api?action=sendmessage&username=u&password=${TOKEN}&recipient=%2B491701234567&messagetype=SMS:TEXT:CLASS0&messagedata=x&_charset_=utf-8`,
    [],
    '',
  ],
  [
    'POST /2010-04-01/Accounts/AC1/Messages.json',
    [basic, 'Content-Type: application/x-www-form-urlencoded', 'I-Twilio-Idempotency-Token: 7'],
    'To=%2B491701234567&From=%2B1500&Body=x&StatusCallback=http%3A%2F%2Fx%2F&ValidityPeriod=60',
  ],
  ['GET /2010-04-01/Accounts/AC1/Messages/SM0123456789abcdef0123456789abcdef.json', [basic], ''],
  [
    'POST /compat/alertmanager?to=ops',
    [bearer],
    '{"version":"4","groupKey":"{}:{}","truncatedAlerts":1,"status":"firing","receiver":"r","alerts":[{"status":"firing","labels":{"alertname":"A","severity":"critical"},"annotations":{"summary":"s \\u003c"},"startsAt":"2026-11-21T10:00:00Z","fingerprint":"1"},{"status":"resolved","labels":{}}]}',
  ],
  [
    'POST /compat/grafana',
    [basic],
    '{"title":"t","ruleId":1,"ruleName":"r","state":"alerting","message":"m"}',
  ],
  [
    'POST /compat/apprise',
    [basic, 'Content-Type: text/xml'],
    '<a><Subject>a &lt;b&#228;</Subject><MessageType>info</MessageType><Message>c</Message></a>',
  ],
  [
    'POST /compat/apprise',
    [basic, 'Content-Type: application/json'],
    '{"title":"t","message":"m","type":"failure"}',
  ],
  ['POST /api/v1/sms/send', [`X-API-Key: ${TOKEN}`], '{"to":"+491701234567","body":"b"}'],
  ['POST /api/services/notify/x', [bearer], '{"title":"t","message":"m","target":["ops"],"data":{}}'],
]
type Sample = readonly [start: string, headers: readonly string[], body: string]

/** Values that are right in form and odd in content. */
const oddities = [
  '0',
  '-1',
  '1e999',
  'null',
  '[]',
  '{}',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '%00',
  '%',
  '%2',
  '%FF%FE',
  '+',
  '&&&',
  '\u2028',
  '../..',
] as const

interface Case {
  bytes: Buffer
  /** It is one request from its first to its last byte, so that its answer says what became of it. */
  whole: boolean
}

function caseOf(random: Random): Case {
  const [start, headers, text] = random.one(requests)
  const path = random.happens(0.4) ? odd(start, random) : start
  let body: Buffer = Buffer.from(random.happens(0.4) ? odd(text, random) : text)
  if (body.length > 0 && random.happens(0.4)) body = random.spoiled(body)
  const length = random.happens(0.05) ? random.below(3_000) : body.length
  const lines = [`${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers]
  if (length > 0) lines.push(`Content-Length: ${length}`)
  const head: Buffer = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  const spoiled = random.happens(0.2)
  const bytes = Buffer.concat([spoiled ? random.spoiled(head) : head, body])
  return { bytes, whole: !spoiled && length === body.length }
}

/** One value of a query or of a JSON text is another. */
function odd(text: string, random: Random): string {
  const values = [...text.matchAll(/(?<==)[^&]*|"[^"]*"(?!:)|(?<=:)\d+|\[[^\]]*\]/g)]
  const value = values[random.below(values.length)]
  if (value === undefined) return text
  return text.slice(0, value.index) + random.one(oddities) + text.slice(value.index + value[0].length)
}

/** Sends it in pieces, reads until the other side has closed. Undefined when it hung up itself. */
async function converse(port: number, { bytes, whole }: Case, random: Random): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
  })
  // once() would reject with what a write finds on a connection that the other side has closed.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const cut = random.happens(0.1) ? random.below(bytes.length + 1) : undefined
  for (const piece of random.pieces(bytes.subarray(0, cut))) {
    socket.write(piece)
    if (random.happens(0.1)) await new Promise(setImmediate)
  }
  if (cut !== undefined) socket.resetAndDestroy()
  else if (random.happens(0.5)) socket.end()
  // Where the other side waits for more, because a length or an end of line is spoiled, nothing more comes.
  await Promise.race([closed, pause(whole ? LONGEST_CASE_MS : PATIENCE_MS, undefined, { ref: false })])
  const ended = socket.destroyed
  socket.destroy()
  if (whole && !ended) throw new Error(`no end after ${LONGEST_CASE_MS} ms`)
  return cut === undefined ? answer : undefined
}

async function mustAnswer(base: string): Promise<void> {
  const begun = performance.now()
  const before = process.cpuUsage()
  const answer = await fetch(`${base}/healthz`, { signal: AbortSignal.timeout(LONGEST_CASE_MS) })
  if (answer.status !== 200) throw new Error(`a good client got ${answer.status}`)
  await answer.text()
  const took = performance.now() - begun
  const { user, system } = process.cpuUsage(before)
  // A machine that gave the process no time is no fault of the process.
  if (took > LONGEST_ANSWER_MS && (user + system) / 1_000 > LONGEST_ANSWER_MS / 2)
    throw new Error(`a good client waited ${Math.round(took)} ms`)
}

/** @param made what acceptance said to the requests of this case */
function judge(made: readonly string[], { bytes, whole }: Case, answer: string): string[] {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  const path = bytes.toString('latin1').split('\r\n')[0] ?? ''
  const failed = status === 500 ? [`500 to ${path}`] : []
  if (!whole) return failed
  const eagle = /^\w+ \/(index\.php|http_api|jsonrpc)/.test(path)
  const success = eagle
    ? /^OK; ID=|^\{"result":"OK|"status":"ok"|<status>ok</.test(body)
    : status >= 200 && status < 300
  const accepted = made.includes('accepted')
  const reads = /^(GET|HEAD|OPTIONS) \/(api\/v1|2010|healthz|readyz|role|metrics|docs|openapi|$)/.test(path)
  const nothingWanted = /ID=0|"message_id":"0"|"id":"0"|<message_id>0<|"status":"ignored"/.test(body)
  return [
    ...failed,
    ...(accepted && !success ? [`a refused request made a message: ${status} to ${path}`] : []),
    ...(success && !accepted && !reads && !nothingWanted
      ? [`${status} made no message: ${path} ${body}`]
      : []),
  ]
}

async function startTarget(errors: string[]) {
  const data = await mkdtemp(join(tmpdir(), 'fuzz-'))
  const store = await openStore({ directory: data, node: 'fuzz', reserve: 1 })
  const clock = systemClock(store.lastLogged)
  const line = new StandInLine('gsm0')
  line.free = () => false
  const dispatch = createDispatch({
    config: {
      node: 'fuzz',
      lines: [
        {
          id: 'gsm0',
          kind: 'gsm',
          port: { scheme: 'tcp', host: 'none', port: 1 },
          reports: true,
          concatenation: 8,
          disabled: false,
        },
      ],
      ...sharedDefaults(),
      validity: 86_400_000,
      contacts: [
        { id: 'ops', name: 'ops', sms: '+4917000000001' },
        { id: 'contact3', name: 'three', sms: '+4917000000003' },
      ],
      groups: [
        { id: 'all', members: ['ops'] },
        { id: 'group2', members: ['contact3'] },
      ],
    },
    store,
    clock,
    log: silent,
    ownership: soleOwner('fuzz'),
    replicas: noReplicas,
    lines: [line],
  })
  const made: string[] = []
  let pending = 0
  const watched: Dispatch = {
    ...dispatch,
    async submit(request) {
      pending += 1
      try {
        const answer = await dispatch.submit(request)
        made.push(answer.result)
        return answer
      } finally {
        pending -= 1
      }
    },
  }
  await store.createToken({
    id: 'fuzz',
    name: 'fuzz',
    hash: createHash('sha256').update(TOKEN).digest('hex'),
    scopes: ['send', 'read'],
    createdAt: clock.now(),
  })
  const common = { store, clock, node: 'fuzz', version: '1', role: () => 'ACTIVE' as const }
  const to = ['ops']
  const hook = { to, ...alertDefaults, resolved: true }
  const http = await startHttp({
    ...common,
    config: {
      data,
      http: { listen: { host: '127.0.0.1', port: 0 } },
      compat: {
        smseagle: true,
        kannel: true,
        ozeki: true,
        twilio: true,
        smsGateway: true,
        homeAssistant: { to },
        apprise: { to },
        alertmanager: hook,
        grafana: hook,
      },
    },
    dispatch: watched,
    log: {
      ...silent,
      error: (fields, text) =>
        errors.push(`${text} ${JSON.stringify(fields)} ${'err' in fields ? String(fields.err) : ''}`),
    },
    metrics: createMetrics({ ...common, lines: dispatch.lines }),
    ready: () => ({ ready: true }),
  })
  const base = http.addresses[0] ?? ''
  return {
    base,
    port: Number(new URL(base).port),
    made,
    /** Resolves when nothing that was sent is on its way in any more. */
    async quiet() {
      await mustAnswer(base)
      while (pending > 0) await pause(2)
    },
    async stop() {
      await http.stop()
      await dispatch.loop.stop()
      await store.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

async function run({ seed, until, found }: FuzzRun): Promise<number> {
  const errors: string[] = []
  const target = await startTarget(errors)
  let tried = 0
  try {
    while (performance.now() < until) {
      // Each case from its own seed, so that one can be repeated alone.
      const random = new Random(seed + tried)
      const made = caseOf(random)
      const tell = (what: string) => found(`case ${tried} (seed ${seed + tried}): ${what}`)
      target.made.length = 0
      try {
        const [answer] = await Promise.all([converse(target.port, made, random), mustAnswer(target.base)])
        if (answer !== undefined) for (const what of judge(target.made, made, answer)) tell(what)
        // What hung up may still be on its way in, and is none of the next one's.
        if (answer === undefined || !made.whole) await target.quiet()
      } catch (error) {
        tell(String(error))
      }
      for (const error of errors.splice(0)) tell(`logged as an error: ${error}`)
      tried += 1
    }
  } finally {
    await target.stop()
  }
  return tried
}

export const http: FuzzTarget = { name: 'http', run }

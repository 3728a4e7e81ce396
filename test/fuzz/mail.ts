/**
 * Mail that nobody means: dialogues and mails with spoiled bytes, in pieces, pipelined, cut off anywhere. Found is a
 * message that no client was told of although it read every answer, an id that nothing was stored for, a text that
 * cannot be sent, and an answer to a good client that takes longer than a second.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, type Rig, startRig } from '../intake/smtp/rig.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const LONGEST_ANSWER_MS = 1_000
/** A large mail is read in a process of its own, and its client waits for that; nobody else does. */
const LONGEST_CASE_MS = 15_000

const bodies = [
  'Subject: Pump 3\r\n\r\nhas stopped\r\n',
  'Subject: =?utf-8?Q?St=C3=B6rung?=\r\nMessage-ID: <1@x>\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nT=FCr =\r\nauf\r\n-- \r\nme\r\n',
  'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>a &amp; <b>b</b><!-- c --><br>d</p>\r\n--b--\r\n',
  'Content-Type: multipart/mixed; boundary=x\r\nIn-Reply-To: <0@x>\r\n\r\n--x\r\n\r\nyes\r\n> no\r\n--x\r\nContent-Type: application/pdf; name="=?utf-8?B?w5w=?="\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDREVGRw==\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nner\r\n--x--\r\n',
  'Auto-Submitted: auto-replied\r\nSubject: gone\r\n\r\nfishing\r\n',
  '..\r\n..two\r\n\r\n...\r\n',
  '\r\n\r\n',
] as const

const recipients = [
  '+491701234567@x',
  '"+48 501 234 567"@x',
  'duty@x',
  'all@x',
  'nobody@x',
  'fax+4930123456@x',
  '@',
  '"',
] as const
const commands = [
  'EHLO x',
  'HELO x',
  'MAIL FROM:<a@b>',
  'mail from: a@b SIZE=10',
  'MAIL FROM:<>',
  'RCPT TO:<duty@x>',
  'RCPT TO:<"a b"@x>',
  'DATA',
  'RSET',
  'NOOP',
  'VRFY a',
  'HELP',
  'AUTH PLAIN',
  'AUTH LOGIN',
  'AUTH PLAIN AGEAYg==',
  '*',
  'STARTTLS',
  'QUIT',
  '',
  '.',
  'BDAT 10 LAST',
  'GET / HTTP/1.1',
] as const

function dialogue(random: Random): Buffer {
  if (random.happens(0.2)) {
    const lines = Array.from({ length: 1 + random.below(30) }, () => `${random.one(commands)}\r\n`)
    const bytes = Buffer.from(lines.join(''))
    return random.happens(0.5) ? random.spoiled(bytes) : bytes
  }
  let body: Buffer = Buffer.from(random.one(bodies))
  if (random.happens(0.7)) body = random.spoiled(body)
  if (random.happens(0.02))
    body = Buffer.concat([
      body,
      Buffer.alloc(random.below(200_000), random.one(['\r\n', 'x', '<', 'a: b\r\n', '=\r\n'])),
    ])
  const to = Array.from({ length: 1 + random.below(3) }, () => `RCPT TO:<${random.one(recipients)}>\r\n`)
  const bytes = Buffer.concat([
    Buffer.from(`EHLO x\r\nMAIL FROM:<a@b>\r\n${to.join('')}DATA\r\n`),
    body,
    Buffer.from('\r\n.\r\n'),
  ])
  return random.happens(0.3) ? random.spoiled(bytes) : bytes
}

/** Ends a mail, a login or nothing, and then the dialogue. */
const END = '\r\n.\r\nQUIT\r\nQUIT\r\nQUIT\r\n'

/**
 * Says everything and reads until the other side has closed.
 * @returns the answers; undefined when it hung up in the middle, or where nothing else could follow (within STARTTLS)
 */
async function converse(rig: Rig, bytes: Buffer, random: Random): Promise<string | undefined> {
  const socket = connect({ port: rig.port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  let answers = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answers += chunk
  })
  const closed = once(socket, 'close')
  const hangsUp = random.happens(0.25) || /starttls/i.test(bytes.toString('latin1'))
  for (const piece of random.pieces(hangsUp ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes)) {
    socket.write(piece)
    if (random.happens(0.1)) await new Promise(setImmediate)
  }
  if (hangsUp) {
    if (random.happens(0.5)) socket.resetAndDestroy()
    else socket.end()
    await pause(random.below(5))
    socket.destroy()
    return undefined
  }
  socket.write(END)
  await Promise.race([closed, pause(LONGEST_CASE_MS, undefined, { ref: false })])
  if (socket.destroyed) return answers
  socket.destroy()
  throw new Error(`no end after ${LONGEST_CASE_MS} ms`)
}

async function mustAnswer(rig: Rig): Promise<void> {
  const client = new Client(rig.port)
  const answered = (async () => {
    await client.answer()
    return client.say('NOOP')
  })()
  const within = (ms: number) => Promise.race([answered, pause(ms, undefined, { ref: false })])
  const before = process.cpuUsage()
  let answer = await within(LONGEST_ANSWER_MS)
  const { user, system } = process.cpuUsage(before)
  // A machine that gave the process no time is no fault of the process.
  if (answer === undefined && (user + system) / 1_000 < LONGEST_ANSWER_MS / 2)
    answer = await within(LONGEST_CASE_MS)
  client.close()
  if (answer === undefined) throw new Error(`a good client got no answer within ${LONGEST_ANSWER_MS} ms`)
  if (!answer.startsWith('250')) throw new Error(`a good client got ${answer}`)
}

/** @param ids of all messages that are stored, which grows */
function judge(rig: Rig, ids: Set<string>, answers: string | undefined): string[] {
  const told = new Set(answers?.match(/(?<=queued as .*)[0-9a-f-]{36}/g))
  const made = rig.kept.splice(0)
  for (const { id } of made) ids.add(id)
  return [
    ...made
      .filter(({ id }) => answers !== undefined && !told.has(id))
      .map(({ text }) => `a message that nobody was told of: ${JSON.stringify(text)}`),
    ...[...told].filter((id) => !ids.has(id)).map((id) => `250 for ${id}, which is not stored`),
    ...made
      .filter(({ text }) => text.trim() === '' || !text.isWellFormed() || /[^\P{Cc}\n]/u.test(text))
      .map(({ text }) => `a text that cannot be sent: ${JSON.stringify(text)}`),
  ]
}

async function run({ seed, until, found }: FuzzRun): Promise<number> {
  const rig = await startRig()
  const ids = new Set<string>()
  let tried = 0
  try {
    while (performance.now() < until) {
      // Each case from its own seed, so that one can be repeated alone.
      const random = new Random(seed + tried)
      const bytes = dialogue(random)
      const tell = (what: string) => found(`case ${tried} (seed ${seed + tried}): ${what}`)
      try {
        const [answers] = await Promise.all([converse(rig, bytes, random), mustAnswer(rig)])
        for (const what of judge(rig, ids, answers)) tell(what)
      } catch (error) {
        tell(String(error))
      }
      for (const error of rig.errors.splice(0)) tell(`logged as an error: ${JSON.stringify(error)}`)
      tried += 1
    }
  } finally {
    await rig.stop()
  }
  return tried
}

export const mail: FuzzTarget = { name: 'mail', run }

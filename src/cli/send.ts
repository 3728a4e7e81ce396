/**
 * twinline send: hands a message to the first appliance that takes it. One idempotency key goes to all of them, so
 * that trying the next one never sends twice.
 */
import { randomUUID } from 'node:crypto'
import { text as readText } from 'node:stream/consumers'
import type * as schemas from '#intake/http/message-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { channels, priorities } from '#messages/message.ts'
import { connectionOptions, connectionUsage, durationArgument, parseArguments } from './arguments.ts'
import { type Answer, type Call, call, type Target } from './client.ts'
import { faxBody } from './fax-body.ts'
import { exit, UsageError } from './outcome.ts'
import { printJson } from './print.ts'
import { reasonOf, redirected, targetsOf } from './target.ts'
import { waitForOutcome } from './wait.ts'

type Accepted = Shape<typeof schemas.accepted>

export const usage = `twinline send -i DEST ... -m TEXT [options]
twinline send -i DEST ... --fax FILE [options]

  -i, --to DEST ...    recipients: + and digits, a national number, a short code, the id of a contact or a group
  -m, --message TEXT   the text; - reads it from standard input
  --fax FILE           sends a document by fax: PDF, TIFF, PNG, JPEG or plain text
  --channel sms        how it goes out; fax where there is a document
  --priority 0-3       0 is the highest, 2 the default
  --validity 30m       how long after acceptance it may still be sent; a fax 1d at least where nothing is said
  --flash              shown at once on the phone, not stored
  --acknowledge        adds a line ACK CODE to the text, with which the recipient can answer
  --on-unknown WHAT    resend (default) or hold, when the line never said whether it transmitted
  --tag TEXT           any word of yours, to find it again
  --key KEY            idempotency key: the same key and message again is the same message
  --wait               follow it until every delivery has its outcome
  --json               print the answer as JSON

${connectionUsage}

Several hosts are tried in this order: --host A B C, or --host A --host B. A member that stands by and redirects is
followed to the active one.
Exit code: 0 accepted (with --wait: sent), 1 refused (with --wait: not sent), 2 usage, 3 no host reachable,
4 unknown: a request went out and no answer came. The same command with the printed --key is then safe.`

const options = {
  ...connectionOptions,
  to: { type: 'string', short: 'i', multiple: true },
  message: { type: 'string', short: 'm' },
  fax: { type: 'string' },
  channel: { type: 'string' },
  priority: { type: 'string' },
  validity: { type: 'string' },
  flash: { type: 'boolean' },
  acknowledge: { type: 'boolean' },
  'on-unknown': { type: 'string' },
  tag: { type: 'string' },
  key: { type: 'string' },
  wait: { type: 'boolean' },
} as const

type Values = ReturnType<typeof parseArguments<typeof options>>['values']

export async function send(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals[0] !== undefined) {
    throw new UsageError(
      `unexpected ${JSON.stringify(positionals[0])}; a text with blanks needs quotes`,
      usage,
    )
  }
  const { headers, ...content } = await contentOf(values)
  const targets = targetsOf(values, usage)
  const key = values.key ?? randomUUID()
  const request: Call = {
    method: 'POST',
    path: '/messages',
    ...content,
    headers: { 'idempotency-key': key, ...headers },
  }

  const offered = await offer(targets, request)
  if (!('target' in offered)) {
    for (const line of offered.reasons) console.error(`twinline: ${line}`)
    if (offered.code === exit.unknown) {
      console.error(
        `twinline: it may have been accepted; the same command with --key ${key} will not send it twice`,
      )
    }
    return offered.code
  }
  const accepted = offered.body as Accepted
  if (values.json && !values.wait) printJson(accepted)
  else if (!values.json) console.log(accepted.id)
  if (!values.wait) return exit.accepted
  return waitForOutcome(offered.target, accepted.id, values.json ?? false)
}

async function contentOf(values: Values): Promise<Pick<Call, 'body' | 'headers' | 'patience'>> {
  const { fax, flash, acknowledge, channel } = values
  if (fax === undefined) return { body: JSON.stringify(await requestBody(values)) }
  if (flash || acknowledge)
    throw new UsageError('--flash and --acknowledge are for texts, not for --fax', usage)
  if (channel !== undefined && channel !== 'fax')
    throw new UsageError('a document goes out as fax only', usage)
  const { to, ...fields } = await requestBody({ ...values, message: values.message ?? '', channel: 'fax' })
  const named = to.map((one): [string, string] => ['to', one])
  const others = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)])
  const { body, contentType, patience } = await faxBody(fax, [...named, ...others])
  return { body, patience, headers: { 'content-type': contentType } }
}

async function requestBody(values: Values): Promise<{ to: string[] } & Record<string, unknown>> {
  const { to, message, channel, validity, flash, acknowledge, tag } = values
  if (to === undefined) throw new UsageError('no recipient: give -i DEST', usage)
  if (message === undefined)
    throw new UsageError('no text: give -m TEXT, -m - to read standard input, or --fax FILE', usage)
  if (channel !== undefined) oneOf('--channel', channel, channels)
  if (values.priority !== undefined) oneOf('--priority', values.priority, priorities.map(String))
  if (values['on-unknown'] !== undefined) oneOf('--on-unknown', values['on-unknown'], ['resend', 'hold'])
  if (validity !== undefined) durationArgument('--validity', validity, usage)
  // A shell's echo ends its text with a line end that nobody meant to send.
  const text = message === '-' ? (await readText(process.stdin)).replace(/\r?\n$/, '') : message
  return {
    to,
    text,
    ...(channel === undefined ? {} : { channel }),
    ...(values.priority === undefined ? {} : { priority: Number(values.priority) }),
    ...(validity === undefined ? {} : { validity }),
    ...(values['on-unknown'] === undefined ? {} : { onUnknown: values['on-unknown'] }),
    ...(flash ? { flash } : {}),
    ...(acknowledge ? { acknowledge } : {}),
    ...(tag === undefined ? {} : { tag }),
  }
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new UsageError(
      `${name} ${JSON.stringify(value)} is not known; allowed: ${allowed.join(', ')}`,
      usage,
    )
  }
}

type Offered = { target: Target; body: unknown } | { code: number; reasons: string[] }

async function offer(targets: readonly Target[], request: Call): Promise<Offered> {
  const reasons: string[] = []
  let unknown = false
  let unwelcome = false
  for (const first of targets) {
    let target = first
    let answer = await call(target, request)
    // Once: a member that stands by as well is no better than the one before.
    const active = redirected(target, answer, request)
    if (active !== undefined) {
      target = active
      answer = await call(target, request)
    }
    const verdict = judge(answer)
    if (verdict === 'accepted' && answer.result === 'answer') return { target, body: answer.body }
    reasons.push(`${target.name}: ${reasonOf(answer)}`)
    if (verdict === 'refused') return { code: unknown ? exit.unknown : exit.refused, reasons }
    unknown = unknown || verdict === 'unknown'
    unwelcome = unwelcome || verdict === 'unwelcome'
  }
  if (unknown) return { code: exit.unknown, reasons }
  return { code: unwelcome ? exit.refused : exit.unreachable, reasons }
}

/**
 * `refused`: no appliance will take it as it is. `next`: certainly not accepted there, and another appliance may take
 * it. `unwelcome`: the same, because this one does not know the token.
 */
function judge(answer: Answer): 'accepted' | 'refused' | 'next' | 'unwelcome' | 'unknown' {
  if (answer.result === 'notSent') return 'next'
  if (answer.result === 'unknown') return 'unknown'
  const { status, body } = answer
  if (status >= 200 && status < 300) {
    return typeof body === 'object' && body !== null && 'id' in body ? 'accepted' : 'next'
  }
  if (status === 401 || status === 403) return 'unwelcome'
  // Overloaded or out of room, said before anything was stored.
  if ([408, 425, 429, 503, 507].includes(status)) return 'next'
  // A server or a proxy in between failed with the request in hand: nobody knows how far it got.
  if (status >= 500) return 'unknown'
  // Anything else below 400 (a second redirect, a web page) comes from something that is no appliance.
  return status >= 400 ? 'refused' : 'next'
}

/**
 * One action of a plan, carried out once. Nothing is thrown: what failed says why, and whether another try can help.
 *
 * What makes a second try harmless: a mail and an event keep their id, an SMS its idempotency key, and acknowledging
 * or stopping twice changes nothing.
 */
import type { WebhookConfig } from '#config/inbound.ts'
import type { Clock } from '#core/clock.ts'
import { errorText, unreachable } from '#core/errors.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import type { StopList } from '#dispatch/stop-list.ts'
import type { InboundFax, InboxEntry } from '#messages/inbound.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Reason } from '#messages/states.ts'
import type { Audit } from '#notify/audit.ts'
import type { Mailer } from '#notify/mail.ts'
import type { Metrics } from '#notify/metrics.ts'
import { callWebhook } from '#notify/webhook.ts'
import type { Store } from '#store/contract.ts'
import { acknowledge } from './acknowledge.ts'
import { type Action, actionId } from './plan.ts'
import { toldText } from './rules.ts'

/** What webhooks get as their body and publishers as their argument. Times as ISO 8601. */
export type InboundEvent = {
  /** Stays the same however often it is told. */
  id: string
  from: string
} & (
  | {
      type: 'received'
      /** The rule that wanted it told. */
      rule: string
      /** The entry of the inbox. */
      inbox: string
      text: string
      sentAt: string
      receivedAt: string
      node: string
      line: string
      /** False when parts were missing; the text then has a mark in each gap. Of a fax: the call broke off. */
      complete: boolean
      /** Of a fax; its document: GET /api/v1/inbox/ID/document. */
      fax?: { pages: number; station?: string; hash: string; problem?: string }
    }
  | { type: 'acknowledged'; message: string; delivery: string; at: string }
)

/** Resolves when the other side has it; rejects when it could not be told now. */
export type InboundPublisher = (event: InboundEvent) => Promise<void>

export interface Means {
  store: Pick<Store, 'messages' | 'record'>
  dispatch: Pick<Dispatch, 'submit'>
  stops: StopList
  clock: Clock
  audit: Pick<Audit, 'write'>
  metrics: Pick<Metrics, 'accepted'>
  mailer?: Mailer | undefined
  webhook?: WebhookConfig | undefined
  /** The pages of a received fax as a PDF. Rejects when they are not here or no PDF can be made. */
  pdf?: ((document: DocumentReference) => Promise<Buffer>) | undefined
  /** Read at each event: whoever publishes may be added later. */
  publishers: readonly InboundPublisher[]
}

export type Performed =
  | { result: 'done'; note?: Reason }
  | { result: 'failed'; reason: Reason; permanent: boolean }

/** For an address of a rule's own, ms. */
const WEBHOOK_MS = 10_000

const done = (code: string, text: string): Performed => ({ result: 'done', note: { code, text } })
const failed = (code: string, text: string, permanent = false): Performed => ({
  result: 'failed',
  reason: { code, text },
  permanent,
})

export async function perform(
  entry: InboxEntry,
  n: number,
  action: Action,
  means: Means,
): Promise<Performed> {
  try {
    return await carryOut(entry, n, action, means)
  } catch (error) {
    return failed('action-failed', `It could not be done: ${errorText(error).slice(0, 300)}`)
  }
}

async function carryOut(entry: InboxEntry, n: number, action: Action, means: Means): Promise<Performed> {
  const { stops, audit } = means
  const { from } = entry
  switch (action.kind) {
    case 'mail':
      return sendMail(entry, n, action, means)
    case 'webhook':
      return tell(entry, n, action, means)
    case 'mqtt':
      return publish(entry, n, action, means)
    case 'sms':
    case 'reply':
      return submit(entry, n, action, means)
    case 'acknowledge':
      return acknowledged(entry, n, action, means)
    case 'stop':
      if (await stops.add(from)) audit.write(from, 'stop-listed', `${from} answered STOP`)
      return { result: 'done' }
    case 'start':
      if (await stops.remove(from)) audit.write(from, 'stop-lifted', `${from} answered START`)
      return { result: 'done' }
    default:
      return unreachable(action.kind)
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()

const received = (entry: InboxEntry, n: number, { rule }: Action): InboundEvent => ({
  id: actionId(entry.id, n),
  type: 'received',
  rule,
  inbox: entry.id,
  from: entry.from,
  text: entry.text,
  sentAt: iso(entry.sentAt),
  receivedAt: iso(entry.at),
  node: entry.node,
  line: entry.line,
  complete: entry.complete,
  ...(entry.fax === undefined ? {} : { fax: faxOf(entry.fax) }),
})

const faxOf = ({ pages, station, problem, document }: InboundFax) => ({
  pages,
  hash: document.hash,
  ...(station === undefined ? {} : { station }),
  ...(problem === undefined ? {} : { problem }),
})

async function sendMail(
  entry: InboxEntry,
  n: number,
  action: Action,
  { mailer, pdf }: Means,
): Promise<Performed> {
  if (mailer === undefined)
    return failed('mail-not-configured', 'This appliance has no mail server: give mail.url and mail.from.')
  const { fax } = entry
  const attachments =
    fax && pdf
      ? [{ name: `fax-${entry.id}.pdf`, type: 'application/pdf', content: await pdf(fax.document) }]
      : []
  const text =
    fax === undefined ? entry.text : [toldText(entry), fax.station, fax.problem].filter(Boolean).join('\n')
  const answer = await mailer.send({
    id: actionId(entry.id, n),
    to: action.to ?? [],
    subject: fax
      ? `Fax from ${entry.from}: ${toldText(entry)}`
      : `SMS from ${entry.from}: ${entry.text.slice(0, 60)}`,
    attachments,
    text: `${text}\n\n-- \nFrom ${entry.from}, sent ${iso(entry.sentAt)}, received ${iso(entry.at)} by ${entry.node}, line ${entry.line}\n`,
  })
  return answer.result === 'sent' ? { result: 'done' } : answer
}

async function tell(
  entry: InboxEntry,
  n: number,
  action: Action,
  { webhook, clock }: Means,
): Promise<Performed> {
  const url = action.to?.[0] ?? webhook?.url
  if (url === undefined)
    return failed('webhook-not-configured', 'There is no inbound.webhook: give its url and secret.')
  const answer = await callWebhook({
    url,
    ...(webhook === undefined ? {} : { secret: webhook.secret }),
    id: actionId(entry.id, n),
    body: received(entry, n, action),
    now: clock.now(),
    timeout: webhook?.timeout ?? WEBHOOK_MS,
  })
  return answer.result === 'taken' ? { result: 'done' } : answer
}

async function publish(
  entry: InboxEntry,
  n: number,
  action: Action,
  { publishers }: Means,
): Promise<Performed> {
  if (publishers.length === 0)
    return failed('mqtt-not-configured', 'This appliance has no broker: give intake.mqtt.')
  for (const publisher of publishers) await publisher(received(entry, n, action))
  return { result: 'done' }
}

async function submit(
  entry: InboxEntry,
  n: number,
  { kind, to = [], text = '', attempts }: Action,
  { dispatch, metrics }: Means,
): Promise<Performed> {
  // One key for each attempt that was answered: a crash in between asks again with the same one and gets the same
  // message, while a message that was refused for lack of room is asked for anew.
  const key = `inbound:${actionId(entry.id, n)}:${attempts}`
  const answer = await dispatch.submit({
    to,
    text,
    source: `inbound:${kind}`,
    // A phone that is answered twice may be a machine; a forwarded alert had better come twice than not at all.
    onUnknown: kind === 'reply' ? 'hold' : 'resend',
    key: { key, bodyHash: key },
  })
  switch (answer.result) {
    case 'accepted':
      if (!answer.replayed) metrics.accepted('inbound')
      return done('message-accepted', `It is message ${answer.view.message.id}.`)
    case 'invalid':
      return failed(answer.code, `${answer.field}: ${answer.detail}`, true)
    case 'conflict':
      return failed('key-reused', 'The key of this action was used for something else.', true)
    case 'full':
      return failed('disk-full', 'No room is left to keep the message safe.')
    case 'oneDisk':
      return failed('one-disk', 'No other member has the message on its disk.')
  }
}

async function acknowledged(
  entry: InboxEntry,
  n: number,
  { code = '' }: Action,
  { store, clock, audit, publishers }: Means,
): Promise<Performed> {
  const { from, id } = entry
  const at = clock.now()
  const answer = await acknowledge(store, { from, code, entry: id, at })
  switch (answer.result) {
    case 'acknowledged': {
      const { message, delivery } = answer
      audit.write(from, 'message-acknowledged', `${from} acknowledged message ${message} by SMS`)
      const event = {
        id: actionId(id, n),
        type: 'acknowledged',
        message,
        delivery,
        from,
        at: iso(at),
      } as const
      // Whoever must know for sure has a rule for the word; a broker that is away does not undo what is recorded.
      await Promise.allSettled(publishers.map((publisher) => publisher(event)))
      return done('acknowledged-by-sms', `Message ${message} is acknowledged.`)
    }
    case 'tooEarly':
      return failed('acknowledged-too-early', 'The message is still on its way.')
    case 'unknown':
      return done('code-unknown', 'No message to this sender has this code and waits for an acknowledgement.')
  }
}

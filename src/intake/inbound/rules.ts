/**
 * What is to be done about a received message: by its sender, its first word, and the words that people answer with.
 * Pure. Decided once, when the message is first looked at; what is decided is kept with the message (plan.ts).
 */
import type { InboundRule, InboundSettings } from '#config/inbound.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import type { Reason } from '#messages/states.ts'
import { type Action, open, type Plan } from './plan.ts'

/** What the decision needs to know of the past. */
export interface Past {
  /** How many replies went to this sender within the span of the setting. */
  repliesTo(from: string): number
}

export function planFor(entry: InboxEntry, settings: InboundSettings, past: Past, now: number): Plan {
  if (settings.blacklist.some((pattern) => fromMatches(pattern, entry.from))) {
    return { at: now, actions: [], skipped: 'blacklisted' }
  }
  // Nobody answers a number that sends faxes with a short message, and its pages hold no word that could be read here.
  const word = entry.fax ? undefined : wordOf(entry.text, settings)
  const actions: Action[] = word === undefined ? [] : [{ ...word, rule: word.kind, ...open(now) }]
  let replied = word !== undefined
  for (const rule of settings.rules) {
    if (!ruleMatches(rule, entry)) continue
    const name = ruleName(rule)
    const add = (action: Pick<Action, 'kind' | 'to' | 'text'>) =>
      actions.push({ ...action, rule: name, ...open(now) })
    for (const to of rule.mail) add({ kind: 'mail', to: [to] })
    // Where the appliance's own webhook is meant its address is looked up when it is called, so that a wrong one can
    // be corrected and what was laid aside tried again.
    if (rule.webhook !== undefined)
      add({ kind: 'webhook', ...(rule.webhook === true ? {} : { to: [rule.webhook] }) })
    if (rule.mqtt) add({ kind: 'mqtt' })
    if (rule.sms.length > 0) add({ kind: 'sms', to: rule.sms, text: `${entry.from}: ${toldText(entry)}` })
    if (rule.reply === undefined || replied || entry.fax) continue
    replied = true
    const against = againstReply(entry, settings, past)
    add({ kind: 'reply', to: [entry.from], text: rule.reply })
    const reply = actions.at(-1)
    if (reply !== undefined && against !== undefined) {
      reply.state = 'done'
      reply.result = against
    }
  }
  return { at: now, actions }
}

/** What people are told of it in a line. */
export function toldText({ text, fax }: InboxEntry): string {
  if (fax === undefined) return text
  const pages = fax.pages === 1 ? 'one page' : `${fax.pages} pages`
  return `fax, ${pages}${fax.complete ? '' : ', cut off'}`
}

/** A rule as its events are ordered by, and as people find it again. */
export const ruleName = ({ from, kind, keyword }: Pick<InboundRule, 'from' | 'kind' | 'keyword'>): string =>
  [from, kind, keyword].filter((word) => word !== undefined).join(' ')

function ruleMatches(rule: InboundRule, { from, text, fax }: InboxEntry): boolean {
  if (rule.kind !== undefined && rule.kind !== (fax ? 'fax' : 'sms')) return false
  if (!fromMatches(rule.from, from)) return false
  return rule.keyword === undefined || firstWord(text) === bare(rule.keyword)
}

const bare = (word: string): string => word.toUpperCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')

const firstWord = (text: string): string => bare(text.trimStart().split(/\s/, 1)[0] ?? '')

/** @param pattern as `from` of a rule has it */
export function fromMatches(pattern: string, from: string): boolean {
  const wanted = pattern.toLowerCase()
  const sender = from.toLowerCase()
  if (wanted.endsWith('*')) return sender.startsWith(wanted.slice(0, -1))
  return sender === wanted || sameSubscriber(sender, wanted)
}

/** 0170… and +49170… are one subscriber: what a network puts before the last nine digits differs. */
export function sameSubscriber(a: string, b: string): boolean {
  if (!isSubscriber(a) || !isSubscriber(b)) return false
  return a.slice(-9) === b.slice(-9)
}

/** A number that can be answered: neither a short code nor a name (3GPP TS 23.040 9.1.2.5, alphanumeric). */
const isSubscriber = (from: string): boolean => /^\+?[0-9]{9,15}$/.test(from)

/** Letters and digits as message ids have them (core/ids.ts), so that a code can be the end of one. */
const acknowledgement = /^\W*ACK(?:[\s:#.-]+([0-9a-f-]{4,36}))?\W*$/i
const stopOrStart = /^\W*(STOP|START)\W*$/i

/** Whole texts only: `Stop calling me at night` is for people to read. */
function wordOf(
  text: string,
  { acknowledge, stop }: InboundSettings,
): Pick<Action, 'kind' | 'code'> | undefined {
  const acknowledged = acknowledge ? acknowledgement.exec(text) : null
  if (acknowledged) return { kind: 'acknowledge', code: (acknowledged[1] ?? '').toLowerCase() }
  const word = stop ? stopOrStart.exec(text)?.[1]?.toLowerCase() : undefined
  return word === undefined ? undefined : { kind: word === 'stop' ? 'stop' : 'start' }
}

/** Why a message gets no reply: two machines that answer each other would never end. */
function againstReply(
  { from, text }: InboxEntry,
  { rules, own, replies }: InboundSettings,
  past: Past,
): Reason | undefined {
  const reason = (sentence: string): Reason => ({ code: 'reply-withheld', text: `No reply: ${sentence}.` })
  if (!isSubscriber(from)) return reason('the sender is a short code or a name, not a subscriber')
  if (own.some((number) => sameSubscriber(number, from))) return reason('the sender is an own number')
  if (rules.some(({ reply }) => reply !== undefined && reply.trim() === text.trim()))
    return reason('the message is itself such a reply')
  if (past.repliesTo(from) >= replies.most)
    return reason(`the sender has had ${replies.most} within the span that inbound.replies allows`)
  return undefined
}

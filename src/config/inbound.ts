/**
 * What is done about received messages: rules, blacklist and the words that people may answer with, which every member
 * has alike, and the webhook, which is each member's own because its secret must not travel with the settings.
 */
import { formatDuration } from '#core/duration.ts'
import { mailWords } from './mail.ts'
import { type Parsed, quoted, type Section } from './section.ts'
import { matching, parseRate } from './values.ts'

export interface InboundRule {
  /** `*`, a number, a beginning of numbers with `*` at its end, or the name that a sender has in place of a number. */
  from: string
  /** What it is about; absent: both. */
  kind?: 'sms' | 'fax'
  /** The first word of the text, without regard to case; absent: every text. */
  keyword?: string
  mail: readonly string[]
  /** An address, or true for that of `inbound.webhook`. */
  webhook?: true | string
  mqtt: boolean
  /** To whom it is forwarded. */
  sms: readonly string[]
  reply?: string
}

export interface InboundSettings {
  rules: readonly InboundRule[]
  /** Senders about whose messages nothing is done; written as `from` of a rule. */
  blacklist: readonly string[]
  /** `ACK CODE` acknowledges a message. */
  acknowledge: boolean
  /** `STOP` ends messages to its sender, `START` lets them begin again. */
  stop: boolean
  /** Replies to one sender, at most so many per span (ms). */
  replies: { most: number; per: number }
  /** Numbers of the own SIM cards, which never get a reply. */
  own: readonly string[]
}

export interface WebhookConfig {
  url: string
  secret: string
  /** How long an answer is waited for, ms. */
  timeout: number
  /** How long an event is tried before it is laid aside, ms. */
  retryFor: number
}

export const inboundPaths = [
  'inbound.rules',
  'inbound.blacklist',
  'inbound.acknowledge',
  'inbound.stop',
  'inbound.replies',
  'inbound.own',
] as const

const hour = 3_600_000

export const inboundDefaults = (): InboundSettings => ({
  rules: [],
  blacklist: [],
  acknowledge: true,
  stop: true,
  replies: { most: 3, per: hour },
  own: [],
})

const MOST = { rules: 200, listed: 1_000, targets: 20, reply: 1_000, url: 2_000 } as const

const fromPattern = /^(\*|\+?[0-9]{1,20}\*?|[^*+\s][^*]{0,19}\*?)$/
const fromAllowed =
  'write "*" for everybody, a number, a beginning such as "+49*", or a name that a sender has in place of a number'

const recipientPattern = /^(\+?[0-9*#][0-9*# ./()-]{0,30}|[A-Za-z][A-Za-z0-9._-]{0,62})$/
const recipientAllowed = 'write a number such as "+491701234567", or the id of a contact or group'

/** Reads the shared keys of `inbound`; what is wrong is reported to the section. */
export function readInbound(root: Section): InboundSettings {
  const section = root.section('inbound')
  // Read by readWebhook(), in the file alone.
  section.has('webhook')
  const byDefault = inboundDefaults()
  const rules = section.sections('rules').map(readRule)
  if (rules.length > MOST.rules) section.problem('rules', `are ${rules.length}; at most ${MOST.rules}`)
  const settings: InboundSettings = {
    rules,
    blacklist: words(section, 'blacklist', MOST.listed, fromPattern, fromAllowed),
    acknowledge: section.flag('acknowledge', byDefault.acknowledge),
    stop: section.flag('stop', byDefault.stop),
    replies: section.parsed('replies', parseReplies) ?? byDefault.replies,
    own: words(section, 'own', MOST.listed, /^\+?[0-9]{2,20}$/, 'write a number such as "+491701234567"'),
  }
  section.finish()
  return settings
}

function readRule(section: Section): InboundRule {
  const from = section.parsed('from', matching(fromPattern, fromAllowed)) ?? '*'
  const keyword = section.parsed('keyword', matching(/^\S{1,30}$/, 'write one word of up to 30 characters'))
  const kind = section.choice('kind', ['sms', 'fax'])
  if (kind === 'fax' && keyword !== undefined)
    section.problem('keyword', 'a fax has no words that could be read; leave it out')
  section.required('do')
  const does = section.section('do')
  const webhook = does.holdsFlag('webhook')
    ? does.flag('webhook', false) || undefined
    : does.parsed('webhook', parseHook, true)
  const reply = does.parsed('reply', parseReply)
  const rule: InboundRule = {
    from,
    mail: mailWords(does, 'mail'),
    mqtt: does.flag('mqtt', false),
    sms: words(does, 'sms', MOST.targets, recipientPattern, recipientAllowed),
    ...(kind === undefined ? {} : { kind }),
    ...(keyword === undefined ? {} : { keyword }),
    ...(webhook === undefined ? {} : { webhook }),
    ...(reply === undefined ? {} : { reply }),
  }
  if (rule.mail.length > MOST.targets) does.problem('mail', `names more than ${MOST.targets} addresses`)
  if (!['mail', 'webhook', 'mqtt', 'sms', 'reply'].some((key) => does.has(key)) && section.has('do')) {
    section.problem('do', 'does nothing; name at least one of mail, webhook, mqtt, sms and reply')
  }
  does.finish()
  section.finish()
  return rule
}

function words(section: Section, key: string, most: number, pattern: RegExp, allowed: string): string[] {
  const found = section.words(key)
  if (found.length > most) section.problem(key, `has ${found.length} entries; at most ${most}`)
  for (const { word, problem } of found) {
    if (!pattern.test(word)) problem(`${quoted(word)} is not allowed here; ${allowed}`)
  }
  return found.map(({ word }) => word)
}

function parseHook(text: string): Parsed<string> {
  const url = URL.canParse(text) && text.length <= MOST.url ? new URL(text) : undefined
  const web = url?.protocol === 'http:' || url?.protocol === 'https:'
  return web && url.username === '' && url.password === ''
    ? { value: url.href }
    : {
        allowed:
          'write an address that begins with https:// or http://, without user and password: the signature is the proof',
      }
}

const parseReply = (text: string): Parsed<string> =>
  text.trim() !== '' && text.length <= MOST.reply
    ? { value: text }
    : { allowed: `write a text of up to ${MOST.reply} characters` }

function parseReplies(text: string): Parsed<InboundSettings['replies']> {
  const rate = parseRate(text)
  return 'value' in rate
    ? { value: { most: rate.value.parts, per: rate.value.perMs } }
    : { allowed: 'write a number of replies and a span from 1s to 1d, such as 3/1h' }
}

/** The member's own `inbound.webhook`. */
export function readWebhook(root: Section): WebhookConfig | undefined {
  const inbound = root.section('inbound')
  if (!inbound.has('webhook')) return undefined
  const section = inbound.section('webhook')
  for (const key of ['url', 'secret']) section.required(key)
  const url = section.parsed('url', parseHook, true)
  const secret = section.parsed('secret', matching(/^.{16,200}$/, 'write 16 to 200 characters'), true)
  const timeout = section.duration('timeout', 10_000, { min: 100, max: 60_000 })
  const retryFor = section.duration('retryFor', 24 * hour, { min: 1_000, max: 7 * 24 * hour })
  section.finish()
  return url === undefined || secret === undefined ? undefined : { url, secret, timeout, retryFor }
}

/** Ways out that rules of the file name and the file does not have. */
export function missingWays(config: {
  inbound: InboundSettings
  mail?: unknown
  webhook?: WebhookConfig
}): { path: string; text: string }[] {
  return config.inbound.rules.flatMap((rule, index) => {
    const at = (key: string, text: string) => ({ path: `inbound.rules[${index}].do.${key}`, text })
    return [
      ...(rule.mail.length > 0 && config.mail === undefined
        ? [at('mail', 'there is no mail server to hand it to; give mail.url and mail.from')]
        : []),
      ...(rule.webhook === true && config.webhook === undefined
        ? [at('webhook', 'there is no inbound.webhook; give its url and secret, or write an address here')]
        : []),
    ]
  })
}

/** The shared keys as people write them, by path. */
export function writtenInbound(inbound: InboundSettings): Record<(typeof inboundPaths)[number], unknown> {
  const { rules, blacklist, acknowledge, stop, replies, own } = inbound
  return {
    'inbound.rules': rules.map(({ from, kind, keyword, mail, webhook, mqtt, sms, reply }) => ({
      from,
      ...(kind === undefined ? {} : { kind }),
      ...(keyword === undefined ? {} : { keyword }),
      do: {
        ...(mail.length === 0 ? {} : { mail: [...mail] }),
        ...(webhook === undefined ? {} : { webhook }),
        ...(mqtt ? { mqtt } : {}),
        ...(sms.length === 0 ? {} : { sms: [...sms] }),
        ...(reply === undefined ? {} : { reply }),
      },
    })),
    'inbound.blacklist': [...blacklist],
    'inbound.acknowledge': acknowledge,
    'inbound.stop': stop,
    'inbound.replies': `${replies.most}/${formatDuration(replies.per)}`,
    'inbound.own': [...own],
  }
}

/** @returns `into` with the setting at the path taken from `from` */
export function withInbound(
  into: InboundSettings,
  path: (typeof inboundPaths)[number],
  from: InboundSettings,
): InboundSettings {
  switch (path) {
    case 'inbound.rules':
      return { ...into, rules: from.rules }
    case 'inbound.blacklist':
      return { ...into, blacklist: from.blacklist }
    case 'inbound.acknowledge':
      return { ...into, acknowledge: from.acknowledge }
    case 'inbound.stop':
      return { ...into, stop: from.stop }
    case 'inbound.replies':
      return { ...into, replies: from.replies }
    case 'inbound.own':
      return { ...into, own: from.own }
  }
}

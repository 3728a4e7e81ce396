/**
 * What stands before the @ of a recipient, into whom dispatch is to reach: a number, a contact or a group. Pure.
 *
 * Rests on RFC 5321 4.1.2: a local part is a dot-string such as `+4917…` or `duty`, or quoted where it holds spaces,
 * as in `"+48 501 234 567"`. `fax+…` and `voice+…` name another channel than SMS.
 */
import { type Channel, channels } from '#messages/message.ts'
import { Refusal } from './refusal.ts'

export interface MailRecipient {
  channel: Channel
  /** A number or a name, as SubmitRequest has it. */
  to: string
}

/**
 * @param address as the client gave it
 * @param domains lower-case; empty takes every domain
 */
export function readRecipient(address: string, domains: readonly string[]): MailRecipient | Refusal {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1).toLowerCase()
  if (at > 0 && domains.length > 0 && !domains.includes(domain)) {
    return new Refusal(
      550,
      'domain-unknown',
      `mail for ${domain} is not taken here; write to ${domains.join(' or ')}`,
    )
  }
  const local = unquoted(at > 0 ? address.slice(0, at) : address).trim()
  const [, word = '', rest = ''] = /^([a-z]+)\+(.+)$/i.exec(local) ?? []
  const channel = channels.find((one) => one === word.toLowerCase())
  return channel === undefined ? { channel: 'sms', to: local } : { channel, to: numberOf(rest) }
}

/** Without the quotes, and with what a backslash protects as it is (quoted-pair). */
function unquoted(local: string): string {
  return local.length > 1 && local.startsWith('"') && local.endsWith('"')
    ? local.slice(1, -1).replace(/\\(.)/g, '$1')
    : local
}

/** In `fax+4930123456` the plus is both what divides and what begins the number. */
const numberOf = (rest: string): string => (/^[1-9][0-9 ]{7,}$/.test(rest) ? `+${rest}` : rest)

/**
 * From the words of a mail to the words of an SMS: what is said again below a reply goes, signatures go, white space
 * shrinks, and what is too long is dealt with as the configuration says. Pure.
 *
 * Rests on RFC 3676 4.3 (a signature begins at a line `-- `) and on how mail programs introduce what they quote.
 */
import type { SmtpConfig } from '#config/smtp.ts'
import { planText } from '#sms/coding.ts'
import { Refusal } from './refusal.ts'

export interface Words {
  subject: string
  body: string
  /** It names the mail that it answers (In-Reply-To or References). */
  reply: boolean
}

/** More characters than 255 parts can carry; what lies behind is not looked at. */
const MOST_CHARACTERS = 50_000
const ELLIPSIS = '...'

export function smsText(
  { subject, body, reply }: Words,
  { text: rule, long }: Pick<SmtpConfig, 'text' | 'long'>,
): string | Refusal {
  const title = tidy(subject.slice(0, MOST_CHARACTERS)).replace(/\s*\n\s*/g, ' ')
  const story = rule === 'subject' ? '' : tidy(written(body.slice(0, MOST_CHARACTERS), reply))
  const text = rule === 'body' ? story : joined(title, story)
  if (text === '') {
    const what = { subject: 'the subject', body: 'the body', both: 'subject and body' }[rule]
    return new Refusal(554, 'empty-text', `${what} of the mail held no text, so there is nothing to send`)
  }
  if (long === 'split' || fits(text)) return text
  if (long === 'truncate') return shortened(text)
  return new Refusal(
    554,
    'text-too-long',
    'the text does not fit into one SMS, and longer ones are not taken here',
  )
}

/** A body often begins with what the subject says; it need not be said twice. */
function joined(title: string, story: string): string {
  if (title === '' || story.replace(/\s+/g, ' ').startsWith(title)) return story
  return story === '' ? title : `${title}\n${story}`
}

/** What can be neither sent nor seen goes; runs of white space become one space, runs of empty lines one. */
function tidy(text: string): string {
  return (
    text
      .toWellFormed()
      // Letters and accents apart (as macOS writes them) would not be in the SMS alphabet.
      .normalize('NFC')
      .replace(/\r\n?|[\u2028\u2029\f\v]/g, '\n')
      .replace(/[\u00ad\u200b\u2060\ufeff]/g, '')
      .replace(/[^\S\n]+/g, ' ')
      .replace(/[\p{Cc}](?<!\n)/gu, '')
      .replace(/ ?\n ?/g, '\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  )
}

/** As mail programs name the mail below, in the languages of those who write here. */
const original =
  /^-{2,}\s*(original message|original appointment|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oryginalna wiadomość)\s*-{2,}$/i
const attribution =
  /^(on|am|le|el|il|op|w dniu|dnia) .{4,200}(wrote|schrieb.{0,100}|a écrit|escribió|ha scritto|schreef.{0,100}|napisał.{0,100})\s?:$/i
const outlookFrom = /^\*?(from|von|de|da|van|od)\s?:\*? .+$/i
const outlookSent = /^\*?(sent|date|gesendet|datum|envoyé|enviado|inviato|verzonden|wysłano)\s?:\*? .+$/i

/** Empty, or a line drawn between one's own words and what follows. */
const divider = /^(_{5,}|-{5,})?$/

/** The lines that the writer wrote: up to the signature, and up to what is quoted below. */
function written(body: string, reply: boolean): string {
  const all = body.split(/\r\n?|\n/)
  let end = all.findIndex((line) => line === '-- ' || line === '--')
  if (end < 0) end = all.length
  for (let n = 0; n < end; n += 1) {
    if (beginsQuote(all, n, reply)) {
      end = n
      break
    }
  }
  while (end > 0 && divider.test((all[end - 1] ?? '').trim())) end -= 1
  const own = all.slice(0, end).filter((line) => !(reply && line.startsWith('>')))
  // A mail that is nothing but quotation was sent on for what it quotes.
  return own.some((line) => line.trim() !== '') ? own.join('\n') : body
}

function beginsQuote(all: readonly string[], n: number, reply: boolean): boolean {
  const line = (all[n] ?? '').trim()
  if (original.test(line)) return true
  // An attribution may be folded, and only what is quoted below it tells it from an ordinary sentence.
  const below = all.slice(n + 1, n + 5).map((one) => one.trim())
  const quotedSoon = below.some((one) => one.startsWith('>'))
  if ((reply || quotedSoon) && (attribution.test(line) || attribution.test(`${line} ${below[0] ?? ''}`)))
    return true
  const divided = n === 0 || divider.test((all[n - 1] ?? '').trim())
  return reply && divided && outlookFrom.test(line) && below.slice(0, 2).some((one) => outlookSent.test(one))
}

const fits = (text: string): boolean => text.length <= 160 && planText(text, 8).parts.length === 1

/** As much of the beginning as one SMS holds, with a sign that more was said. */
function shortened(text: string): string {
  const letters = [...new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text.slice(0, 400))].map(
    ({ segment }) => segment,
  )
  const cut = (count: number) => letters.slice(0, count).join('').trimEnd() + ELLIPSIS
  let least = 0
  let most = letters.length
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (fits(cut(middle))) least = middle
    else most = middle - 1
  }
  return cut(least)
}

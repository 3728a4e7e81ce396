/** From the words of a mail to the words of an SMS, as tables. */
import { describe, expect, it } from 'vitest'
import { htmlToText } from '#intake/smtp/html.ts'
import { parseMail } from '#intake/smtp/mail.ts'
import { Refusal } from '#intake/smtp/refusal.ts'
import { smsText, type Words } from '#intake/smtp/text.ts'
import { planText } from '#sms/coding.ts'

const rules = { text: 'both', long: 'split' } as const

function textOf(words: Partial<Words>, more: Partial<Parameters<typeof smsText>[1]> = {}): string {
  const text = smsText({ subject: '', body: '', reply: false, ...words }, { ...rules, ...more })
  return text instanceof Refusal ? text.message : text
}

describe('subject and body', () => {
  it.each([
    ['both', 'Pump 3', 'has stopped', 'Pump 3\nhas stopped'],
    ['both', 'Pump 3', '', 'Pump 3'],
    ['both', '', 'has stopped', 'has stopped'],
    ['both', 'Pump 3 has stopped', 'Pump 3  has\r\nstopped at 7:00', 'Pump 3 has\nstopped at 7:00'],
    ['subject', 'Pump 3', 'has stopped', 'Pump 3'],
    ['body', 'Pump 3', 'has stopped', 'has stopped'],
    [
      'subject',
      '',
      'has stopped',
      'empty-text: the subject of the mail held no text, so there is nothing to send',
    ],
    ['body', 'Pump 3', ' \r\n', 'empty-text: the body of the mail held no text, so there is nothing to send'],
  ] as const)('%s of %j and %j is %j', (text, subject, body, expected) => {
    expect(textOf({ subject, body }, { text })).toBe(expected)
  })

  it('lose what can be neither seen nor sent', () => {
    expect(textOf({ body: 'a\u00a0\tb\u00ad\u200bc \r\n\r\n\r\n\r\n d\u0000\u0007\ud800 e\u0301' })).toBe(
      'a bc\n\nd\ufffd é',
    )
  })
})

describe('what was not written', () => {
  const quoted = '> it is broken\n> again'
  it.each([
    ['a signature', 'broken\n-- \nThe pump team\nRoom 5', false, 'broken'],
    ['a quoted mail', `yes\n\nOn Mon, 1 Jun 2026 at 10:00, Pump <p@x> wrote:\n${quoted}`, true, 'yes'],
    [
      'a folded attribution',
      `ja\n\nAm 1. Juni 2026 um 10:00 schrieb Pump Team\n<p@x>:\n\n${quoted}`,
      false,
      'ja',
    ],
    ['answers between quotes', '> broken?\nyes\n> when?\nat seven', true, 'yes\nat seven'],
    [
      'what Outlook appends',
      'yes\n\n________________________________\nFrom: Pump <p@x>\nSent: Monday\nTo: a\nSubject: b',
      true,
      'yes',
    ],
    ['the original message', 'yes\n-----Ursprüngliche Nachricht-----\nVon: p', false, 'yes'],
  ])('goes: %s', (_title, body, reply, expected) => {
    expect(textOf({ body, reply })).toBe(expected)
  })

  it.each([
    ['a limit', 'level\n> 90 %', false],
    ['lines that look like a header', 'From: UPS\nDate: today\nbattery', false],
    ['a sentence', 'On Monday the operator wrote:\nnothing', false],
    ['a mail that only quotes', quoted, true],
    ['a dash', '- \n-- a\n--- b', false],
  ])('does not go: %s', (_title, body, reply) => {
    expect(textOf({ body, reply })).toBe(body.replace(/ +$/gm, ''))
  })
})

describe('a long text', () => {
  const long = 'Grüße aus der Leitwarte. '.repeat(20).trim()
  const emoji = '👨‍👩‍👧'.repeat(60)

  it('is split as it is', () => {
    expect(textOf({ body: long })).toBe(long)
  })

  it.each([
    ['the SMS alphabet', long, 160],
    ['characters of two septets', '€[]'.repeat(100), 160],
    ['other alphabets', 'Температура '.repeat(20), 70],
    ['emoji', emoji, 70],
  ])('in %s is cut to one SMS', (_title, body, most) => {
    const text = textOf({ body }, { long: 'truncate' })
    expect(planText(text, 8).parts).toHaveLength(1)
    expect(text.length).toBeGreaterThan(most / 2 - 12)
    expect(text.endsWith('...')).toBe(true)
    expect(body.startsWith(text.slice(0, -3))).toBe(true)
    // No half of a letter: what is cut off begins where a letter begins.
    expect(body.slice(text.length - 3)).not.toMatch(/^[\u200d\ufe0f\udc00-\udfff]/)
  })

  it('is refused, but not when it fits', () => {
    expect(textOf({ body: long }, { long: 'refuse' })).toMatch(/^text-too-long/)
    expect(textOf({ body: 'x'.repeat(160) }, { long: 'refuse' })).toBe('x'.repeat(160))
    expect(textOf({ body: 'x'.repeat(160) }, { long: 'truncate' })).toBe('x'.repeat(160))
  })
})

describe('HTML', () => {
  it.each([
    ['<p>Pump&nbsp;3</p><p>has <b>stopped</b></p>', 'Pump 3\nhas stopped'],
    ['<head><style>p { color: red }</style><title>x</title></head><body>a<br>b</body>', 'a\nb'],
    [
      '<table><tr><td>site</td><td>Köln</td></tr><tr><td>temp</td><td>&gt; 40&deg;</td></tr></table>',
      'site Köln\ntemp > 40°',
    ],
    ['<ul>\n<li>one\n<li>two</ul>', '- one\n- two'],
    ['<a href="https://x.example/very/long">here</a><!-- not <b>this</b> -->', 'here'],
    ['a < b &amp;&amp; c > d &bogus; &#x1F525;&#0;&#1114112;', 'a < b && c > d &bogus; 🔥\ufffd\ufffd'],
    ['<script>if (a < b) alert("</p>")</script>ok', 'ok'],
    ['<p title="a>b">x', 'b">x'],
    ['unclosed <b', 'unclosed <b'],
    ['<!-- open', 'open'],
  ])('%j says %j', (html, text) => {
    expect(htmlToText(html)).toBe(text)
  })

  it.each(['<', '<!--', '<a ', '</', '&', '<script>', '<p', '<!-->'])('of many %j ends', (piece) => {
    expect(htmlToText(piece.repeat(1_000_000 / piece.length)).length).toBeLessThan(1_000_001)
  })
})

describe('a mail', () => {
  const parse = (text: string, encoding: BufferEncoding = 'utf8') => parseMail(Buffer.from(text, encoding))

  it.each([
    ['UTF-8', 'Subject: Störung\r\n\r\nTür', 'utf8'],
    ['Latin-1 that says nothing', 'Subject: Störung\r\n\r\nTür', 'latin1'],
    [
      'encoded words',
      'Subject: =?iso-8859-1?Q?St=F6rung?=\r\nContent-Type: text/plain; charset=windows-1252\r\n\r\nT\xfcr',
      'latin1',
    ],
    [
      'base64',
      'Subject: =?utf-8?B?U3TDtnJ1bmc=?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nVMO8cg==',
      'utf8',
    ],
  ] as const)('in %s is read', async (_title, text, encoding) => {
    expect(await parse(text, encoding)).toMatchObject({
      subject: 'Störung',
      body: expect.stringMatching(/^Tür\n?$/),
    })
  })

  it('of two alternatives is the plain one', async () => {
    const mail = await parse(
      'Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n--b--',
    )
    expect(mail).toMatchObject({ body: 'plain\n', messageId: '<1@x>', reply: true })
  })

  it('of HTML alone is what it says', async () => {
    const mail = await parse(
      'Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich &amp; poor</p>\r\n--b--',
    )
    expect(mail.body).toBe('rich & poor')
  })
})

/** What a header says about who wrote the mail, and how urgent it is. */
import { describe, expect, it } from 'vitest'
import { objection, priorityOf } from '#intake/smtp/headers.ts'

const header = (line: string) => {
  const [key = '', ...value] = line.split(': ')
  return { key: key.toLowerCase(), value: value.join(': ') }
}
const headers = (...lines: string[]) => lines.map(header)

describe('a mail', () => {
  it.each([
    ['Auto-Submitted: auto-replied', 'auto-reply'],
    ['Auto-Submitted: Auto-Replied; owner-email="a@b"', 'auto-reply'],
    ['Auto-Submitted: auto-replied (vacation)', 'auto-reply'],
    ['Precedence: auto_reply', 'auto-reply'],
    ['X-Autoreply: yes', 'auto-reply'],
    ['X-Autorespond: gone', 'auto-reply'],
    ['Content-Type: multipart/report; report-type=delivery-status', 'bounce'],
    ['X-Twinline: yes', 'mail-loop'],
  ])('with %s is refused as %s', (line, code) => {
    expect(objection(headers(line), 'accept')?.code).toBe(code)
  })

  it.each([
    'Auto-Submitted: no',
    'Auto-Submitted: auto-generated',
    'Auto-Submitted: auto-notified',
    'Precedence: bulk',
    'X-Auto-Response-Suppress: All',
    'Content-Type: text/plain',
  ])('with %s is an alert', (line) => {
    expect(objection(headers(line), 'accept')).toBeUndefined()
  })

  it('that a program wrote is refused where only people shall write', () => {
    expect(objection(headers('Auto-Submitted: auto-generated'), 'refuse')?.code).toBe('auto-submitted')
    expect(objection(headers('Auto-Submitted: no'), 'refuse')).toBeUndefined()
  })

  it('has passed thirty servers at most', () => {
    const hops = (count: number) => headers(...Array.from({ length: count }, () => 'Received: by mx'))
    expect(objection(hops(30), 'accept')).toBeUndefined()
    expect(objection(hops(31), 'accept')?.code).toBe('mail-loop')
  })

  it.each([
    ['Importance: High', 1],
    ['Priority: urgent', 1],
    ['X-Priority: 1 (Highest)', 1],
    ['X-Priority: 2', 1],
    ['X-Priority: 3', undefined],
    ['Importance: normal', undefined],
    ['X-Priority: 5 (Lowest)', 3],
    ['Priority: non-urgent', 3],
    ['Subject: urgent', undefined],
  ])('with %s has priority %s', (line, priority) => {
    expect(priorityOf(headers(line))).toBe(priority)
  })
})

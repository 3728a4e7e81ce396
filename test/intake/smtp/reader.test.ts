/** Mails that are made to cost time or memory cost little of either, and nobody else waits for them. */
import { afterAll, expect, it } from 'vitest'
import { createMailReader } from '#intake/smtp/reader.ts'

const reader = createMailReader()
afterAll(() => reader.stop())

it('reads a large mail in a process of its own', async () => {
  const mail = `Subject: big\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsmall text\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'QUJD'.repeat(19)}\r\n`.repeat(20_000)}--b--`
  expect(await reader.read(Buffer.from(mail))).toMatchObject({ subject: 'big', body: 'small text\n' })
})

it('gives up what takes too much, and reads on', async () => {
  await expect(reader.read(Buffer.alloc(10_000_000, '\n'))).rejects.toMatchObject({
    code: 'mail-unreadable',
    responseCode: 554,
  })
  expect(await reader.read(Buffer.from(`Subject: next\r\n\r\n${'x\r\n'.repeat(3_000)}`))).toMatchObject({
    subject: 'next',
  })
}, 30_000)

it.each([
  ['parts', 'Content-Type: multipart/mixed; boundary=x\n\n', '--x\n\nhi\n'],
  ['headers', '', 'a: b\n'],
  ['one line', 'Subject: a\n\n', 'x'],
  ['encoded words', 'Subject: a\n', ' =?utf-8?q?a?=\n'],
  ['markup', 'Content-Type: text/html\n\n', '<<a &'],
])(
  'ends with many %s',
  async (_title, head, piece) => {
    const bytes = Buffer.from(head + piece.repeat(5_000_000 / piece.length))
    const [one] = await Promise.allSettled([reader.read(bytes)])
    expect(one?.status === 'fulfilled' || one?.reason.code).toBeOneOf([true, 'mail-unreadable'])
  },
  30_000,
)

it('keeps few waiting', async () => {
  const large = Buffer.from(`Subject: a\r\n\r\n${'x\r\n'.repeat(3_000)}`)
  const few = createMailReader(4)
  const settled = await Promise.allSettled(Array.from({ length: 8 }, () => few.read(large)))
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
  expect(refused).toEqual(['busy', 'busy', 'busy', 'busy'])
})

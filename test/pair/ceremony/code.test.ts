/** The code of an invitation: whole there and back, and every slip of the typing hand is named. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type InvitationCode, readCode, writeCode } from '#pair/ceremony/code.ts'

const code: InvitationCode = {
  addresses: ['10.77.0.1:8884'],
  fingerprint: '00112233445566778899aabbccddeeff',
  secret: Buffer.from('0123456789abcdef0123', 'hex'),
}
const text = writeCode(code)

test('a code is short, in groups, and of signs that a QR code holds in its alphanumeric mode', () => {
  expect(text).toMatch(/^[0-9A-Z]{6}(-[0-9A-Z]{6})*-[0-9A-Z]{2,6}$/)
  expect(text).not.toMatch(/[ILOU]/)
  expect(text.length).toBeLessThan(90)
})

test('the same code gives the same text for ever: codes are read by other releases', () => {
  expect(text).toBe('040120-8HK8HA-APCXWJ-8K6NB5-QK6XXF-VZG28B-T5CY44-TQKFFY-04HG8W-2JD00B-0J5D4R-FG8K')
})

test.each([
  [['10.77.0.1:8884']],
  [['10.77.0.1:8884', '192.168.178.20:65535']],
  [['[fd00:1::1]:8884', '[::1]:1', '[1:2:3:4:5:6:7:8]:8884']],
  [['gateway-1.example.org:8884']],
])('addresses %j come back', (addresses) => {
  expect(readCode(writeCode({ ...code, addresses }))).toEqual({
    result: 'code',
    code: { ...code, addresses },
  })
})

test('at most four addresses go in, and a fingerprint is cut to its first half', () => {
  const addresses = [1, 2, 3, 4, 5].map((n) => `10.0.0.${n}:8884`)
  const read = readCode(writeCode({ ...code, addresses, fingerprint: 'ab'.repeat(32) }))
  expect(read).toEqual({
    result: 'code',
    code: { ...code, addresses: addresses.slice(0, 4), fingerprint: 'ab'.repeat(16) },
  })
})

test.each([
  ['lower case', (it: string) => it.toLowerCase()],
  ['no dashes', (it: string) => it.replaceAll('-', '')],
  ['blanks and line breaks', (it: string) => ` ${it.replaceAll('-', ' \n ')} `],
  [
    'O for 0 and I or l for 1',
    (it: string) => it.replaceAll('0', 'O').replace('1', 'I').replaceAll('1', 'l'),
  ],
])('%s is read as it was meant', (_what, change) => {
  expect(readCode(change(text))).toEqual({ result: 'code', code })
})

const signs = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

test('every single wrong sign is found, and its group is named', () => {
  const bare = text.replaceAll('-', '')
  for (let at = 0; at < bare.length; at += 1) {
    const other = signs[(signs.indexOf(bare[at] ?? '') + 1 + (at % 31)) % 32]
    if (other === bare[at]) continue
    const read = readCode(bare.slice(0, at) + other + bare.slice(at + 1))
    expect(read).toMatchObject({ result: 'mistyped' })
    expect(read).toMatchObject({ text: expect.stringContaining(`group ${Math.floor(at / 6) + 1} `) })
  }
})

test('two neighbours changed over are found within a group and across two', () => {
  const bare = text.replaceAll('-', '')
  for (let at = 0; at + 1 < bare.length; at += 1) {
    if (bare[at] === bare[at + 1]) continue
    const typed = bare.slice(0, at) + bare[at + 1] + bare[at] + bare.slice(at + 2)
    expect(readCode(typed), typed).toMatchObject({ result: 'mistyped' })
  }
})

test('a missing or extra sign is named by the group it is in', () => {
  const groups = text.split('-')
  const missing = groups.map((group, n) => (n === 3 ? group.slice(1) : group)).join('-')
  expect(readCode(missing)).toMatchObject({ text: expect.stringMatching(/^group 4 \(.{5}\) has 5 signs/) })
  const extra = groups.map((group, n) => (n === 5 ? `${group}7` : group)).join('-')
  expect(readCode(extra)).toMatchObject({ text: expect.stringMatching(/^group 6 \(.{7}\) has 7 signs/) })
})

test('groups that are left out or changed over are found', () => {
  const groups = text.split('-')
  expect(readCode(groups.slice(0, -2).join('-'))).toMatchObject({
    result: 'mistyped',
    text: expect.stringContaining('end missing'),
  })
  expect(readCode([...groups.slice(0, 2), ...groups.slice(3)].join('-'))).toMatchObject({
    result: 'mistyped',
  })
  const [first = '', second = '', ...rest] = groups
  expect(readCode([second, first, ...rest].join('-'))).toMatchObject({ result: 'mistyped' })
})

test.each(['', '   ', '-', 'hello world', 'A'.repeat(700), '🙂'])('%j is no code', (typed) => {
  expect(readCode(typed)).toMatchObject({ result: 'mistyped' })
})

test('whatever is in it comes back, and whatever is typed ends in a code or in a word', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  const address = fc.oneof(
    fc.tuple(fc.ipV4(), port).map(([host, at]) => `${host}:${at}`),
    fc.tuple(fc.domain(), port).map(([host, at]) => `${host}:${at}`),
  )
  fc.assert(
    fc.property(fc.array(address, { minLength: 1, maxLength: 4 }), (addresses) => {
      const made = { addresses, fingerprint: randomBytes(16).toString('hex'), secret: randomBytes(10) }
      expect(readCode(writeCode(made))).toEqual({ result: 'code', code: made })
    }),
  )
  fc.assert(fc.property(fc.string(), (typed) => readCode(typed).result === 'mistyped'))
})

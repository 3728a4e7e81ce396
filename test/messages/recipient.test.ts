/** Recipients as people write them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRecipient } from '#messages/recipient.ts'

test.each([
  ['+491701234567', '+491701234567'],
  ['+49 170 / 123-45.67', '+491701234567'],
  ['+49 (0)170 1234567', '+491701234567'],
  ['(0170) 1234567', '01701234567'],
  ['00491701234567', '00491701234567'],
  ['+123', '+123'],
  ['+123456789012345', '+123456789012345'],
  ['10', '10'],
  ['80888', '80888'],
  ['*100#', '*100#'],
  ['12345678901234567890', '12345678901234567890'],
])('%s is %s', (text, number) => expect(parseRecipient(text)).toEqual({ number }))

test.each([
  ['', 'The number is empty.'],
  ['  -', 'The number is empty.'],
  ['+', 'After + there are 0 digits.'],
  ['+12', 'After + there are 2 digits.'],
  ['+1234567890123456', 'After + there are 16 digits.'],
  ['+0170123456', 'After + the country code is missing'],
  ['1', 'The number has 1 digits.'],
  ['123456789012345678901', 'The number has 21 digits.'],
  ['*#', 'The number has no digit.'],
  ['+49*100', 'The number has characters that no number has.'],
  ['49+170', 'The number has characters that no number has.'],
  ['++49170123', 'The number has characters that no number has.'],
  ['0170abc', 'The number has characters that no number has.'],
  ['٠١٢٣', 'The number has characters that no number has.'],
  ['0170;123', 'The number has characters that no number has.'],
  ['0170\n123', 'The number has characters that no number has.'],
  ['bob@example.org', 'The number has characters that no number has.'],
])('%j is refused and what is allowed is said', (text, problem) => {
  const parsed = parseRecipient(text)
  expect('problem' in parsed && parsed.problem).toContain(problem)
  expect('problem' in parsed && parsed.problem).toContain('Allowed are + and 3 to 15 digits')
})

test('whatever comes out of any text is a number that a PDU can carry', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[+0-9 ()*#./-]{0,25}$/)), (text) => {
      const parsed = parseRecipient(text)
      if ('number' in parsed) {
        expect(parsed.number).toMatch(/^(\+[1-9][0-9]{2,14}|[0-9*#]{2,20})$/)
        expect(parseRecipient(parsed.number)).toEqual(parsed)
      } else expect(parsed.problem.length).toBeGreaterThan(20)
    }),
    { numRuns: 2_000 },
  )
})

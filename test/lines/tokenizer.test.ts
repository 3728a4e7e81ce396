/** Bytes into lines and prompts: whole, doubled, cut at every byte, behind garbage, binary, beyond every bound. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LINE_LIMIT, Tokenizer } from '#lines/tokenizer.ts'

function tokensOf(chunks: readonly Uint8Array[]): { tokens: string[]; discarded: number } {
  const tokens: string[] = []
  let discarded = 0
  const tokenizer = new Tokenizer({
    line: (text) => tokens.push(text),
    prompt: () => tokens.push('<prompt>'),
    discarded: (bytes) => {
      discarded += bytes
    },
  })
  for (const chunk of chunks) tokenizer.feed(chunk)
  return { tokens, discarded }
}
const bytes = (text: string) => Buffer.from(text, 'latin1')

/** Each with what it comes to. */
const conversations: [string, string, string[]][] = [
  ['an answer', '\r\n+CSQ: 20,99\r\n\r\nOK\r\n', ['+CSQ: 20,99', 'OK']],
  ['an echo before it', 'AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n', ['AT+CSQ', '+CSQ: 20,99', 'OK']],
  ['a numeric result (ATV0)', '0\r', ['0']],
  ['lines without CR', 'one\ntwo\n', ['one', 'two']],
  ['a prompt without a line end', '\r\n> ', ['<prompt>']],
  ['a bare prompt', '> ', ['<prompt>']],
  ['a prompt without its space', '\r\n>', ['<prompt>']],
  [
    'an echo, a prompt, an echoed PDU',
    'AT+CMGS=19\r\r\n> 0011ABCD\x1a\r\n+CMGS: 7\r\n',
    ['AT+CMGS=19', '<prompt>', '0011ABCD', '+CMGS: 7'],
  ],
  ['news between command and answer', 'AT\r\r\n+CMTI: "SM",3\r\n\r\nOK\r\n', ['AT', '+CMTI: "SM",3', 'OK']],
  ['news glued behind a result', '\r\nOK\r\n\r\n+CDS: 25\r\n0006AB\r\n', ['OK', '+CDS: 25', '0006AB']],
  ['a > inside a line', '+CUSD: 0,"a > b"\r\n', ['+CUSD: 0,"a > b"']],
  ['letters above ASCII', '+COPS: 0,0,"Tel\xe9"\r\n', ['+COPS: 0,0,"Tel\xe9"']],
]

describe.each(conversations)('%s', (_name, text, wanted) => {
  it('whole and doubled', () => {
    expect(tokensOf([bytes(text)]).tokens).toEqual(wanted)
    expect(tokensOf([bytes(text + text)]).tokens).toEqual([...wanted, ...wanted])
  })

  it('cut at every byte, and one byte at a time', () => {
    for (let at = 0; at <= text.length; at++) {
      expect(tokensOf([bytes(text.slice(0, at)), bytes(text.slice(at))]).tokens).toEqual(wanted)
    }
    expect(tokensOf([...text].map(bytes)).tokens).toEqual(wanted)
  })

  it('behind a line of garbage', () => {
    expect(tokensOf([bytes(`\xff\xfe\x00q\r\n${text}`)]).tokens.slice(1)).toEqual(wanted)
  })
})

it('reports control characters that it drops', () => {
  expect(tokensOf([bytes('\x00\x00RDY\x07\r\n')])).toEqual({ tokens: ['RDY'], discarded: 3 })
})

it('drops a line beyond the limit up to its end, and goes on after it', () => {
  const { tokens, discarded } = tokensOf([bytes(`${'x'.repeat(3 * LINE_LIMIT)}\r\nOK\r\n`)])
  expect(tokens).toEqual(['OK'])
  expect(discarded).toBe(3 * LINE_LIMIT)
})

it('keeps the longest line that is allowed', () => {
  const line = 'y'.repeat(LINE_LIMIT)
  expect(tokensOf([bytes(`${line}\r\n`)]).tokens).toEqual([line])
})

it('holds no more than a line of a stream that never ends one', () => {
  const tokenizer = new Tokenizer({ line: () => {}, prompt: () => {}, discarded: () => {} })
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 2_000; i++) tokenizer.feed(Buffer.alloc(16_384, 0x61))
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(30_000_000)
})

it('gives the same tokens however any bytes are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 5 }), (all, cuts) => {
      const sorted = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length]
      const chunks = sorted.slice(1).map((end, i) => all.subarray(sorted[i], end))
      expect(tokensOf(chunks)).toEqual(tokensOf([all]))
    }),
    { numRuns: 500 },
  )
})

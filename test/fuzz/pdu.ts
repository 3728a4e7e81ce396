/**
 * What a modem hands over, spoiled: PDUs with bits, octets and stretches changed, and octets that never were one. Found
 * is an exception, a reading that takes more than 50 ms of the processor, one that says more than a PDU can hold, and a sound PDU that is
 * no longer read as what it says.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { partLimit, planText, splitText } from '#sms/coding.ts'
import { decodeIncoming } from '#sms/deliver.ts'
import { encodeSubmit } from '#sms/submit.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const LONGEST_MS = 50
/** Between two looks at the time and turns of the event loop. */
const ROUND = 200
/** 140 octets hold at most 160 septets (3GPP TS 23.040 9.2.3.24), and an escaped octet is shown as more than one character. */
const LONGEST_TEXT = 160 * 4

interface Sample {
  pdu: string
  text: string
}

const sound: readonly [Sample, ...Sample[]] = [
  {
    pdu: '07919730071111F1000B919746121611F10000811170021222230DC8329BFD6681EE6F399B1C02',
    text: 'Hello, world!',
  },
  {
    pdu: '07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07',
    text: 'How are you?',
  },
  { pdu: '0791447758100650040DD0F334FC1CA6970100008080312170224008D4F29CDE0EA7D9', text: 'Testmail' },
]
/** A status report (9.2.2.3) and one part of two with an 8-bit reference. */
const others = [
  '07917283010010F506230B917238880900F10299309251619580993092516195800000',
  '07919730071111F1400B919746121611F1000081117002122223A0050003CC0201986F79B90D4AC3E7F53688FC66BFE5',
] as const

function decode(random: Random, found: FuzzRun['found']): void {
  const bytes = random.happens(0.1)
    ? random.bytes(random.below(600))
    : random.spoiled(Buffer.from(random.happens(0.5) ? random.one(sound).pdu : random.one(others), 'hex'))
  const hex = bytes.subarray(0, 2_000).toString('hex')
  const length = random.happens(0.5) ? random.below(200) : undefined
  const began = process.cpuUsage()
  const read = decodeIncoming(random.happens(0.05) ? hex.slice(1) : hex, length)
  // Of the processor: a machine that gives the process no time is no fault of the codec.
  const took = process.cpuUsage(began).user / 1_000
  if (took > LONGEST_MS) found(`${Math.round(took)} ms to read ${hex}`)
  if (read.type === 'deliver' && read.text.length > LONGEST_TEXT)
    found(`${read.text.length} characters out of ${hex}`)
}

/** Any text becomes parts that hold all of it, each within an SMS. */
function encode(random: Random, found: FuzzRun['found']): void {
  const text = Array.from({ length: 1 + random.below(700) }, () =>
    String.fromCharCode(random.happens(0.8) ? 32 + random.below(95) : random.below(65_536)),
  ).join('')
  const { coding, parts } = planText(text, random.one([8, 16]))
  if (parts.join('') !== text || splitText(text, coding).join('') !== text)
    found('parts that are not the text')
  for (const [part, words] of parts.entries()) {
    if (words.length > partLimit(coding, parts.length > 1)) found(`a part of ${words.length} characters`)
    const { pdu, length } = encodeSubmit({
      to: '+491701234567',
      text: words,
      coding,
      part,
      parts: parts.length,
      concatenation: random.below(65_536),
      statusReport: true,
      validityMs: 1_800_000,
      flash: false,
    })
    if (length > 164 || pdu.length !== 2 * (length + 1)) found(`a TPDU of ${length} octets`)
  }
}

export const pdu: FuzzTarget = {
  name: 'pdu',
  async run({ seed, until, found }) {
    const random = new Random(seed)
    let cases = 0
    while (performance.now() < until) {
      for (let round = 0; round < ROUND; round += 1) {
        if (random.happens(0.9)) decode(random, found)
        else encode(random, found)
        cases += 1
      }
      for (const one of sound) {
        const read = decodeIncoming(one.pdu)
        if (read.type !== 'deliver' || read.text !== one.text)
          found(`a sound PDU is read as ${JSON.stringify(read)}`)
      }
      await turn()
    }
    return cases
  },
}

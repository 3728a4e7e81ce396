/**
 * What the lines of an AT dialogue mean, as data and pure functions.
 *
 * Rests on ITU-T V.250 5.7 (result codes), 3GPP TS 27.007 9 (+CME ERROR) and 3GPP TS 27.005 3.2.5 (+CMS ERROR).
 */

export interface AtError {
  /** `plain`: the modem only said ERROR, or said so in words of its own. */
  kind: 'cms' | 'cme' | 'plain'
  /** The numeric form; absent when the modem answered in words (AT+CMEE=2). */
  code?: number
  text: string
}

/** Result codes that end a command, with what they mean. A trailing value is looked at by parseFinal(). */
const finals: ReadonlyMap<string, 'ok' | 'error'> = new Map([
  ['OK', 'ok'],
  ['ERROR', 'error'],
  ['ABORTED', 'error'],
  ['COMMAND NOT SUPPORT', 'error'],
  ['COMMAND NOT SUPPORTED', 'error'],
  ['TOO MANY PARAMETERS', 'error'],
  ['COMMAND DOES NOT EXIST', 'error'],
  ['OPERATION NOT ALLOWED', 'error'],
])

export type Final = { final: 'ok' } | { final: 'error'; error: AtError }

/** The result that ends a command, or undefined when the line is none. */
export function parseFinal(line: string): Final | undefined {
  const word = finals.get(line)
  if (word === 'ok') return { final: 'ok' }
  if (word === 'error') return { final: 'error', error: { kind: 'plain', text: line } }
  const match = /^\+(CMS|CME) ERROR\s*:\s*(.*)$/.exec(line)
  if (!match) return undefined
  const kind = match[1] === 'CMS' ? 'cms' : 'cme'
  const text = match[2] ?? ''
  if (/^\d{1,5}$/.test(text)) return { final: 'error', error: { kind, code: Number(text), text: line } }
  return { final: 'error', error: { kind, text } }
}

/** Unsolicited lines that every modem may send at any moment; a profile adds its own to ignore. */
const unsolicitedPrefixes = [
  '+CMTI:',
  '+CDSI:',
  '+CMT:',
  '+CDS:',
  '+CBM:',
  '+CBMI:',
  '+CREG:',
  '+CGREG:',
  '+CEREG:',
  '+C5GREG:',
  '+CRING:',
  '+CLIP:',
  '+CCWA:',
  '+CUSD:',
  '+CTZV:',
  '+CTZE:',
  '+CTZDST:',
  '+CGEV:',
  '+CIEV:',
  // The states that mean a start are the profile's `boot`; what is left is a SIM that was taken out.
  '+CPIN:',
] as const

const unsolicitedLines: ReadonlySet<string> = new Set(['RING', 'NO CARRIER', 'BUSY', 'NO ANSWER'])

/** Unsolicited lines whose next line is their PDU (3GPP TS 27.005 3.4.1). */
const withBody: ReadonlySet<string> = new Set(['+CMT', '+CDS', '+CBM'])

export interface Unsolicited {
  /** `+CMTI`, `RING` … */
  name: string
  /** What stands behind the colon. */
  value: string
  /** The PDU on the following line, for those that have one. */
  body?: string
}

export function parseUnsolicited(line: string): Unsolicited | undefined {
  if (unsolicitedLines.has(line)) return { name: line, value: '' }
  if (!line.startsWith('+C')) return undefined
  for (const prefix of unsolicitedPrefixes) {
    if (line.startsWith(prefix)) {
      return {
        name: prefix.slice(0, -1),
        value: line.slice(prefix.length).trim(),
      }
    }
  }
  return undefined
}

export const hasBody = (unsolicited: Unsolicited): boolean => withBody.has(unsolicited.name)

export const isPdu = (line: string): boolean => /^[0-9A-Fa-f]+$/.test(line)

/** Name of an extended command with the colon of its answer: `AT+CPIN?` gives `+CPIN:`; undefined for basic ones. */
export function answerPrefix(command: string): string | undefined {
  const match = /^AT([+^*$%#&_][A-Z][A-Z0-9]*)/.exec(command)
  return match ? `${match[1]}:` : undefined
}

/**
 * The values of an information text: `2,1,"12AB",,7` gives ['2', '1', '12AB', '', '7'].
 * @param line with or without its `+NAME:`
 */
export function fields(line: string): string[] {
  const text = line.replace(/^[+^*$%#&_][A-Z][A-Z0-9]*\s*:\s*/, '')
  const values: string[] = []
  let value = ''
  let quoted = false
  for (const character of text) {
    if (character === '"') quoted = !quoted
    else if (character === ',' && !quoted) {
      values.push(value.trim())
      value = ''
    } else value += character
  }
  values.push(value.trim())
  return values
}

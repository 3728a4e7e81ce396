/**
 * Commands to a GSM modem and what their answers say. Pure but for the channel that is passed in.
 *
 * Rests on 3GPP TS 27.007 (general, SIM, network) and 27.005 (messages); odd spellings are noted where they are read.
 */
import type { Answer, AtChannel, Command } from '#lines/at-channel.ts'
import { fields } from '#lines/at-syntax.ts'

export type Ask = (
  text: string,
  options?: Omit<Command, 'text' | 'timeoutMs'> & { timeoutMs?: number },
) => Promise<Answer>

/** Commands over a channel with the profile's deadline. */
export const asker =
  (channel: AtChannel, timeoutMs: () => number): Ask =>
  (text, options = {}) =>
    channel.run({ timeoutMs: timeoutMs(), ...options, text })

/** The first information line that starts with the prefix, or undefined. */
export function lineOf(answer: Answer, prefix: string): string | undefined {
  return answer.result === 'ok' ? answer.lines.find((line) => line.startsWith(prefix)) : undefined
}

/** The answer of a command that has no prefix of its own (+CGMI, +CGSN); some modems put one there all the same. */
export function textOf(answer: Answer): string {
  if (answer.result !== 'ok') return ''
  const line = answer.lines.find((text) => !text.startsWith('^') && !text.startsWith('*')) ?? ''
  return line
    .replace(/^\+[A-Z]+:\s*/, '')
    .replaceAll('"', '')
    .trim()
}

/** ICCID: 18 to 20 digits, at times with a trailing F that pads the octet (ETSI TS 102 221 13.2). */
export function iccidOf(answer: Answer): string {
  if (answer.result !== 'ok') return ''
  for (const line of answer.lines) {
    const digits = /(?<!\d)(\d{18,20})F?/i.exec(line)?.[1]
    if (digits !== undefined) return digits
  }
  return ''
}

/** The code that +CPIN? asks for; `absent`, `failure`, `busy`; empty when the modem does not know the command. */
export async function simState(ask: Ask): Promise<string> {
  const answer = await ask('AT+CPIN?')
  const line = lineOf(answer, '+CPIN:')
  if (line !== undefined) {
    const state = line.slice('+CPIN:'.length).replaceAll('"', '').trim()
    // What the standard answers with an error, some modems put into words.
    return /^NOT INSERTED/i.test(state) ? 'absent' : /^NOT READY/i.test(state) ? 'busy' : state
  }
  if (answer.result !== 'error') return ''
  const { code, text } = answer.error
  if (code === 10 || /not inserted/i.test(text)) return 'absent'
  if (code === 13 || code === 15 || /sim (failure|wrong)/i.test(text)) return 'failure'
  if (code === 14 || /busy/i.test(text)) return 'busy'
  if (code === 11 || /SIM PIN required/i.test(text)) return 'SIM PIN'
  if (code === 12 || /SIM PUK required/i.test(text)) return 'SIM PUK'
  return ''
}

/** Attempts left for SIM PIN: the first whole number of the answer (docs/modems.md); undefined when the modem does not say. */
export function retriesOf(answer: Answer): number | undefined {
  if (answer.result !== 'ok') return undefined
  for (const line of answer.lines) {
    const number = fields(line).find((field) => /^\d+$/.test(field))
    if (number !== undefined) return Number(number)
  }
  return undefined
}

const registrations = [
  'not registered',
  'registered (home)',
  'searching',
  'denied',
  'unknown',
  'registered (roaming)',
  'registered for SMS only (home)',
  'registered for SMS only (roaming)',
  'emergency only',
  'registered, CSFB not preferred (home)',
  'registered, CSFB not preferred (roaming)',
] as const
const registered: ReadonlySet<number> = new Set([1, 5, 6, 7, 9, 10])

/** <AcT> of +CREG and +COPS (27.007 7.2). */
const technologies = [
  'GSM',
  'GSM compact',
  'UTRAN',
  'GSM EGPRS',
  'UTRAN HSDPA',
  'UTRAN HSUPA',
  'UTRAN HSPA',
  'LTE',
  'EC-GSM-IoT',
  'NB-IoT',
] as const

export interface Registration {
  registered: boolean
  registration: string
  technology: string
}

/**
 * +CREG, +CGREG or +CEREG, as an answer (`2,1,"12AB","00C3",7`) or as news (`1,"12AB","00C3",7`): an answer has a
 * number without quotes in its second place, news a quoted one or none (27.007 7.2).
 */
export function registrationOf(line: string): Registration | undefined {
  const answer = isRegistrationAnswer(line)
  const values = fields(line)
  const status = Number(answer ? values[1] : values[0])
  const word = registrations[status]
  if (word === undefined) return undefined
  const technology = technologies[Number(values[answer ? 4 : 3] || 'none')] ?? ''
  return { registered: registered.has(status), registration: word, technology }
}

export const isRegistrationAnswer = (line: string): boolean => /:\s*\d\s*,\s*\d{1,2}\s*(,|$)/.test(line)

/** dBm (27.007 8.5), or undefined when unknown. */
export function signalOf(answer: Answer): number | undefined {
  const line = lineOf(answer, '+CSQ:')
  const rssi = line === undefined ? Number.NaN : Number(fields(line)[0])
  return rssi >= 0 && rssi <= 31 ? -113 + 2 * rssi : undefined
}

/** +COPS: <mode>,<format>,<operator>,<AcT> */
export function operatorOf(answer: Answer): { operator: string; technology: string } | undefined {
  const line = lineOf(answer, '+COPS:')
  if (line === undefined) return undefined
  const values = fields(line)
  return {
    operator: values[2] ?? '',
    technology: technologies[Number(values[3] || 'none')] ?? '',
  }
}

export function smscOf(answer: Answer): string {
  const line = lineOf(answer, '+CSCA:')
  const number = line === undefined ? '' : (fields(line)[0] ?? '')
  return /^\+?\d{3,20}$/.test(number) ? number : ''
}

/** A message of +CMGL or +CMGR in PDU mode (27.005 3.4.2, 3.4.3). */
export interface StoredMessage {
  index: number
  /** 0, 1 received; 2, 3 stored for sending. */
  status: number
  pdu: string
}

export function listedMessages(lines: readonly string[]): StoredMessage[] {
  const messages: StoredMessage[] = []
  for (let i = 0; i + 1 < lines.length; i++) {
    const header = lines[i] ?? ''
    const pdu = lines[i + 1] ?? ''
    if (!header.startsWith('+CMGL:') || !/^[0-9A-Fa-f]+$/.test(pdu)) continue
    const values = fields(header)
    messages.push({ index: Number(values[0]), status: Number(values[1]), pdu })
    i++
  }
  return messages.filter(({ index }) => Number.isInteger(index))
}

/** `+CPMS: <used>,<total>,…` of the first memory. */
export function memoryUse(answer: Answer): { used: number; total: number } | undefined {
  const line = lineOf(answer, '+CPMS:')
  if (line === undefined) return undefined
  const [used, total] = fields(line).map(Number)
  return Number.isInteger(used) && Number.isInteger(total)
    ? { used: used ?? 0, total: total ?? 0 }
    : undefined
}

/** `"SM",3` of +CMTI and +CDSI. */
export function storedAt(value: string): { memory: string; index: number } | undefined {
  const [memory = '', index = ''] = fields(value)
  return /^[A-Z]{2}$/.test(memory) && /^\d{1,5}$/.test(index) ? { memory, index: Number(index) } : undefined
}

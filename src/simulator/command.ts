/**
 * The form of AT commands: takes a command line apart (ITU-T V.250, 5.2 to 5.4; 3GPP TS 27.007, clause 4) and
 * says what a command may answer. Pure.
 */
import type { Device } from './device.ts'

export type Form = 'execute' | 'read' | 'test' | 'set'

export interface Command {
  /** In capitals: `E`, `&F`, `S3`, `+CMGS`. */
  name: string
  form: Form
  /** For a basic command the digits behind it, for an extended one what follows `=`, split at commas; strings keep their quotes. */
  values: string[]
}

export type Reply =
  /** Information lines, then OK. */
  | { lines: string[] }
  | { error: 'ERROR' | 'NO CARRIER' }
  /** 3GPP TS 27.007, 9.2 */
  | { cme: number }
  /** 3GPP TS 27.005, 3.2.5 */
  | { cms: number }
  /** Text follows up to Ctrl-Z. */
  | { prompt: 'submit' | 'store'; length: number; state: number }

export const ok: Reply = { lines: [] }
export const wrong: Reply = { error: 'ERROR' }
export const info = (...lines: string[]): Reply => ({ lines })

export type Handler = (device: Device, command: Command) => Reply

export interface Entry {
  run: Handler
  /** Works only with an unlocked SIM; otherwise it fails with this kind of error. */
  needsSim?: 'cme' | 'cms'
}

/** Basic commands: a letter (with & before it for some) and a number; D takes the rest of the line. */
const basic = /^(&?[A-Z])([0-9]*)/
const register = /^S([0-9]{1,3})(?:(\?)|=([0-9]{1,3}))/
/** 27.007 names begin with +; makers use ^, $, * and # in the same way. */
const extended = /^([+^$*#][A-Z][A-Z0-9!%\-./:_]*)(?:(=\?)|(\?)|(=)|(?=;|$))/

/** @param line what follows AT @returns the commands, or undefined when the line has not the form of any */
export function splitCommands(line: string): Command[] | undefined {
  const commands: Command[] = []
  let rest = line.trimEnd()
  while (rest !== '') {
    const capitals = rest.slice(0, 32).toUpperCase()
    const asRegister = register.exec(capitals)
    const asExtended = extended.exec(capitals)
    if (asRegister !== null) {
      const [all, number = '', question, value] = asRegister
      const form = question === undefined ? 'set' : 'read'
      commands.push({ name: 'S', form, values: [number, value ?? ''] })
      rest = rest.slice(all.length)
    } else if (asExtended !== null) {
      const [all, name = '', test, read, set] = asExtended
      const form =
        test !== undefined ? 'test' : read !== undefined ? 'read' : set !== undefined ? 'set' : 'execute'
      rest = rest.slice(all.length)
      const end = form === 'set' ? endOfValues(rest) : 0
      commands.push({
        name,
        form,
        values: form === 'set' ? splitValues(rest.slice(0, end)) : [],
      })
      rest = rest.slice(end)
      if (rest !== '' && !rest.startsWith(';')) return undefined
    } else {
      const asBasic = basic.exec(capitals)
      if (asBasic === null) return undefined
      const [all, name = '', digits = ''] = asBasic
      const dial = name === 'D'
      commands.push({
        name,
        form: 'execute',
        values: [dial ? rest.slice(1) : digits],
      })
      rest = dial ? '' : rest.slice(all.length)
    }
    rest = rest.replace(/^[; ]+/, '')
  }
  return commands
}

function endOfValues(text: string): number {
  let quoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') quoted = !quoted
    else if (character === ';' && !quoted) return index
  }
  return text.length
}

function splitValues(text: string): string[] {
  if (!text.includes('"')) return text.split(',').map((value) => value.trim())
  const values: string[] = []
  let quoted = false
  let from = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') quoted = !quoted
    else if (character === ',' && !quoted) {
      values.push(text.slice(from, index).trim())
      from = index + 1
    }
  }
  values.push(text.slice(from).trim())
  return values
}

/** @returns the number, `missing` when it was left out, NaN when it is none */
export function numberOr(value: string | undefined, missing: number): number {
  if (value === undefined || value === '') return missing
  return /^[0-9]{1,9}$/.test(value) ? Number(value) : Number.NaN
}

/** @returns the string without its quotes, undefined when it has none */
export function quoted(value: string | undefined): string | undefined {
  return value !== undefined && /^"[^"]*"$/.test(value) ? value.slice(1, -1) : undefined
}

/** Words of +CMEE=2 (3GPP TS 27.007, 9.2.1). */
const words: Readonly<Record<number, string>> = {
  3: 'operation not allowed',
  4: 'operation not supported',
  10: 'SIM not inserted',
  11: 'SIM PIN required',
  12: 'SIM PUK required',
  13: 'SIM failure',
  14: 'SIM busy',
  16: 'incorrect password',
  20: 'memory full',
  21: 'invalid index',
  30: 'no network service',
  50: 'incorrect parameters',
  100: 'unknown',
}

/** The final result of a command line. +CMS errors are numbers whatever +CMEE says (3GPP TS 27.005, 3.2.5). */
export function finalResult(reply: Reply, errors: number): string {
  if ('cms' in reply) return `+CMS ERROR: ${reply.cms}`
  if ('error' in reply) return reply.error
  if (!('cme' in reply)) return 'OK'
  if (errors === 0) return 'ERROR'
  return `+CME ERROR: ${errors === 1 ? reply.cme : (words[reply.cme] ?? 'unknown')}`
}

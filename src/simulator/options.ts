/**
 * What can be set on a simulated modem from outside: by a port address (`sim://gsm?network=2000&prompt=30`), by
 * the flags of `twinline simulate`, and while it runs by the control port. One table holds names, defaults and
 * what is allowed, so that the three never differ. Pure; touches nothing.
 */
import { parseDuration } from '#core/duration.ts'

/** Milliseconds; a fixed time has min = max, otherwise each use draws one evenly. */
export interface Span {
  readonly min: number
  readonly max: number
}

export interface ModemOptions {
  /** From Ctrl-Z to the answer of +CMGS. */
  network: Span
  /** From AT+CMGS to the prompt. */
  prompt: Span
  /** From the end of a command line to its answer. */
  latency: Span
  /** From the answer of +CMGS to the status report; `none` means that none ever comes. */
  reports: Span | 'none'
  /** TP-Status of the reports (3GPP TS 23.040, 9.2.3.15). */
  status: number
  /** From a reset or from plugging in to the first line of the modem, ms. */
  boot: number
  /** How long a routed message may wait for +CNMA, ms (3GPP TS 27.005, 3.4.4). */
  acknowledge: number
  /** Between two RINGs, ms. */
  ring: number
  /** Bytes a write; 0 writes each answer whole. */
  split: number
  /** What happens to characters that arrive while a command runs. */
  typeahead: 'keep' | 'drop'
  /** The prompt comes without the line end before it. */
  barePrompt: boolean
  /** ESC at the prompt is taken as a character like any other. */
  ignoreEscape: boolean
  sim: 'present' | 'absent'
  /** The SIM wants this PIN after every boot; empty means that it wants none. */
  pin: string
  puk: string
  /** Attempts left for the PIN at the start; 0 means that the PUK is wanted. */
  pinTries: number
  /** <stat> of +CREG (3GPP TS 27.007, 7.2): 1 home, 5 roaming, 0, 2, 3, 4 not registered. */
  registration: number
  /** <rssi> of +CSQ (3GPP TS 27.007, 8.5). */
  signal: number
  /** Capacity of the two message stores. */
  sm: number
  me: number
  /** Read messages that fill the SM store at the start. */
  smUsed: number
  meUsed: number
  /** TP-MR of the first message sent. */
  reference: number
  /** Rules such as `CMS 38@+4915*`, `CMS 500/10` (every tenth), `CMS 42%5` (five in a hundred), separated by `;`. */
  errors: string
  manufacturer: string
  model: string
  revision: string
  imei: string
  imsi: string
  iccid: string
  /** The SIM's own number. */
  number: string
  smsc: string
  operator: string
  /** What the network answers to any USSD request; empty means an error. */
  ussd: string
  /** Seed of everything drawn by chance. */
  seed: number
}

export interface OptionProblem {
  problem: string
  option: string
  allowed: string
}

interface Kind<Value> {
  allowed: string
  read(text: string): Value | undefined
}

const span: Kind<Span> = {
  allowed: '2000 (ms), 2s or a range 1000-3000',
  read: parseSpan,
}
const time: Kind<number> = {
  allowed: '2000 (ms) or 2s',
  read: milliseconds,
}
const flag: Kind<boolean> = {
  allowed: 'true or false',
  read: (text) => (text === 'true' || text === '' ? true : text === 'false' ? false : undefined),
}

/** @returns ms, undefined when the text is no span */
export function parseSpan(text: string): Span | undefined {
  const ends = text.split('-').map(milliseconds)
  const [min, max = min] = ends
  if (ends.length > 2 || min === undefined || max === undefined || max < min) return undefined
  return { min, max }
}

function milliseconds(text: string): number | undefined {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : parseDuration(text)
}

function integer(min: number, max: number): Kind<number> {
  return {
    allowed: `a whole number, ${min} to ${max}`,
    read(text) {
      const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
  }
}

function pattern(expression: RegExp, allowed: string): Kind<string> {
  return {
    allowed,
    read: (text) => (expression.test(text) ? text : undefined),
  }
}

function choice<Value extends string>(...values: readonly Value[]): Kind<Value> {
  return {
    allowed: values.join(' or '),
    read: (text) => values.find((value) => value === text),
  }
}

const word = pattern(
  /^[\x20\x21\x23-\x7e]{0,160}$/,
  'up to 160 printable characters without a quotation mark',
)
const telephone = pattern(/^(\+?[0-9]{1,20})?$/, 'digits, with + for an international number')
const digits = (from: number, to: number) =>
  pattern(new RegExp(`^[0-9]{${from},${to}}$`), from === to ? `${to} digits` : `${from} to ${to} digits`)

const fixed = (ms: number): Span => ({ min: ms, max: ms })

type Table = {
  readonly [Name in keyof ModemOptions]: readonly [
    kind: Kind<ModemOptions[Name]>,
    usual: ModemOptions[Name],
    meaning: string,
  ]
}

const table: Table = {
  network: [span, fixed(0), 'time from Ctrl-Z to the answer'],
  prompt: [span, fixed(0), 'time from AT+CMGS to its prompt'],
  latency: [span, fixed(0), 'time from any other command to its answer'],
  reports: [
    {
      allowed: `${span.allowed}, or none`,
      read: (text) => (text === 'none' ? text : span.read(text)),
    },
    fixed(0),
    'time from the answer to the status report',
  ],
  status: [integer(0, 255), 0, 'TP-Status of the reports'],
  boot: [time, 100, 'time from a reset to the first line'],
  acknowledge: [time, 15_000, 'how long +CNMA may take'],
  ring: [time, 3_000, 'time between two RINGs'],
  split: [integer(0, 4096), 0, 'octets a write, 0 for whole answers'],
  typeahead: [choice('keep', 'drop'), 'keep', 'what becomes of characters that come while a command runs'],
  barePrompt: [flag, false, 'a prompt without a line end before it'],
  ignoreEscape: [flag, false, 'ESC does not end a text'],
  sim: [choice('present', 'absent'), 'present', 'the SIM card'],
  pin: [pattern(/^([0-9]{4,8})?$/, '4 to 8 digits, or nothing'), '', 'the PIN that the SIM wants'],
  puk: [digits(8, 8), '12345678', 'its PUK'],
  pinTries: [integer(0, 3), 3, 'attempts left for the PIN, 0 for PUK wanted'],
  registration: [integer(0, 5), 1, '<stat> of +CREG: 1 home, 5 roaming, others not registered'],
  signal: [integer(0, 99), 20, '<rssi> of +CSQ'],
  sm: [integer(0, 1000), 20, 'messages that the SIM holds'],
  me: [integer(0, 1000), 50, 'messages that the modem holds'],
  smUsed: [integer(0, 1000), 0, 'read messages on the SIM at the start'],
  meUsed: [integer(0, 1000), 0, 'read messages in the modem at the start'],
  reference: [integer(0, 255), 0, 'TP-MR of the first message'],
  errors: [
    {
      allowed: 'rules separated by ;, each CMS n, CME n or ERROR with @number, /every or %in a hundred',
      read: (text) => (Array.isArray(parseErrorRules(text)) ? text : undefined),
    },
    '',
    'submissions that fail',
  ],
  manufacturer: [word, 'twinline', 'answer of +CGMI'],
  model: [word, 'Simulated GSM', 'answer of +CGMM'],
  revision: [word, '1.0', 'answer of +CGMR'],
  imei: [digits(15, 15), imeiOf(0), 'answer of +CGSN'],
  imsi: [digits(6, 15), imsiOf(0), 'answer of +CIMI'],
  iccid: [digits(18, 20), iccidOf(0), 'answer of +CCID'],
  number: [telephone, numberOf(0), "the SIM's own number"],
  smsc: [telephone, '+491700000001', 'service centre on the SIM'],
  operator: [word, 'Simulated', 'name of the network'],
  ussd: [word, '', 'answer to any USSD request, an error when empty'],
  seed: [integer(0, 999_999_999), 1, 'seed of everything drawn by chance'],
}

export const optionNames: readonly string[] = Object.keys(table)

/** For help: every option with its meaning, what is allowed and the default. */
export function describeOptions(): { name: string; meaning: string; allowed: string; usual: string }[] {
  return Object.entries(table).map(([name, [{ allowed }, value, meaning]]) => {
    return { name, meaning, allowed, usual: show(value) }
  })
}

function show(value: ModemOptions[keyof ModemOptions]): string {
  if (typeof value !== 'object') return String(value)
  return value.min === value.max ? String(value.min) : `${value.min}-${value.max}`
}

/**
 * @param line tells modems of one process apart: it goes into IMEI, IMSI, ICCID and number
 * @returns every default
 */
export function defaultModemOptions(line = 0): ModemOptions {
  const options = { ...usual }
  options.imei = imeiOf(line)
  options.imsi = imsiOf(line)
  options.iccid = iccidOf(line)
  options.number = numberOf(line)
  options.seed = line + 1
  return options
}

/** Defaults with what the record says instead, or what is wrong with the first bad entry. */
export function parseModemOptions(
  record: Readonly<Record<string, string>>,
  line = 0,
): ModemOptions | OptionProblem {
  const options = defaultModemOptions(line)
  for (const [name, text] of Object.entries(record)) {
    const problem = setOption(options, name, text)
    if (problem !== undefined) return problem
  }
  return options
}

export function isProblem(result: ModemOptions | OptionProblem): result is OptionProblem {
  return 'problem' in result
}

/** Changes one option in place. @returns the problem, undefined when it was set */
export function setOption(options: ModemOptions, name: string, text: string): OptionProblem | undefined {
  if (!isOption(name)) {
    return {
      problem: `unknown option ${name}`,
      option: name,
      allowed: optionNames.join(', '),
    }
  }
  return assign(options, name, text)
}

function isOption(name: string): name is keyof ModemOptions {
  return Object.hasOwn(table, name)
}

function assign<Name extends keyof ModemOptions>(
  options: ModemOptions,
  name: Name,
  text: string,
): OptionProblem | undefined {
  const kind: Kind<ModemOptions[Name]> = table[name][0]
  const value = kind.read(text)
  if (value === undefined) {
    return {
      problem: `${name} cannot be ${JSON.stringify(text.slice(0, 60))}`,
      option: name,
      allowed: kind.allowed,
    }
  }
  options[name] = value
  return undefined
}

const usual: ModemOptions = collectDefaults()

function collectDefaults(): ModemOptions {
  const entries = Object.entries(table).map(([name, [, value]]) => [name, value])
  const all: ModemOptions = Object.fromEntries(entries)
  return all
}

/** Which submissions fail, and how. Kept apart from ModemOptions because rules also come from the control port. */
export interface ErrorRule {
  /** The answer as the modem writes it, such as `+CMS ERROR: 38` or `ERROR`. */
  answer: string
  /** A number, or a prefix with `*`; without one every number. */
  number?: string
  /** Only every nth submission that the rest of the rule fits. */
  every?: number
  /** Chance in a hundred. */
  percent?: number
  /** The rule ends after so many uses. */
  times?: number
}

/** @returns the rules, or undefined when the text is none */
export function parseErrorRules(text: string): ErrorRule[] | undefined {
  const rules: ErrorRule[] = []
  for (const piece of text.split(';').map((part) => part.trim())) {
    if (piece === '') continue
    const match =
      /^(ERROR|(CMS|CME) ([0-9]{1,3}))(?:@(\+?[0-9]{0,20}\*?))?(?:\/([1-9][0-9]{0,5}))?(?:%([0-9]{1,3}))?(?:x([1-9][0-9]{0,5}))?$/.exec(
        piece,
      )
    if (match === null) return undefined
    const [, whole, kind, code, number, every, percent, times] = match
    rules.push({
      answer: whole === 'ERROR' ? 'ERROR' : `+${kind} ERROR: ${code}`,
      ...(number === undefined ? {} : { number }),
      ...(every === undefined ? {} : { every: Number(every) }),
      ...(percent === undefined ? {} : { percent: Number(percent) }),
      ...(times === undefined ? {} : { times: Number(times) }),
    })
  }
  return rules
}

/** A test IMEI (reporting body 00) with its check digit (3GPP TS 23.003, annex B). */
function imeiOf(line: number): string {
  const body = `00440111${String(line % 1_000_000).padStart(6, '0')}`
  return body + luhn(body)
}

/** Test network 001/01 (ITU-T E.212). */
function imsiOf(line: number): string {
  return `00101${String(line % 1e10).padStart(10, '0')}`
}

export function iccidOf(line: number): string {
  const body = `894900000000${String(line % 1_000_000).padStart(6, '0')}`
  return body + luhn(body)
}

export function numberOf(line: number): string {
  return `+49170999${String(line % 10_000).padStart(4, '0')}`
}

function luhn(body: string): string {
  let sum = 0
  for (let index = 0; index < body.length; index++) {
    const digit = Number(body[body.length - 1 - index])
    const doubled = index % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return String((10 - (sum % 10)) % 10)
}

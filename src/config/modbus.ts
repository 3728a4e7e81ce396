/**
 * `intake.modbus`: registers of other devices that are watched, and the registers that this appliance shows. Each
 * member's own; the members of a pair usually have the same list of watched registers.
 */
import type { Priority } from '#messages/message.ts'
import { parseNetwork } from './networks.ts'
import { type Parsed, quoted, type Section } from './section.ts'
import type { Listen, PortAddress } from './types.ts'
import { matching, parseListen, parsePort } from './values.ts'

export interface ModbusConfig {
  server?: ModbusServerConfig
  poll: ModbusPollConfig[]
}

export interface ModbusServerConfig {
  listen: Listen
  /** Networks (CIDR) from which clients may connect; absent: from everywhere. */
  allow?: string[]
  alerts: ModbusAlertConfig[]
}

/** A holding register that raises an alert when something else than before is written, 0 excepted. */
export interface ModbusAlertConfig {
  /** Address in the protocol, from 0. */
  address: number
  to: string[]
  text: string
  priority: Priority
}

export const modbusTables = ['coil', 'discrete', 'input', 'holding'] as const
export type ModbusTable = (typeof modbusTables)[number]

export const modbusTypes = ['int16', 'uint16', 'int32', 'uint32', 'float32', 'bit'] as const
export type ModbusType = (typeof modbusTypes)[number]

export const comparisons = ['>=', '<=', '==', '!=', '>', '<'] as const
export interface Condition {
  comparison: (typeof comparisons)[number]
  limit: number
}

export type ModbusDevice =
  | Extract<PortAddress, { scheme: 'tcp' }>
  /** RTU, 8 data bits, 1 stop bit. */
  | { scheme: 'serial'; path: string; baud: number; parity: 'none' | 'even' | 'odd' }

export interface ModbusPollConfig {
  id: string
  device: ModbusDevice
  unit: number
  table: ModbusTable
  /** Address in the protocol, from 0. */
  address: number
  type: ModbusType
  /** `big`: the more significant of two registers comes first. */
  words: 'big' | 'little'
  scale: number
  when: Condition
  /** Absent: the alarm ends as soon as `when` no longer holds. */
  clear?: Condition
  /** How long `when` must hold before it is an alarm, ms. */
  delay: number
  /** ms */
  every: number
  /** After so long without an answer communication is lost, ms. */
  lost: number
  /** An alarm stays until somebody acknowledges it. */
  latch: boolean
  to: string[]
  priority: Priority
  text: string
  clearText: string
  lostText: string
  foundText: string
}

/** Registers of the server that may raise alerts, as addresses in the protocol: 40101 to 40164. */
export const alertRegisters = { first: 100, count: 64 } as const
const MOST_POLLS = 256
const LONGEST_TEXT = 1_000

export function readModbus(intake: Section): ModbusConfig | undefined {
  const present = intake.has('modbus')
  const section = intake.section('modbus')
  const server = section.has('server') ? readServer(section.section('server')) : undefined
  const ids = new Map<string, string>()
  const poll = section.sections('poll').flatMap((entry) => {
    const read = readPoll(entry)
    if (read === undefined) return []
    const twin = ids.get(read.id)
    if (twin !== undefined) entry.problem('id', `is already the id of ${twin}`)
    ids.set(read.id, entry.path)
    return [read]
  })
  if (poll.length > MOST_POLLS)
    section.problem('poll', `has ${poll.length} entries; at most ${MOST_POLLS} are allowed`)
  section.finish()
  return present ? { poll, ...(server === undefined ? {} : { server }) } : undefined
}

function readServer(section: Section): ModbusServerConfig | undefined {
  section.required('listen')
  const listen = section.parsed('listen', parseListen)
  const allow = section.has('allow') ? readNetworks(section) : undefined
  const taken = new Map<number, string>()
  const alerts = section.sections('alerts').flatMap((entry) => {
    for (const key of ['register', 'to', 'text']) entry.required(key)
    const address = entry.parsed('register', parseAlertRegister)
    const alert = readAlert(entry)
    entry.finish()
    if (address === undefined) return []
    const twin = taken.get(address)
    if (twin !== undefined) entry.problem('register', `is already the register of ${twin}`)
    taken.set(address, entry.path)
    return [{ address, ...alert, text: alert.text ?? '' }]
  })
  section.finish()
  return listen === undefined ? undefined : { listen, alerts, ...(allow === undefined ? {} : { allow }) }
}

const readNetworks = (section: Section): string[] =>
  section.words('allow').flatMap(({ word, problem }) => {
    const read = parseNetwork(word)
    if ('value' in read) return [read.value]
    problem(`${quoted(word)} is not allowed here; ${read.allowed}`)
    return []
  })

function parseAlertRegister(text: string): Parsed<number> {
  const { first, count } = alertRegisters
  const address = Number(text) - 40_001
  return /^[0-9]{5}$/.test(text) && address >= first && address < first + count
    ? { value: address }
    : { allowed: `write a register from ${first + 40_001} to ${first + count + 40_000}` }
}

const anyText = matching(
  new RegExp(`^[^\\0]{1,${LONGEST_TEXT}}$`, 's'),
  `write 1 to ${LONGEST_TEXT} characters`,
)

function readAlert(section: Section): { to: string[]; priority: Priority; text: string | undefined } {
  const words = section.words('to')
  if (section.has('to') && words.length === 0) section.problem('to', 'must name at least one recipient')
  const priority = section.choice('priority', ['0', '1', '2', '3'])
  return {
    to: words.map(({ word }) => word),
    priority: priorityOf[priority ?? '1'],
    text: section.parsed('text', anyText),
  }
}
const priorityOf = { '0': 0, '1': 1, '2': 2, '3': 3 } as const

function readPoll(section: Section): ModbusPollConfig | undefined {
  for (const key of ['id', 'url', 'register', 'when', 'to']) section.required(key)
  const id = section.parsed(
    'id',
    matching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'up to 32 letters, digits, - and _'),
  )
  const device = section.parsed('url', parseDevice)
  const unit = section.whole('unit', 1, { min: 0, max: 255 })
  const named = section.choice('table', modbusTables)
  const register = section.parsed('register', (text) => parseRegister(text, named))
  const type = section.choice('type', modbusTypes)
  const words = section.choice('words', ['big', 'little']) ?? 'big'
  const scale = section.parsed('scale', parseFactor) ?? 1
  const when = section.parsed('when', parseCondition)
  const clear = section.parsed('clear', parseCondition)
  const delay = section.duration('delay', 0, { min: 0, max: 86_400_000 })
  const every = section.duration('every', 1_000, { min: 50, max: 86_400_000 })
  const lost = section.duration('lost', Math.max(10_000, every * 3), { min: 100, max: 604_800_000 })
  const latch = section.flag('latch', false)
  const { to, priority, text } = readAlert(section)
  const [clearText, lostText, foundText] = (['clearText', 'lostText', 'foundText'] as const).map((key) =>
    section.parsed(key, anyText),
  )
  section.finish()
  if (id === undefined || device === undefined || register === undefined || when === undefined)
    return undefined
  const bits = register.table === 'coil' || register.table === 'discrete'
  if (bits && type !== undefined && type !== 'bit')
    section.problem('type', `a ${register.table} holds a bit, nothing else`)
  if (!bits && type === 'bit')
    section.problem(
      'type',
      `a register of table ${register.table} holds a number; bit is for coil and discrete`,
    )
  if (clear !== undefined && overlaps(when, clear))
    section.problem(
      'clear',
      'holds for values for which `when` holds too; then nobody could say whether it is an alarm',
    )
  return {
    id,
    device,
    unit,
    ...register,
    type: bits ? 'bit' : (type ?? 'int16'),
    words,
    scale,
    when,
    delay,
    every,
    lost,
    latch,
    to,
    priority,
    ...(clear === undefined ? {} : { clear }),
    text: text ?? '{id}: {value}',
    clearText: clearText ?? '{id}: {value}, back to normal',
    lostText: lostText ?? '{id}: no answer from the device',
    foundText: foundText ?? '{id}: the device answers again',
  }
}

const parities = ['none', 'even', 'odd'] as const

function parseDevice(text: string): Parsed<ModbusDevice> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const named = url?.searchParams.get('parity') ?? 'none'
  url?.searchParams.delete('parity')
  const read = parsePort(url?.href ?? text)
  const parity = parities.find((one) => one === named)
  if (!('value' in read) || read.value.scheme === 'sim' || parity === undefined)
    return { allowed: 'write tcp://host:port, or serial:///dev/ttyUSB0?baud=9600&parity=even for RTU' }
  const { value } = read
  if (value.scheme === 'tcp') return { value }
  // Modbus over serial line V1.02, 2.5.1: RTU with 19200 baud is what every device must offer.
  const baud = url?.searchParams.has('baud') ? value.baud : 19_200
  return { value: { scheme: 'serial', path: value.path, baud, parity } }
}

const tableOf: Record<string, ModbusTable> = { '0': 'coil', '1': 'discrete', '3': 'input', '4': 'holding' }

/**
 * `40021` and `400021` are the 21st holding register, address 20 in the protocol; where `table` is named, the number is that address.
 */
function parseRegister(
  text: string,
  table: ModbusTable | undefined,
): Parsed<{ table: ModbusTable; address: number }> {
  const number = Number(text)
  if (table !== undefined) {
    return /^[0-9]{1,5}$/.test(text) && number <= 65_535
      ? { value: { table, address: number } }
      : { allowed: 'with `table` it is the address in the protocol, from 0 to 65535' }
  }
  const [, first = '', rest = ''] = /^([0134])([0-9]{4,5})$/.exec(text) ?? []
  const known = tableOf[first]
  return known === undefined || Number(rest) < 1 || Number(rest) > 65_536
    ? {
        allowed:
          'write it as the manual does, such as 40021 (holding), 30021 (input), 10021 (discrete) or 00021 (coil), or name its `table`',
      }
    : { value: { table: known, address: Number(rest) - 1 } }
}

function parseFactor(text: string): Parsed<number> {
  const value = Number(text)
  return text.trim() !== '' && Number.isFinite(value) && value !== 0
    ? { value }
    : { allowed: 'write a number other than 0, such as 0.1' }
}

function parseCondition(text: string): Parsed<Condition> {
  const [, comparison, limit = ''] = /^\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*$/.exec(text) ?? []
  const known = comparisons.find((one) => one === comparison)
  return known === undefined
    ? { allowed: `write a comparison and a number, such as "> 45" (${comparisons.join(', ')})` }
    : { value: { comparison: known, limit: Number(limit) } }
}

/** @param value scaled */
export function holds({ comparison, limit }: Condition, value: number): boolean {
  switch (comparison) {
    case '>':
      return value > limit
    case '>=':
      return value >= limit
    case '<':
      return value < limit
    case '<=':
      return value <= limit
    case '==':
      return value === limit
    case '!=':
      return value !== limit
  }
}

/** Comparisons only change their mind at their limits, so values at, between and beyond those tell all. */
function overlaps(when: Condition, clear: Condition): boolean {
  const [low, high] = when.limit < clear.limit ? [when.limit, clear.limit] : [clear.limit, when.limit]
  return [low - 1, low, (low + high) / 2, high, high + 1].some(
    (value) => holds(when, value) && holds(clear, value),
  )
}

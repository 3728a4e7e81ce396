/**
 * The register map of this appliance (docs/modbus.md), as a table from addresses to values. Pure. Input and holding
 * registers show the same; coils and discrete inputs likewise. What is free reads 0, so that a client may read blocks.
 */
import { alertRegisters, type ModbusTable } from '#config/modbus.ts'
import type { LineStatus } from '#lines/contract.ts'

/** What the map shows. */
export interface Picture {
  active: boolean
  /** Seconds that the server has run. */
  seconds: number
  queued: number
  unknown: number
  /** Age of the oldest queued delivery, s. */
  oldest: number
  lines: readonly Pick<LineStatus, 'state' | 'signal' | 'busy'>[]
  alarms: number
  lost: number
  awaiting: number
  /** The last value of each configured alert register, by address. */
  written: ReadonlyMap<number, number>
}

/** Counts up when the meaning of a register changes; new registers do not change it. */
const MAP_VERSION = 1
const LINES_AT = 20
const LINES = 16
const STATUS_END = 100
const BIT_LINES_AT = 16
const BITS_END = 32
export const ACKNOWLEDGE_COIL = 0

const word = (value: number): number => Math.min(65_535, Math.max(0, Math.round(value)))

/** @returns undefined when one of the addresses is none of the map */
export function readMap(
  picture: Picture,
  table: ModbusTable,
  address: number,
  count: number,
): number[] | undefined {
  const bits = table === 'coil' || table === 'discrete'
  const values: number[] = []
  for (let at = address; at < address + count; at += 1) {
    const value = bits ? bitAt(picture, at) : wordAt(picture, at)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

function wordAt(picture: Picture, address: number): number | undefined {
  if (address >= alertRegisters.first && address < alertRegisters.first + alertRegisters.count)
    return picture.written.get(address) ?? 0
  if (address >= STATUS_END) return undefined
  const { lines } = picture
  const line = lines[Math.floor((address - LINES_AT) / 2)]
  if (address >= LINES_AT && address < LINES_AT + LINES * 2) {
    if (line === undefined) return 0
    // Signals are negative dBm, as two's complement.
    return (address - LINES_AT) % 2 === 0 ? stateNumber(line) : (line.signal ?? 0) & 0xffff
  }
  switch (address) {
    case 0:
      return MAP_VERSION
    case 1:
      return picture.seconds % 65_536
    case 2:
      return picture.active ? 1 : 0
    case 3:
      return health(lines)
    case 4:
      return word(picture.queued)
    case 5:
      return word(picture.oldest)
    case 6:
      return word(picture.unknown)
    case 7:
      return word(lines.length)
    case 8:
      return word(lines.filter(({ state }) => state === 'ready').length)
    case 9:
      return word(picture.alarms)
    case 10:
      return word(picture.lost)
    case 11:
      return word(picture.awaiting)
    default:
      return 0
  }
}

/** 0 stands where there is no line. */
const stateNumber = ({ state }: Pick<LineStatus, 'state'>): number => numbers[state]
const numbers: Record<LineStatus['state'], number> = {
  ready: 1,
  starting: 2,
  recovering: 3,
  absent: 4,
  blocked: 5,
  disabled: 6,
  passive: 7,
  stopped: 8,
}

/** 1 every line that should work does, 2 some do, 3 none does. */
function health(lines: Picture['lines']): number {
  const meant = lines.filter(({ state }) => state !== 'disabled' && state !== 'passive')
  const ready = meant.filter(({ state }) => state === 'ready').length
  return ready === 0 ? 3 : ready < meant.length ? 2 : 1
}

function bitAt(picture: Picture, address: number): number | undefined {
  if (address >= BITS_END) return undefined
  if (address >= BIT_LINES_AT) return picture.lines[address - BIT_LINES_AT]?.state === 'ready' ? 1 : 0
  switch (address) {
    case ACKNOWLEDGE_COIL:
      return picture.awaiting > 0 ? 1 : 0
    case 1:
      return picture.active ? 1 : 0
    case 2:
      return health(picture.lines) === 3 ? 0 : 1
    case 3:
      return picture.alarms + picture.lost > 0 ? 1 : 0
    default:
      return 0
  }
}

/**
 * The server's side of Modbus TCP on the wire: frames out of bytes, requests out of frames, answers into frames. Pure.
 * MODBUS Messaging on TCP/IP V1.0b section 3.1 (MBAP header), MODBUS Application Protocol V1.1b3 sections 4 to 7.
 *
 * modbus-serial, which asks other devices for us, has a server too; it bounds neither connections nor the requests in
 * hand, takes frames of 64 kB, reads 65,535 registers one by one and says nothing to a request that is cut short.
 */
import type { ModbusTable } from '#config/modbus.ts'

export interface Frame {
  transaction: number
  unit: number
  /** Function code and data, 1 to 253 bytes. */
  pdu: Uint8Array
}

export type Request =
  | { request: 'read'; code: number; table: ModbusTable; address: number; count: number }
  | { request: 'writeBits'; code: number; address: number; bits: boolean[] }
  | { request: 'writeWords'; code: number; address: number; words: number[] }

/** V1.1b3 section 7. */
export const exceptions = { function: 1, address: 2, value: 3, failure: 4, busy: 6 } as const
export type ExceptionCode = (typeof exceptions)[keyof typeof exceptions]

const HEADER = 7
/** The length field counts the unit and the PDU. */
const LARGEST = 254
/** Most that one request may read or write. */
const most = { readBits: 2_000, readWords: 125, writeBits: 1_968, writeWords: 123 } as const

export type Split =
  | { frame: Frame; rest: Uint8Array }
  /** More bytes are needed. */
  | 'incomplete'
  /** Not Modbus TCP; where the next frame begins cannot be known. */
  | 'foreign'

export function splitFrame(bytes: Uint8Array): Split {
  if (bytes.length < HEADER) return 'incomplete'
  const view = viewOf(bytes)
  const length = view.getUint16(4)
  if (view.getUint16(2) !== 0 || length < 2 || length > LARGEST) return 'foreign'
  const end = HEADER - 1 + length
  if (bytes.length < end) return 'incomplete'
  const frame = { transaction: view.getUint16(0), unit: view.getUint8(6), pdu: bytes.subarray(HEADER, end) }
  return { frame, rest: bytes.subarray(end) }
}

export const codeOf = ({ pdu }: Frame): number => pdu[0] ?? 0

export function parseRequest(pdu: Uint8Array): Request | { exception: ExceptionCode } {
  const view = viewOf(pdu)
  const [code = 0] = pdu
  const table = readTables.get(code)
  if (table === undefined && !writes.has(code)) return { exception: exceptions.function }
  if (pdu.length < 5) return { exception: exceptions.value }
  const address = view.getUint16(1)
  const second = view.getUint16(3)
  if (table !== undefined) {
    const limit = table === 'coil' || table === 'discrete' ? most.readBits : most.readWords
    if (pdu.length !== 5 || second < 1 || second > limit) return { exception: exceptions.value }
    return { request: 'read', code, table, address, count: second }
  }
  if (code === 5) {
    // 0xff00 is on, 0 is off; everything else is wrong (6.5).
    if (pdu.length !== 5 || (second !== 0xff00 && second !== 0)) return { exception: exceptions.value }
    return { request: 'writeBits', code, address, bits: [second !== 0] }
  }
  if (code === 6) {
    if (pdu.length !== 5) return { exception: exceptions.value }
    return { request: 'writeWords', code, address, words: [second] }
  }
  const bytes = pdu[5] ?? 0
  const wanted = code === 15 ? Math.ceil(second / 8) : second * 2
  const limit = code === 15 ? most.writeBits : most.writeWords
  if (second < 1 || second > limit || bytes !== wanted || pdu.length !== 6 + wanted)
    return { exception: exceptions.value }
  if (code === 15) {
    const bits = Array.from({ length: second }, (_, n) => (((pdu[6 + (n >> 3)] ?? 0) >> (n & 7)) & 1) === 1)
    return { request: 'writeBits', code, address, bits }
  }
  return {
    request: 'writeWords',
    code,
    address,
    words: Array.from({ length: second }, (_, n) => view.getUint16(6 + n * 2)),
  }
}

const readTables: ReadonlyMap<number, ModbusTable> = new Map([
  [1, 'coil'],
  [2, 'discrete'],
  [3, 'holding'],
  [4, 'input'],
])
const writes: ReadonlySet<number> = new Set([5, 6, 15, 16])

/** The answer to a read. @param values bits are 0 or 1 */
export function readAnswer(
  { code, table }: Extract<Request, { request: 'read' }>,
  values: readonly number[],
): Uint8Array {
  const bits = table === 'coil' || table === 'discrete'
  const size = bits ? Math.ceil(values.length / 8) : values.length * 2
  const answer = new Uint8Array(2 + size)
  answer.set([code, size])
  for (const [n, value] of values.entries()) {
    if (bits) answer[2 + (n >> 3)] = (answer[2 + (n >> 3)] ?? 0) | ((value & 1) << (n & 7))
    else viewOf(answer).setUint16(2 + n * 2, value & 0xffff)
  }
  return answer
}

/** The answer to a write repeats its first five bytes: address, and value or count (6.5, 6.6, 6.11, 6.12). */
export const writeAnswer = (pdu: Uint8Array): Uint8Array => pdu.slice(0, 5)

export const exceptionAnswer = (code: number, exception: ExceptionCode): Uint8Array =>
  Uint8Array.of((code | 0x80) & 0xff, exception)

export function encodeFrame({ transaction, unit, pdu }: Frame): Uint8Array {
  const bytes = new Uint8Array(HEADER + pdu.length)
  const view = viewOf(bytes)
  view.setUint16(0, transaction)
  view.setUint16(4, pdu.length + 1)
  view.setUint8(6, unit)
  bytes.set(pdu, HEADER)
  return bytes
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

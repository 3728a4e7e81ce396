/**
 * Decodes MH, MR and MMR from a line or a file, whatever came: a row that is no row stands as the one before it and is
 * counted, MH and MR go on behind the next end of line, and the number of rows is bounded. Pure; never throws.
 * ITU-T T.4 (07/2003) 4.1 and 4.2, T.6 (11/88) 2.
 */
import { type BitOrder, BitReader } from './bits.ts'
import {
  blackMakeUp,
  blackTerminating,
  type Code,
  endOfLine,
  horizontalMode,
  longMakeUp,
  passMode,
  verticalModes,
  whiteMakeUp,
  whiteTerminating,
} from './codes.table.ts'
import type { Coding } from './encode.ts'
import { type Bitmap, changesOf, closeChanges, LARGEST_WIDTH, paintChanges, strideOf } from './rows.ts'

export interface DecodeOptions {
  /** Dots a row, at least 1. */
  width: number
  bitOrder?: BitOrder
  /** Rows beyond it are not decoded. Default MOST_ROWS. */
  mostRows?: number
  /** MH of TIFF compression 2: no ends of line, and each row begins at a byte. */
  bare?: boolean
}

export interface Decoded {
  bitmap: Bitmap
  /** Rows that could not be decoded. They stand as the row before them. */
  badRows: number
  /** An end of page was found (RTC, EOFB). */
  ended: boolean
}

/** Of a page: 3.9 m of paper at 196 rows an inch, and more than documents may have that are taken to be sent. */
export const MOST_ROWS = 30_000
/** Ends of line in a row that end a page; T.4 has six, of which noise may take some. */
const MARKS_AT_END = 3

export function decode(coding: Coding, bytes: Uint8Array, options: DecodeOptions): Decoded {
  const width = Math.min(Math.max(1, Math.floor(options.width)), LARGEST_WIDTH)
  const reader = new BitReader(bytes, options.bitOrder ?? 'msb')
  const rows = new Rows(width, Math.max(0, options.mostRows ?? MOST_ROWS))
  if (coding === 'MMR') return decodeT6(reader, rows)
  return options.bare ? decodeBare(reader, rows) : decodeT4(coding, reader, rows)
}

/** The rows that have been made out so far. */
class Rows {
  readonly width: number
  readonly #most: number
  readonly #stride: number
  #data: Uint8Array
  #height = 0
  #bad = 0
  reference: Uint32Array
  changes: Uint32Array
  referenceCount = 0
  count = 0

  constructor(width: number, most: number) {
    this.width = width
    this.#most = most
    this.#stride = strideOf(width)
    this.#data = new Uint8Array(this.#stride * Math.min(most, 2_400))
    this.reference = changesOf(width)
    this.changes = changesOf(width)
    closeChanges(this.reference, 0, width)
  }

  get full(): boolean {
    return this.#height >= this.#most
  }

  /** Takes the row in `changes`. */
  good(): void {
    closeChanges(this.changes, this.count, this.width)
    const taken = this.changes
    this.changes = this.reference
    this.reference = taken
    this.referenceCount = this.count
    paintChanges(this.#next(), taken, this.count, this.width)
  }

  /** The row before stands in its place. */
  bad(): void {
    this.#bad += 1
    paintChanges(this.#next(), this.reference, this.referenceCount, this.width)
  }

  finish(ended: boolean): Decoded {
    const data = this.#data.slice(0, this.#height * this.#stride)
    return { bitmap: { width: this.width, height: this.#height, data }, badRows: this.#bad, ended }
  }

  #next(): Uint8Array {
    const from = this.#height * this.#stride
    this.#height += 1
    if (from + this.#stride > this.#data.length) {
      const larger = new Uint8Array(Math.min(this.#most * this.#stride, (from + this.#stride) * 2))
      larger.set(this.#data)
      this.#data = larger
    }
    return this.#data.subarray(from, from + this.#stride)
  }
}

function decodeT4(coding: 'MH' | 'MR', reader: BitReader, rows: Rows): Decoded {
  let marks = 0
  // Until a row that stands alone has been read, the row before is nothing to go by.
  let lost = false
  let alone = true
  while (!rows.full) {
    if (isMark(reader)) {
      passMark(reader)
      marks += 1
      if (coding === 'MR') {
        alone = reader.peek(1) === 1
        reader.position += 1
      }
      if (marks >= MARKS_AT_END) return rows.finish(true)
      continue
    }
    // Zeros to the end of the last byte are no row.
    if (reader.countZeros() >= reader.length - reader.position) break
    marks = 0
    const read = alone ? readRuns(reader, rows) : !lost && readAgainst(reader, rows)
    // A row that is not followed by an end of line has ended too early, or is none.
    if (read && (isMark(reader) || reader.countZeros() >= reader.length - reader.position)) {
      rows.good()
      lost = false
    } else {
      rows.bad()
      lost = coding === 'MR'
      toMark(reader)
    }
  }
  return rows.finish(false)
}

function decodeBare(reader: BitReader, rows: Rows): Decoded {
  while (!rows.full && !reader.atEnd) {
    if (!readRuns(reader, rows)) {
      rows.bad()
      break
    }
    rows.good()
    reader.position = (reader.position + 7) & ~7
  }
  return rows.finish(false)
}

function decodeT6(reader: BitReader, rows: Rows): Decoded {
  while (!rows.full && !reader.atEnd) {
    if (reader.peek(endOfLine.length) === endOfLine.bits) return rows.finish(true)
    if (!readAgainst(reader, rows)) {
      // Nothing marks where the next row begins. Zeros at the end fill the last byte and are no row.
      if (reader.countZeros() < reader.length - reader.position) rows.bad()
      break
    }
    rows.good()
  }
  return rows.finish(false)
}

/** Eleven zeros are in no row (T.4, 4.1.2). */
const isMark = (reader: BitReader): boolean => {
  if (reader.peek(endOfLine.length - 1) !== 0) return false
  const zeros = reader.countZeros()
  return zeros >= endOfLine.length - 1 && reader.position + zeros < reader.length
}

const passMark = (reader: BitReader): void => {
  reader.position += reader.countZeros() + 1
}

function toMark(reader: BitReader): void {
  while (!reader.atEnd && !isMark(reader)) {
    const zeros = reader.countZeros()
    reader.position += zeros + 1
  }
}

/** A row by itself, into rows.changes. @returns whether it filled its width */
function readRuns(reader: BitReader, rows: Rows): boolean {
  const { width, changes } = rows
  let at = 0
  let black = false
  rows.count = 0
  while (at < width) {
    const dots = readRun(reader, black)
    if (dots < 0 || at + dots > width) return false
    at += dots
    push(rows, changes, at)
    black = !black
  }
  return true
}

/** A row against rows.reference, into rows.changes (T.4, 4.2.1.3). */
function readAgainst(reader: BitReader, rows: Rows): boolean {
  const { width, changes, reference, referenceCount } = rows
  let a0 = -1
  let above = 0
  let black = false
  rows.count = 0
  while (a0 < width) {
    while (above < referenceCount && (reference[above] ?? width) <= a0) above += 2
    const entry = MODES[reader.peek(MODE_BITS)] ?? 0
    if (entry === 0 || reader.atEnd) return false
    reader.position += entry >> 4
    const mode = entry & 15
    if (mode === PASS) {
      a0 = reference[above + 1] ?? width
    } else if (mode === HORIZONTAL) {
      const first = readRun(reader, black)
      const second = first < 0 ? -1 : readRun(reader, !black)
      const a1 = Math.max(0, a0) + first
      if (second < 0 || a1 + second > width) return false
      push(rows, changes, a1)
      a0 = a1 + second
      push(rows, changes, a0)
    } else {
      const a1 = (reference[above] ?? width) + mode - 3
      if (a1 < Math.max(0, a0) || a1 > width) return false
      push(rows, changes, a1)
      a0 = a1
      black = !black
      above += above > 0 ? -1 : 1
    }
  }
  return true
}

/** Two changes at one place are none: the colour stays. */
function push(rows: Rows, changes: Uint32Array, at: number): void {
  if (rows.count > 0 && changes[rows.count - 1] === at) {
    rows.count -= 1
    return
  }
  changes[rows.count] = at
  rows.count += 1
}

/** @returns the dots of a run of one colour, or -1 where no code stands */
function readRun(reader: BitReader, black: boolean): number {
  const table = black ? BLACK : WHITE
  let dots = 0
  for (;;) {
    const entry = table[reader.peek(RUN_BITS)] ?? 0
    if (entry === 0 || reader.atEnd) return -1
    reader.position += entry & 15
    const run = (entry >> 4) - 1
    dots += run
    if (run < 64) return dots
    if (dots > LARGEST_WIDTH) return -1
  }
}

const RUN_BITS = 13
const MODE_BITS = 7
const PASS = 8
const HORIZONTAL = 9

/** For every value of the next `bits` bits: what `entry` says of the code that they begin with; 0 where none does. */
function lookUp(
  bits: number,
  codes: readonly Code[],
  entry: (index: number, code: Code) => number,
): Uint16Array {
  const table = new Uint16Array(1 << bits)
  codes.forEach((code, index) => {
    const from = code.bits << (bits - code.length)
    table.fill(entry(index, code), from, from + (1 << (bits - code.length)))
  })
  return table
}

/** (dots + 1) * 16 + length. */
const runTable = (terminating: readonly Code[], makeUp: readonly Code[]): Uint16Array =>
  lookUp(RUN_BITS, [...terminating, ...makeUp, ...longMakeUp], (index, { length }) => {
    const dots = index < 64 ? index : (index - 63) * 64
    return (dots + 1) * 16 + length
  })

const WHITE = runTable(whiteTerminating, whiteMakeUp)
const BLACK = runTable(blackTerminating, blackMakeUp)
/** length * 16 + mode; modes 0 to 6 are vertical, 3 of them to the left. */
const MODES = lookUp(
  MODE_BITS,
  [...verticalModes, passMode, horizontalMode],
  (index, { length }) => length * 16 + (index < 7 ? index : index === 7 ? PASS : HORIZONTAL),
)

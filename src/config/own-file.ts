/**
 * The configuration file of this member as something that a program edits: comments and order stay as they are, secrets
 * never leave. A change can be on trial: the old file lies beside the new one until somebody confirms, and is put back
 * when nobody does, also when the new one does not let the appliance start.
 *
 * Beside `twinline.yaml` there may be `.before`, the file before the last change, and `.trial`, which says until when a
 * change waits for its confirmation.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml'
import { CodedError, errorText } from '#core/errors.ts'
import { parseConfig } from './load.ts'
import { ConfigInvalid } from './source.ts'
import type { Config } from './types.ts'

/** Stands for a secret; written back it leaves the secret as it is. */
export const MASK = '***'

const secretKey = /^(pin|secret|password|passphrase|token|accessKey)$/i
/** A password within an address. */
const userInfo = /(:\/\/[^/\s:@]*:)[^/\s@]+@/g

export interface FileChange {
  /** Such as `pair.priority` or `lines[0].port`. */
  path: string
  /** Undefined takes the key out. */
  value: unknown
}

export interface FileProblem {
  path: string
  text: string
}

export type Edited =
  | { text: string; config: Config; diff: { path: string; before?: unknown; after?: unknown }[] }
  | { problems: FileProblem[] }

/** The text with every secret masked, otherwise to the letter. */
export function maskedText(text: string): string {
  const document = parseDocument(text, { prettyErrors: false })
  if (document.errors.length > 0) return text.replace(/^(\s*-?\s*[\w.]+:).*$/gm, `$1 ${MASK}`)
  const spans: [number, number][] = []
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !secretKey.test(String(pair.key.value)) || !isScalar(pair.value)) return
      const [from, to] = pair.value.range ?? []
      if (from !== undefined && to !== undefined) spans.push([from, to])
    },
  })
  const masked = spans.reduceRight(
    (rest, [from, to]) => `${rest.slice(0, from)}${MASK}${rest.slice(to)}`,
    text,
  )
  return masked.replace(userInfo, `$1${MASK}@`)
}

/** What the text says, secrets masked; an empty mapping when it says nothing that can be read. */
export function maskedKeys(text: string): Record<string, unknown> {
  const document = parseDocument(text, { prettyErrors: false })
  const keys: unknown = document.errors.length > 0 ? {} : document.toJS()
  const masked = mask(keys)
  return typeof masked === 'object' && masked !== null ? (masked as Record<string, unknown>) : {}
}

function mask(value: unknown, key = ''): unknown {
  if (secretKey.test(key)) return MASK
  if (typeof value === 'string') return value.replace(userInfo, `$1${MASK}@`)
  if (Array.isArray(value)) return value.map((one) => mask(one))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mask(one, name)]))
}

type Step = string | number

/** `lines[0].port` as steps; undefined when it is no path. */
export function stepsOf(path: string): Step[] | undefined {
  if (!/^[A-Za-z][\w-]*(\[\d{1,3}\]|\.[A-Za-z][\w-]*)*$/.test(path) || path.length > 200) return undefined
  return [...path.matchAll(/[A-Za-z][\w-]*|\d+/g)].map(([word]) => (/^\d/.test(word) ? Number(word) : word))
}

/**
 * The text with the changes in it, if it can be used like that.
 * @param file names the text; relative paths in it start from its directory
 */
export function edited(text: string, changes: readonly FileChange[], file: string): Edited {
  const document = parseDocument(text, { prettyErrors: false })
  if (document.errors.length > 0)
    return {
      problems: [{ path: '', text: 'the file is no valid YAML now; put that right in the file first' }],
    }
  const problems: FileProblem[] = []
  const diff: { path: string; before?: unknown; after?: unknown }[] = []
  for (const { path, value } of changes) {
    const steps = stepsOf(path)
    if (steps === undefined) {
      problems.push({
        path: path.slice(0, 100),
        text: 'is no key of the file; write one such as pair.priority or lines[0].port',
      })
      continue
    }
    if (holdsMask(value)) {
      if (value !== MASK)
        problems.push({ path, text: `${MASK} stands for a secret: give the secret, or leave the key out` })
      continue
    }
    try {
      const before: unknown = plain(document.getIn(steps))
      if (value === undefined) document.deleteIn(steps)
      else set(document, steps, value)
      const key = String(steps.findLast((step) => typeof step === 'string') ?? '')
      const shown = (one: unknown) => mask(one, key)
      if (JSON.stringify(before) === JSON.stringify(value)) continue
      diff.push({
        path,
        ...(before === undefined ? {} : { before: shown(before) }),
        ...(value === undefined ? {} : { after: shown(value) }),
      })
    } catch (error) {
      problems.push({ path, text: `cannot be set there: ${errorText(error)}` })
    }
  }
  if (problems.length > 0) return { problems }
  const fresh = diff.length === 0 ? text : document.toString({ lineWidth: 0 })
  try {
    return { text: fresh, config: parseConfig(fresh, file), diff }
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return { problems: error.problems.map(({ key, text: what }) => ({ path: key, text: what })) }
  }
}

const holdsMask = (value: unknown): boolean => {
  const text = JSON.stringify(value)
  return text?.includes(MASK) === true
}

const plain = (value: unknown): unknown => (isMap(value) || isSeq(value) ? value.toJSON() : value)

/** A word in the place of a word keeps the comment beside it. */
function set(document: ReturnType<typeof parseDocument>, steps: Step[], value: unknown): void {
  const found = document.getIn(steps, true)
  if (isScalar(found) && (typeof value !== 'object' || value === null)) {
    found.value = value
    delete found.source
    return
  }
  // A key without a value (`pair:`) holds nothing to set anything in.
  for (let depth = 1; depth < steps.length; depth += 1) {
    const above = document.getIn(steps.slice(0, depth), true)
    if (isScalar(above) && above.value === null) document.deleteIn(steps.slice(0, depth))
  }
  const node = document.createNode(value)
  if (isPair(node)) return
  document.setIn(steps, node)
}

export const beforeOf = (file: string): string => `${file}.before`
const trialOf = (file: string): string => `${file}.trial`

export function readOwnFile(file: string): string {
  return readFileSync(file, 'utf8')
}

/** Whether the program may replace it: that takes a new file in its directory. */
export function isWritable(file: string): boolean {
  const probe = `${file}.probe`
  try {
    closeSync(openSync(probe, 'wx', 0o600))
    rmSync(probe)
    return true
  } catch {
    return false
  }
}

/**
 * Replaces the file, in one step, and keeps the old one beside it.
 * @param until when the old one is to be put back unless confirmed, ms since 1970; undefined: for good
 * @throws CodedError `file-not-writable`
 */
export function replaceOwnFile(file: string, text: string, until: number | undefined): void {
  const { mode } = statSync(file)
  try {
    write(beforeOf(file), readFileSync(file, 'utf8'), mode)
    if (until === undefined) rmSync(trialOf(file), { force: true })
    else write(trialOf(file), JSON.stringify({ until }), 0o600)
    write(file, text, mode)
  } catch (error) {
    throw new CodedError(
      'file-not-writable',
      `${file} cannot be replaced by the program (${errorText(error)}): let its user write to the directory, or change the file by hand`,
    )
  }
}

/** Until when a change waits for its confirmation, ms since 1970; undefined when none does. */
export function trialUntil(file: string): number | undefined {
  try {
    const { until } = JSON.parse(readFileSync(trialOf(file), 'utf8')) as { until?: number }
    return typeof until === 'number' ? until : 0
  } catch {
    // A marker that cannot be read is one whose time is over; without one nothing waits.
    return existsSync(trialOf(file)) ? 0 : undefined
  }
}

/** The change holds for good. @returns false when none was waiting */
export function confirmOwnFile(file: string): boolean {
  if (!existsSync(trialOf(file))) return false
  rmSync(trialOf(file), { force: true })
  syncDirectory(file)
  return true
}

/** The file before the change is the file again. */
export function putBackOwnFile(file: string): void {
  if (existsSync(beforeOf(file))) write(file, readFileSync(beforeOf(file), 'utf8'), statSync(file).mode)
  rmSync(trialOf(file), { force: true })
  syncDirectory(file)
}

/** In one step, and on the disk when it returns: the old content or the new, whatever happens. */
function write(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`
  const descriptor = openSync(fresh, 'w', mode & 0o777)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(fresh, file)
  syncDirectory(file)
}

function syncDirectory(file: string): void {
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

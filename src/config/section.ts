/**
 * Reads one mapping of the configuration, key by key. Asking for a key is what makes it known, so the list of allowed
 * keys in a message can never differ from what the program reads. Wrong values are reported and the default returned,
 * so that one look finds every problem.
 */
import { isMap, isPair, isScalar, isSeq, type Node, type YAMLMap } from 'yaml'
import { formatDuration, parseDuration } from '#core/duration.ts'
import type { Source } from './source.ts'

/** How a text is turned into a value: the value, or a sentence that says what is allowed. */
export type Parsed<T> = { value: T } | { allowed: string }

export interface Range {
  min: number
  max: number
}

/** A value read as a whole. */
export interface Plain {
  value: unknown
  /** @param path where in the value, such as `[0, 'sms']` */
  problem(path: readonly (string | number)[], text: string): void
}

export class Section {
  readonly #source: Source
  /** Where this section stands, such as `lines[0]`; empty for the whole file. */
  readonly path: string
  readonly #map: YAMLMap | undefined
  readonly #asked: string[] = []

  /** @param map absent when the file does not have this section: every key then has its default */
  constructor(source: Source, path: string, map: YAMLMap | undefined) {
    this.#source = source
    this.path = path
    this.#map = map
  }

  /** Where a key stands, as people and error messages name it. */
  name(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  has(key: string): boolean {
    return this.#node(key) !== undefined
  }

  /** Whether the key's value is a section, for keys that may be one word or several keys of their own. */
  holdsSection(key: string): boolean {
    return isMap(this.#node(key))
  }

  /** Whether the key's value is true or false, for keys that may also be a text. */
  holdsFlag(key: string): boolean {
    const node = this.#node(key)
    return isScalar(node) && typeof node.value === 'boolean'
  }

  problem(key: string, text: string): void {
    this.#source.report(this.name(key), this.#node(key) ?? this.#map, text)
  }

  /** Any value that is written as one word or number, kept exactly as written: `0123` stays `0123`. */
  text(key: string): string | undefined {
    const node = this.#node(key)
    if (node === undefined) return undefined
    if (isScalar(node) && typeof node.value === 'string') return node.value
    if (isScalar(node) && typeof node.value === 'number') return node.source ?? String(node.value)
    this.problem(key, isEmpty(node) ? 'has no value; give one or remove the key' : 'must be a text')
    return undefined
  }

  /** @param secret true when the value must not be repeated in a message */
  parsed<T>(key: string, parse: (text: string) => Parsed<T>, secret = false): T | undefined {
    const text = this.text(key)
    if (text === undefined) return undefined
    const result = parse(text)
    if ('value' in result) return result.value
    this.problem(key, `${secret ? 'this value' : quoted(text)} is not allowed here; ${result.allowed}`)
    return undefined
  }

  required(key: string): void {
    if (!this.has(key)) this.#source.report(this.name(key), this.#map, 'is missing')
  }

  flag(key: string, byDefault: boolean): boolean {
    const node = this.#node(key)
    if (node === undefined) return byDefault
    if (isScalar(node) && typeof node.value === 'boolean') return node.value
    this.problem(key, 'must be true or false')
    return byDefault
  }

  whole(key: string, byDefault: number, { min, max }: Range): number {
    const node = this.#node(key)
    if (node === undefined) return byDefault
    const value = isScalar(node) ? node.value : undefined
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.problem(key, `must be a whole number from ${min} to ${max}`)
    return byDefault
  }

  choice<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    return this.parsed(key, (text) => {
      const value = allowed.find((one) => one === text)
      return value === undefined
        ? {
            allowed: `allowed: ${allowed.join(', ')}${suggestion(text, allowed)}`,
          }
        : { value }
    })
  }

  /** @param range in ms */
  duration(key: string, byDefault: number, { min, max }: Range): number {
    const allowed = `write a span such as ${formatDuration(byDefault)}, from ${formatDuration(min)} to ${formatDuration(max)} (units: ms, s, m, h, d, w)`
    return (
      this.parsed(key, (text) => {
        const value = parseDuration(text)
        return value === undefined || value < min || value > max ? { allowed } : { value }
      }) ?? byDefault
    )
  }

  section(key: string): Section {
    const node = this.#node(key)
    if (node !== undefined && !isMap(node) && !isEmpty(node)) {
      this.problem(key, 'must be a section with keys of its own')
    }
    return new Section(this.#source, this.name(key), isMap(node) ? node : undefined)
  }

  /** The entries of a list whose entries are sections. */
  sections(key: string): Section[] {
    return this.#entries(key).flatMap((entry, index) => {
      const path = `${this.name(key)}[${index}]`
      if (isMap(entry)) return [new Section(this.#source, path, entry)]
      this.#source.report(path, entry, 'must be a section with keys of its own')
      return []
    })
  }

  /** The entries of a list of words. */
  words(key: string): { word: string; problem: (text: string) => void }[] {
    return this.#entries(key).flatMap((entry, index) => {
      const path = `${this.name(key)}[${index}]`
      const problem = (text: string) => this.#source.report(path, entry, text)
      if (isScalar(entry) && (typeof entry.value === 'string' || typeof entry.value === 'number')) {
        return [{ word: entry.source ?? String(entry.value), problem }]
      }
      problem('must be a text')
      return []
    })
  }

  /**
   * A value of whatever shape, for what is read as a whole: lists, records, and numbers as they are written.
   * @returns undefined when the key is absent or has no value
   */
  plain(key: string): Plain | undefined {
    const node = this.#node(key)
    if (node === undefined || isEmpty(node)) return undefined
    return {
      value: this.#plainOf(node),
      problem: (path, text) => {
        const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
        this.#source.report(`${this.name(key)}${place}`, this.#within(node, path), text)
      },
    }
  }

  #plainOf(from: unknown): unknown {
    const node = this.#source.resolve(from)
    if (isScalar(node))
      return typeof node.value === 'number' ? (node.source ?? String(node.value)) : node.value
    if (isSeq(node)) return node.items.map((item) => this.#plainOf(item))
    if (!isMap(node)) return undefined
    return Object.fromEntries(
      node.items.flatMap((item) => (isPair(item) ? [[String(item.key), this.#plainOf(item.value)]] : [])),
    )
  }

  /** The innermost node on the path that there is. */
  #within(node: Node, path: readonly (string | number)[]): Node {
    let here = node
    for (const step of path) {
      const item: unknown = isSeq(here)
        ? here.items[Number(step)]
        : isMap(here)
          ? here.get(step, true)
          : undefined
      const next = this.#source.resolve(item)
      if (next === undefined) break
      here = next
    }
    return here
  }

  /** Call it when every key has been asked for: reports those that nobody asked for. */
  finish(): void {
    for (const { key } of this.#map?.items ?? []) {
      const word = isScalar(key) ? String(key.value) : '?'
      if (this.#asked.includes(word)) continue
      const text = `unknown key; allowed: ${this.#asked.join(', ')}${suggestion(word, this.#asked)}`
      this.#source.report(this.name(word), key, text)
    }
  }

  #entries(key: string): (Node | undefined)[] {
    const node = this.#node(key)
    if (node === undefined || isEmpty(node)) return []
    if (isSeq(node)) return node.items.map((item) => this.#source.resolve(item))
    this.problem(key, 'must be a list: each entry on a line of its own after a dash')
    return []
  }

  #node(key: string): Node | undefined {
    if (!this.#asked.includes(key)) this.#asked.push(key)
    const value = this.#map?.get(key, true)
    return value === undefined ? undefined : this.#source.resolve(value)
  }
}

const isEmpty = (node: Node) => isScalar(node) && node.value === null

export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

function suggestion(word: string, known: readonly string[]): string {
  const near = known
    .map((one) => ({
      one,
      slips: slips(word.toLowerCase(), one.toLowerCase()),
    }))
    .filter(({ one, slips }) => slips <= 2 && slips < Math.min(word.length, one.length))
    .sort((a, b) => a.slips - b.slips)[0]
  return near === undefined ? '' : `; did you mean ${near.one}?`
}

const slips = (word: string, meant: string) => (word.startsWith(meant) ? 1 : distance(word, meant))

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

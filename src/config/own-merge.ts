/**
 * A value put into a YAML document where another one stands: what is the same stays to the letter, with its comments and
 * its secrets, and so does the rest of a list or mapping of which a part changes. Changes the document, and nothing else.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { holdsMask, MASK, masking, scalarValue, unmasked } from './masking.ts'

export type Step = string | number

export interface FileProblem {
  path: string
  text: string
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a node says, as people wrote it. */
export function plainOf(node: unknown, document: Document): unknown {
  const found = isAlias(node) ? node.resolve(document) : node
  if (isScalar(found)) return scalarValue(found)
  if (isSeq(found)) return found.items.map((item) => plainOf(item, document))
  if (isMap(found))
    return Object.fromEntries(
      found.items.map(({ key, value }) => [
        isScalar(key) ? String(key.value) : String(key),
        plainOf(value, document),
      ]),
    )
  return found
}

/** Equal as JSON, whatever the order of keys; a mask in the new value is equal to what it may stand for. */
function same(before: unknown, value: unknown, key: string): boolean {
  if (before === value) return true
  // Readers take a number where a text is asked for, as it is written.
  if (typeof before === 'number' && typeof value === 'string') return String(before) === value
  if (typeof value === 'string' && holdsMask(value)) return unmasked(value, before, key) === String(before)
  if (Array.isArray(before) && Array.isArray(value))
    return before.length === value.length && before.every((one, index) => same(one, value[index], ''))
  if (!isRecord(before) || !isRecord(value)) return false
  const keys = [...new Set([...Object.keys(before), ...Object.keys(value)])]
  return keys.every((one) => same(before[one], value[one], one))
}

/** From 0 to 1: how many keys of two entries are alike. */
function likeness(before: unknown, value: unknown): number {
  if (!isRecord(before) || !isRecord(value)) return 0
  const keys = [...new Set([...Object.keys(before), ...Object.keys(value)])]
  return keys.filter((key) => same(before[key], value[key], key)).length / Math.max(1, keys.length)
}

/**
 * Which entry each new one was: the same one, the one of the same id, or else the likest of which at least half is
 * alike. @returns places among the old entries; undefined for what is new
 */
export function counterparts(before: readonly unknown[], values: readonly unknown[]): (number | undefined)[] {
  const found: (number | undefined)[] = values.map(() => undefined)
  const free = new Set(before.keys())
  const take = (place: number, old: number) => {
    found[place] = old
    free.delete(old)
  }
  const open = () => [...values.keys()].filter((place) => found[place] === undefined)
  for (const place of open()) {
    const old = [place, ...free].find((one) => free.has(one) && same(before[one], values[place], ''))
    if (old !== undefined) take(place, old)
  }
  for (const place of open()) {
    const value = values[place]
    if (!isRecord(value) || typeof value['id'] !== 'string') continue
    const old = [...free].find((one) => {
      const entry = before[one]
      return isRecord(entry) && String(entry['id']) === value['id']
    })
    if (old !== undefined) take(place, old)
  }
  const pairs = open()
    .flatMap((place) => [...free].map((old) => ({ place, old, like: likeness(before[old], values[place]) })))
    .filter(({ like }) => like >= 0.5)
    .sort((a, b) => b.like - a.like || Math.abs(a.place - a.old) - Math.abs(b.place - b.old))
  for (const { place, old } of pairs) if (found[place] === undefined && free.has(old)) take(place, old)
  return found
}

/** Puts one value into a document. What cannot be put there is reported. */
export class Merge {
  readonly #document: Document
  readonly #problems: FileProblem[]

  constructor(document: Document, problems: FileProblem[]) {
    this.#document = document
    this.#problems = problems
  }

  /** @param path where it stands, for messages @throws Error when the place is within a value that holds no others */
  set(steps: readonly Step[], value: unknown, path: string): void {
    // A key without a value (`pair:`) holds nothing to set anything in.
    for (let depth = 1; depth < steps.length; depth += 1) {
      const above = this.#document.getIn(steps.slice(0, depth), true)
      if (isScalar(above) && above.value === null) this.#document.deleteIn(steps.slice(0, depth))
    }
    const before = this.#document.getIn(steps, true)
    const key = String(steps.findLast((step) => typeof step === 'string') ?? '')
    const node = this.#merged(before, value, key, path)
    if (node !== before && node !== undefined) this.#document.setIn(steps, node)
  }

  /** Takes a key out, and the section that it leaves empty, but none that stands at the top. */
  remove(steps: readonly Step[]): void {
    this.#document.deleteIn(steps)
    for (let depth = steps.length - 1; depth > 1; depth -= 1) {
      const above = this.#document.getIn(steps.slice(0, depth), true)
      if (!isMap(above) || above.items.length > 0) return
      this.#document.deleteIn(steps.slice(0, depth))
    }
  }

  /** @returns the node that is to stand there, which is the old one wherever that can be changed */
  #merged(before: unknown, value: unknown, key: string, path: string): Node | undefined {
    const held = plainOf(before, this.#document)
    const node = isScalar(before) || isCollection(before) || isAlias(before) ? before : undefined
    if (node !== undefined && same(held, value, key)) return node
    if (isMap(node) && isRecord(value)) return this.#mergedMap(node, value, path)
    if (isSeq(node) && Array.isArray(value)) return this.#mergedList(node, value, path)
    const full = this.#secretOf(value, held, key, path)
    if (full === undefined) return node
    if (isScalar(node) && (typeof full !== 'object' || full === null)) {
      // A word in the place of a word keeps the comment beside it.
      node.value = full
      delete node.source
      return node
    }
    const fresh = this.#document.createNode(full)
    return isPair(fresh) ? undefined : fresh
  }

  #mergedMap(map: YAMLMap, value: Record<string, unknown>, path: string): Node {
    for (const item of [...map.items]) {
      const name = isScalar(item.key) ? String(item.key.value) : String(item.key)
      if (value[name] === undefined) map.delete(item.key)
    }
    for (const [name, one] of Object.entries(value)) {
      if (one === undefined) continue
      const before = map.get(name, true)
      const node = this.#merged(before, one, name, `${path}.${name}`)
      if (node !== before && node !== undefined) map.set(name, node)
    }
    return map
  }

  #mergedList(list: YAMLSeq, values: readonly unknown[], path: string): Node {
    const old = list.items
    const places = counterparts(
      old.map((item) => plainOf(item, this.#document)),
      values,
    )
    list.items = values.flatMap((value, index) => {
      const place = places[index]
      const node = this.#merged(place === undefined ? undefined : old[place], value, '', `${path}[${index}]`)
      return node === undefined ? [] : [node]
    })
    return list
  }

  /** The value with the secrets that it has masks for; undefined, and reported, when it has one for none. */
  #secretOf(value: unknown, held: unknown, key: string, path: string): unknown {
    if (!holdsMask(value)) return value
    if (typeof value === 'string') {
      const full = unmasked(value, held, key)
      if (full !== undefined) return full
    } else if (isRecord(value)) {
      for (const [name, one] of Object.entries(value)) this.#secretOf(one, undefined, name, `${path}.${name}`)
      return undefined
    } else if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) this.#secretOf(one, undefined, '', `${path}[${index}]`)
      return undefined
    }
    this.#problems.push({ path, text: `${MASK} stands for a secret: give the secret, or leave the key out` })
    return undefined
  }
}

export interface FileDifference {
  path: string
  before?: unknown
  after?: unknown
}

/**
 * What differs between two files, secrets masked: a secret that is another one now is told as masked before and after.
 * @param whole whether a section that is new or gone is told as one, and not key by key
 */
export function fileDifference(
  before: unknown,
  after: unknown,
  whole: (path: string) => boolean,
  path = '',
  key = '',
): FileDifference[] {
  if (same(before, after, '')) return []
  const within = path !== '' && (before === undefined || after === undefined) && whole(path)
  const [old, fresh] = [recordOf(before), recordOf(after)]
  if (old !== undefined && fresh !== undefined && !within) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(fresh)])]
    if (keys.length > 0)
      return keys.flatMap((name) =>
        fileDifference(old[name], fresh[name], whole, path === '' ? name : `${path}.${name}`, name),
      )
  }
  if (Array.isArray(before) && Array.isArray(after) && sameEntries(before, after))
    return before.flatMap((one, index) => fileDifference(one, after[index], whole, `${path}[${index}]`))
  return [
    {
      path,
      ...(before === undefined ? {} : { before: masking(before, key) }),
      ...(after === undefined ? {} : { after: masking(after, key) }),
    },
  ]
}

/** What is not there is a section without keys. */
const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  value === undefined || value === null ? {} : isRecord(value) ? value : undefined

/** Whether entries were changed where they stand; otherwise the list is told as a whole. */
const sameEntries = (before: readonly unknown[], after: readonly unknown[]): boolean =>
  before.length === after.length &&
  before.every(isRecord) &&
  counterparts(before, after).every((place, index) => place === index)

/**
 * Sentences known by their words, with places for names and figures: `{node} gave up term {term}`. A place named `why`
 * holds a sentence of its own, which may be known as well. Pure.
 */

export interface Pattern {
  key: string
  pattern: RegExp
}

/** Patterns and the sentences of their keys in another language. */
export interface Book {
  patterns: readonly Pattern[]
  /** The sentence of a key with its places filled. */
  word(key: string, values: Readonly<Record<string, string>>): string | undefined
}

/** The name of a member and a role are one word, so that no sentence is taken for one. */
const word = '\\S+?'
const shapes: Readonly<Record<string, string>> = {
  why: '.+',
  node: word,
  other: word,
  active: word,
  role: word,
}

/** @param entries sentences by key; of two that fit the first one counts */
export const patternsOf = (entries: Readonly<Record<string, string>>): Pattern[] =>
  Object.entries(entries).map(([key, text]) => {
    const places = text
      .replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&')
      .replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${shapes[name] ?? '.+?'})`)
    return { key, pattern: new RegExp(`^${places}$`, 's') }
  })

/**
 * Several lines and several sentences are looked up one by one; so is what follows the name of a key, as in
 * `pair.vip: is missing`.
 * @param books of two sentences that fit the one of the earlier book counts
 * @param unknown called with each sentence that nothing fits, which then stays as it is
 */
export function translated(
  text: string,
  books: readonly Book[],
  unknown: (text: string) => void = () => undefined,
): string {
  const again = (part: string): string => translated(part, books, unknown)
  const [, place, rest] = /^([\w.[\]/-]+): (.+)$/s.exec(text) ?? []
  if (place !== undefined && rest !== undefined && !rest.includes('\n')) {
    let isKnown = true
    const said = translated(rest, books, () => {
      isKnown = false
    })
    if (isKnown) return `${place}: ${said}`
  }
  for (const { patterns, word } of books) {
    for (const { key, pattern } of patterns) {
      const found = pattern.exec(text)
      if (found === null) continue
      const { why, ...names } = { ...found.groups }
      return word(key, why === undefined ? names : { ...names, why: again(why) }) ?? text
    }
  }
  const lines = text.split('\n')
  if (lines.length > 1) return lines.map(again).join('\n')
  const sentences = text.split(/(?<=[.!?]) /)
  if (sentences.length > 1) return sentences.map(again).join(' ')
  unknown(text)
  return text
}

/**
 * What of a text can be said: a place that is not known takes along the brackets around it, or else its sentence.
 * @param known names of places
 */
export function withPlaces(text: string, known: readonly string[]): string {
  const lacks = (part: string): boolean =>
    [...part.matchAll(/\{(\w+)\}/g)].some(([, name = '']) => !known.includes(name))
  return text
    .replace(/ \([^()]*\)/g, (bracket) => (lacks(bracket) ? '' : bracket))
    .split(/(?<=[.!?]) (?=[„\p{Lu}])/u)
    .filter((sentence) => !lacks(sentence))
    .join(' ')
}

/**
 * Sentences known by their words, with places for names and figures: `{node} gave up term {term}`. A place named `why`
 * holds a sentence of its own, which may be known as well. Pure.
 */

export interface Pattern {
  key: string
  pattern: RegExp
}

/** @param entries sentences by key; of two that fit the first one counts */
export const patternsOf = (entries: Readonly<Record<string, string>>): Pattern[] =>
  Object.entries(entries).map(([key, text]) => {
    const places = text
      .replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&')
      .replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${name === 'why' ? '.+' : '.+?'})`)
    return { key, pattern: new RegExp(`^${places}$`, 's') }
  })

/** @param word the sentence of a key with its places filled @returns the text itself where no pattern fits */
export function translated(
  text: string,
  patterns: readonly Pattern[],
  word: (key: string, values: Record<string, string>) => string | undefined,
): string {
  for (const { key, pattern } of patterns) {
    const found = pattern.exec(text)
    if (found === null) continue
    const { why, ...names } = { ...found.groups }
    const values = why === undefined ? names : { ...names, why: translated(why, patterns, word) }
    return word(key, values) ?? text
  }
  return text
}

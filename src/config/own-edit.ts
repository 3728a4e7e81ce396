/** Changes of a member's own file by paths such as `lines[0].port`: the new text, checked, and what differs. Pure. */
import { parseDocument } from 'yaml'
import { errorText } from '#core/errors.ts'
import { parseConfig } from './load.ts'
import { keysOf } from './masking.ts'
import { ownForm } from './own-form.ts'
import { type FileDifference, type FileProblem, fileDifference, Merge, type Step } from './own-merge.ts'
import { ConfigInvalid } from './source.ts'
import type { Config } from './types.ts'

export interface FileChange {
  /** Such as `pair.priority` or `lines[0].port`. */
  path: string
  /** Undefined takes the key out. */
  value: unknown
}

export type Edited = { text: string; config: Config; diff: FileDifference[] } | { problems: FileProblem[] }

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
  const merge = new Merge(document, problems)
  for (const { path, value } of changes) {
    const steps = stepsOf(path)
    if (steps === undefined) {
      problems.push({
        path: path.slice(0, 100),
        text: 'is no key of the file; write one such as pair.priority or lines[0].port',
      })
      continue
    }
    try {
      if (value === undefined) merge.remove(steps)
      else merge.set(steps, value, path)
    } catch (error) {
      problems.push({ path, text: `cannot be set there: ${errorText(error)}` })
    }
  }
  if (problems.length > 0) return { problems }
  return replacedBy(text, document.toString({ lineWidth: 0 }), file)
}

const fields = new Set(ownForm().flatMap((section) => section.fields.map(({ path }) => path)))

/** By the fields of the form: a section that is one of them is told as one. */
export const textDifference = (before: string, after: string): FileDifference[] =>
  fileDifference(keysOf(before), keysOf(after), (path) => fields.has(path))

/** A whole text in the place of another one, if it can be used. */
export function replacedBy(text: string, fresh: string, file: string): Edited {
  const diff = textDifference(text, fresh)
  const after = diff.length === 0 ? text : fresh
  try {
    return { text: after, config: parseConfig(after, file), diff }
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return { problems: error.problems.map(({ key, text: what }) => ({ path: key, text: what })) }
  }
}

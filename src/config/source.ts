/**
 * A YAML text and what is wrong with it: every problem names its key, its place in the file, what is wrong and what
 * is allowed, and all of them are told at once. YAML 1.2 core schema.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import { CodedError } from '#core/errors.ts'

export interface Problem {
  /** A path such as `lines[0].port`; empty for the file as a whole. */
  key: string
  /** From 1; absent when the file could not be read at all. */
  line?: number
  column?: number
  text: string
}

/** The configuration cannot be used; the message has a line for each problem. */
export class ConfigInvalid extends CodedError {
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    super('config-invalid', [`${file} cannot be used:`, ...problems.map(problemText)].join('\n  '))
    this.problems = problems
  }
}

function problemText({ key, line, column, text }: Problem): string {
  const place = line === undefined ? '' : `line ${line}, column ${column}`
  if (key === '') return place === '' ? text : `${place}: ${text}`
  return `${key}${place === '' ? '' : ` (${place})`}: ${text}`
}

export class Source {
  readonly problems: Problem[] = []
  readonly #counter = new LineCounter()
  readonly #document

  constructor(text: string) {
    // The parser's own pretty errors quote the line, and a line may hold a PIN.
    this.#document = parseDocument(text, {
      lineCounter: this.#counter,
      prettyErrors: false,
    })
    for (const error of this.#document.errors) {
      const { line, col } = this.#counter.linePos(error.pos[0])
      const secret = /\bpin\b/i.test(text.split('\n')[line - 1] ?? '')
      this.problems.push({
        key: '',
        line,
        column: col,
        text: secret ? 'this line is not valid YAML' : syntaxText(error.code, error.message),
      })
    }
    if (this.problems.length > 0) return
    visit(this.#document, {
      Alias: (_, node) => {
        if (node.resolve(this.#document) === undefined) this.report('', node, starNeedsQuotes)
      },
    })
  }

  /** The mapping that the file consists of; undefined when it is empty or wrong. */
  root(): YAMLMap | undefined {
    const { contents } = this.#document
    if (this.problems.length > 0 || contents === null) return undefined
    if (isMap(contents)) return contents
    if (isScalar(contents) && contents.value === null) return undefined
    this.report('', contents, 'the file must be a list of keys and values, such as `node: gateway-1`')
    return undefined
  }

  /** The node itself, or what an alias (`*name`) stands for. */
  resolve(node: unknown): Node | undefined {
    const found = isAlias(node) ? node.resolve(this.#document) : node
    return isScalar(found) || isMap(found) || isSeq(found) ? found : undefined
  }

  report(key: string, at: unknown, text: string): void {
    const range = isScalar(at) || isMap(at) || isSeq(at) || isAlias(at) ? at.range : undefined
    const { line, col } = this.#counter.linePos(range?.[0] ?? 0)
    this.problems.push({ key, line, column: col, text })
  }
}

const starNeedsQuotes = 'a value that begins with * needs quotes, such as "*"'

function syntaxText(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key stands here twice; keep one of them'
    case 'BAD_ALIAS':
      return starNeedsQuotes
    case 'TAB_AS_INDENT':
      return 'YAML is indented with spaces, not with tabs'
    default:
      return `not valid YAML: ${message}`
  }
}

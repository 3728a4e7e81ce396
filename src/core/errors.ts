/**
 * Errors. Inside the program failures are unions that the caller must look at; this class is for the edge
 * (HTTP, command line), where every code is documented in docs/errors.md and never changes its meaning.
 */
/** Names and figures of what went wrong, by the names under which docs/errors.md has them; for words in any language. */
export type Values = Readonly<Record<string, string | number>>

export class CodedError extends Error {
  readonly code: string
  /** The input field at fault, as a path such as `to[3]` or `lines[0].port`. */
  readonly field: string | undefined
  readonly values: Values | undefined

  constructor(
    code: string,
    message: string,
    options: { field?: string; values?: Values; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CodedError'
    this.code = code
    this.field = options.field
    this.values = options.values
  }
}

/** Stops the program rather than letting it go on wrong: for what can only be a mistake in this program. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`twinline is wrong: ${what}`)
}

/** Makes a switch exhaustive at compile time, and loud at run time. */
export function unreachable(value: never): never {
  throw new Error(`twinline is wrong: unexpected ${JSON.stringify(value)}`)
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

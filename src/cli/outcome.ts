/** How a command ends: its exit code, and one plain sentence on stderr when it did not do what it was asked to. */
import { CodedError, errorText } from '#core/errors.ts'

/** Others script against these; they never change their meaning. */
export const exit = {
  /** Done; for `send`: accepted. */
  accepted: 0,
  /** The appliance said no, or the command could not do it. */
  refused: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** No appliance could be reached, or none would take it now. */
  unreachable: 3,
  /** A request went out and its answer never came: it may or may not have been accepted. */
  unknown: 4,
} as const

/** What was typed is wrong; `usage` is the command's own help. */
export class UsageError extends Error {
  readonly usage: string

  constructor(message: string, usage: string) {
    super(message)
    this.name = 'UsageError'
    this.usage = usage
  }
}

/** A command that ends early with a sentence and an exit code. */
export class Ended extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'Ended'
    this.code = code
  }
}

type Command = (argv: string[]) => Promise<number>

/** Runs a command and turns whatever it throws into a sentence and an exit code. */
export async function dispatch(
  name: string,
  load: (() => Promise<Command>) | undefined,
  known: readonly string[],
  argv: string[],
): Promise<number> {
  if (load === undefined) {
    console.error(`twinline: there is no command ${JSON.stringify(name)}; commands: ${known.join(', ')}`)
    return exit.usage
  }
  try {
    const command = await load()
    return await command(argv)
  } catch (error) {
    return explain(error)
  }
}

function explain(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`twinline: ${error.message}\n\n${error.usage}`)
    return exit.usage
  }
  if (error instanceof Ended) {
    console.error(`twinline: ${error.message}`)
    return error.code
  }
  if (error instanceof CodedError) {
    console.error(`twinline: ${error.message}`)
    return error.code === 'config-invalid' ? exit.usage : exit.refused
  }
  // A mistake in this program: the stack says where.
  console.error(error instanceof Error ? error.stack : errorText(error))
  return exit.refused
}

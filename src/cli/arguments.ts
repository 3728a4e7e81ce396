/**
 * What was typed, on top of node:util parseArgs. Two things are different from it: an option that may be given several
 * times also takes several words at once (`--host A B C`), and the word after an option with a value is always its
 * value, because the text of an alert may begin with a dash.
 */
import { type ParseArgsConfig, type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { parseDuration } from '#core/duration.ts'
import { errorText } from '#core/errors.ts'
import { UsageError } from './outcome.ts'

export const connectionOptions = {
  config: { type: 'string' },
  host: { type: 'string', multiple: true },
  token: { type: 'string' },
  ca: { type: 'string' },
  insecure: { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

export const connectionUsage = `Which appliance:
  --config FILE     the one on this machine that runs with this configuration; no token needed
  --host URL ...    any appliance, such as https://gateway-1:8443 (or the variable TWINLINE_HOST)
  --token TOKEN     the API token for --host (better in the variable TWINLINE_TOKEN: others can see arguments)
  --ca FILE         certificates (PEM) to trust besides the system's, such as the appliance's own
  --insecure        take any certificate: only for a test
  --timeout 10s     how long to wait for a connection, and then for an answer`

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: true } & ParseArgsConfig>
>

/** @throws UsageError */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: O,
  usage: string,
): Parsed<O> {
  try {
    return parseArgs({
      args: joined(argv, options),
      options,
      strict: true,
      allowPositionals: true,
    }) as Parsed<O>
  } catch (error) {
    // The parser's second sentence explains how to quote a dash, which joined() has made needless.
    throw new UsageError(errorText(error).split('. ')[0] ?? '', usage)
  }
}

/** Writes every option with a value as one word: `--name=value`. */
function joined(argv: readonly string[], options: ParseArgsOptionsConfig): string[] {
  const words: string[] = []
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') return [...words, ...argv.slice(index)]
    const found = Object.entries(options).find(
      ([name, { short }]) => word === `--${name}` || word === `-${short}`,
    )
    const value = argv[index + 1]
    if (found === undefined || found[1].type === 'boolean' || value === undefined) {
      words.push(word)
      continue
    }
    const [name, { multiple }] = found
    words.push(`--${name}=${value}`)
    index += 1
    while (multiple && argv[index + 1]?.startsWith('-') === false) {
      index += 1
      words.push(`--${name}=${argv[index]}`)
    }
  }
  return words
}

/** @returns ms */
export function durationArgument(name: string, text: string, usage: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms === 0) {
    throw new UsageError(
      `${name} ${JSON.stringify(text)} is not a span; write one such as 500ms, 30s, 30m or 24h`,
      usage,
    )
  }
  return ms
}

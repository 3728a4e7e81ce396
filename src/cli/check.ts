/** twinline check: whether a configuration can be used, and what on this machine would be in its way. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { loadConfig } from '#config/load.ts'
import { type FaultPromise, promises } from '#config/promises.ts'
import { missingLines, written } from '#config/shared.ts'
import { ConfigInvalid } from '#config/source.ts'
import type { Config, LineConfig, Listen, PairConfig } from '#config/types.ts'
import { formatDuration } from '#core/duration.ts'
import { missingPrograms } from '#fax/documents/programs.ts'
import type * as schemas from '#intake/http/config-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { parseArguments } from './arguments.ts'
import { call } from './client.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { localTarget } from './target.ts'

const usage = `twinline check --config FILE [--json]

Exit code: 0 when the configuration can be used (there may be warnings), 2 when it cannot.`

const options = {
  config: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export async function check(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const { config: file, json = false } = values
  if (file === undefined) throw new UsageError('which configuration? Give --config FILE', usage)
  let config: Config
  try {
    config = loadConfig(file)
  } catch (error) {
    if (!json || !(error instanceof ConfigInvalid)) throw error
    printJson({ ok: false, problems: error.problems, warnings: [] })
    return exit.usage
  }
  const warnings = [...warningsOf(config), ...(await overruled(config))]
  const promised = config.pair === undefined ? undefined : promisesOf(config.pair)
  if (json) {
    printJson({
      ok: true,
      problems: [],
      warnings,
      ...(promised === undefined ? {} : { promises: promised }),
    })
    return exit.accepted
  }
  for (const warning of warnings) console.log(`warning: ${warning}`)
  console.log(`${file} is ok: ${summary(config)}`)
  if (config.pair !== undefined && promised !== undefined) printPromises(config.pair, promised)
  return exit.accepted
}

function summary({ node, lines, routes, data }: Config): string {
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`
  return `node ${node}, ${count(lines.length, 'line')}, ${count(routes.length, 'route')}, data in ${data}`
}

const promisesOf = ({ profile, witness, vip, selfCheck }: PairConfig): FaultPromise[] =>
  promises(profile, {
    witness: witness !== undefined,
    selfCheck,
    ...(vip === undefined ? {} : { driver: vip.driver }),
  })

function printPromises({ profile, witness }: PairConfig, promised: readonly FaultPromise[]): void {
  const { name, interval, misses, timeout } = profile
  const later = timeout === 0 ? '' : `, then ${formatDuration(timeout)}`
  const judge = witness === undefined ? 'without a witness' : 'with a witness'
  console.log(
    `\nprofile ${name} (${formatDuration(interval)} x ${misses}${later}), two members ${judge}, promises:`,
  )
  printTable(
    ['clients wait at most', 'two serve at once', 'when'],
    promised.map(({ text, outage, bothServe }) => [
      formatDuration(outage),
      bothServe ? 'until they meet' : 'never',
      text,
    ]),
  )
}

/** What would keep the appliance from working here and now, though the configuration is right in itself. */
function warningsOf(config: Config): string[] {
  const { http, https, lines, data } = config
  const warnings: string[] = []
  if (lines.length === 0) warnings.push('lines: there are none, so nothing can be sent')
  if (lines.length > 0 && lines.every(({ disabled }) => disabled)) warnings.push('lines: all are disabled')
  if (http === undefined && https === undefined) {
    warnings.push('http, https: neither is there, so only commands on this machine can hand over messages')
  }
  if (http !== undefined && !loopback(http.listen)) {
    warnings.push(
      'http.listen: tokens and texts can be read on the way; use https for clients on other machines',
    )
  }
  for (const [key, path] of [
    ['certificate', https?.certificate],
    ['key', https?.key],
  ] as const) {
    const wrong = path === undefined ? undefined : inaccessible(path, constants.R_OK)
    if (wrong !== undefined) warnings.push(`https.${key}: ${path} ${wrong}`)
  }
  const wrong = inaccessible(nearest(data), constants.W_OK | constants.X_OK)
  if (wrong !== undefined) warnings.push(`data: ${nearest(data)} ${wrong}`)
  const known = { node: config.node, lines: lines.map(({ id }) => id), paired: config.pair !== undefined }
  for (const { path, text } of missingLines(config.routes, known)) warnings.push(`${path}: ${text}`)
  if (lines.some(({ kind }) => kind === 'fax')) {
    for (const { program, pack } of missingPrograms())
      warnings.push(`lines: fax needs the program ${program} (apt-get install ${pack})`)
  }
  lines.forEach((line, index) => {
    const device = deviceWarning(line)
    if (device !== undefined) warnings.push(`lines[${index}].port: ${device}`)
  })
  return warnings
}

/** How long a running appliance may take to tell its settings, ms. */
const ASK_MS = 2_000

/** What the file says and a revision of the appliance that runs with it has replaced. */
async function overruled(config: Config): Promise<string[]> {
  const answer = await call(localTarget(config.data, ASK_MS), { method: 'GET', path: '/config' })
  if (answer.result !== 'answer' || answer.status !== 200) return []
  const { items } = answer.body as Shape<typeof schemas.settingList>
  const fromFile = new Map<string, unknown>(Object.entries(written(config)))
  return items.flatMap(({ path, value, source, author = '', at }) => {
    if (source !== 'revision' || !config.given.includes(path)) return []
    if (isDeepStrictEqual(value, fromFile.get(path))) return []
    const when = at === undefined ? '' : ` of ${localTime(at)}`
    return [`${path}: a revision${when} by ${author} goes before this file: ${JSON.stringify(value)}`]
  })
}

function deviceWarning({ port }: LineConfig): string | undefined {
  if (port.scheme !== 'serial') return undefined
  const wrong = inaccessible(port.path, constants.R_OK | constants.W_OK)
  if (wrong === undefined) return undefined
  const hint = existsSync(port.path)
    ? '; being in the group dialout often helps'
    : '; is the modem plugged in?'
  return `${port.path} ${wrong}${hint}`
}

function inaccessible(path: string, mode: number): string | undefined {
  if (!existsSync(path)) return 'is not there'
  try {
    accessSync(path, mode)
    return undefined
  } catch {
    return 'may not be used by this user'
  }
}

/** The directory, or the one above it that exists, where the missing ones would be made. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}

const loopback = ({ host }: Listen) => host === 'localhost' || host === '::1' || host.startsWith('127.')

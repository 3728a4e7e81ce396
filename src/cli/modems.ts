/**
 * twinline modems: what is plugged in and is no line yet. The appliance that runs is asked, because it knows what its
 * lines hold; where none runs, this process looks by itself.
 */
import { loadConfig } from '#config/load.ts'
import { profileDirectory } from '#config/modem-profiles.ts'
import type { LineConfig } from '#config/types.ts'
import { type FoundPort, searchModems } from '#dispatch/modem-search.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { call } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { printable, printJson, printTable } from './print.ts'
import { problemText, targetsOf } from './target.ts'

const usage = `twinline modems [--config FILE] [--json]     look for modems that no line uses, on this machine
twinline modems --host URL [--node NODE]     on another one; needs a token with the scope admin

Asks each serial port that no line uses who is there; changes nothing, enters no PIN, takes 9 s at most.
With --config FILE the ports of its lines are left alone, whether the appliance runs or not.

  --node NODE   on another member of the pair

${connectionUsage}`

const options = { ...connectionOptions, node: { type: 'string' } } as const

export async function modems(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  if (positionals.length > 0) throw new UsageError(`unexpected ${JSON.stringify(positionals[0])}`, usage)
  const remote = values.config !== undefined || values.host !== undefined || process.env['TWINLINE_HOST']
  const found = remote ? await asked(values) : await search([])
  const lines = values.config === undefined ? [] : loadConfig(values.config).lines
  if (values.json) printJson(found)
  else print(found, new Set(lines.map(({ id }) => id)))
  return exit.accepted
}

const search = (lines: readonly LineConfig[]) => searchModems({ lines, profiles: profileDirectory })

/** Longer than a search takes, also over the link between members. */
const PATIENCE = '20s'

/** One appliance; the one on this machine need not run. */
async function asked(values: Parameters<typeof targetsOf>[0] & { node?: string | undefined }) {
  const { config, node } = values
  const [target] = targetsOf({ timeout: PATIENCE, ...values }, usage)
  if (target === undefined) throw new UsageError('which appliance? Give --config FILE or --host URL', usage)
  const path = `/modems/search${node === undefined ? '' : `?node=${encodeURIComponent(node)}`}`
  const answer = await call(target, { method: 'POST', path, body: '{}' })
  if (answer.result === 'answer' && answer.status === 200) {
    return (answer.body as { items: FoundPort[] }).items
  }
  if (answer.result === 'answer') throw new Ended(exit.refused, `${target.name}: ${problemText(answer)}`)
  if (answer.result === 'unknown') throw new Ended(exit.unknown, `${target.name}: ${answer.reason}`)
  if (config === undefined || node !== undefined)
    throw new Ended(exit.unreachable, `cannot reach ${target.name}: ${answer.reason}`)
  return search(loadConfig(config).lines)
}

const answers: Record<FoundPort['result'], string> = {
  modem: '',
  silent: 'no answer',
  denied: 'this user may not use it: join the group dialout, and log in again',
  'in-use': 'another program has it (a line that runs, or ModemManager)',
  failed: 'cannot be used',
  'not-asked': 'not asked: too many ports for one search',
}

/** @param taken ids of the lines that there are */
function print(found: readonly FoundPort[], taken: ReadonlySet<string>): void {
  if (found.length > 0) printFound(found)
  const entries = found.flatMap(({ entry }) => entry ?? [])
  if (entries.length > 0) {
    const ids = new Set(taken)
    console.log('\nTo use them, add to `lines` in the configuration:')
    for (const { kind, port, imei } of entries) {
      const bound = imei === undefined ? '' : `, imei: "${imei}"`
      const id = freeId(kind, ids)
      ids.add(id)
      console.log(printable(`  - { id: ${id}, kind: ${kind}, port: ${JSON.stringify(port)}${bound} }`))
    }
  } else if (!found.some(({ modem }) => modem !== undefined)) {
    console.log(
      'No modem that is no line yet was found. Look at its power and cable, at `ls /dev/serial/by-id`, and whether\n' +
        'this user is in the group dialout; a stick without a serial port needs usb-modeswitch (docs/modems.md).',
    )
  }
}

function freeId(kind: string, taken: ReadonlySet<string>): string {
  let n = 0
  while (taken.has(`${kind}${n}`)) n += 1
  return `${kind}${n}`
}

function printFound(found: readonly FoundPort[]): void {
  printTable(
    ['port', 'what', 'modem', 'signal', 'SIM', 'operator', 'state'],
    found.map(({ device, result, why, modem, line }) => [
      device,
      modem === undefined ? '' : kindText(modem),
      [modem?.manufacturer, modem?.model].filter(Boolean).join(' '),
      modem?.signal === undefined ? '' : `${modem.signal} dBm`,
      modem?.sim ?? '',
      modem?.operator ?? '',
      line === undefined ? `${answers[result]}${why === undefined ? '' : ` (${why})`}` : `is line ${line}`,
    ]),
  )
}

function kindText({ kind, classes, voice, callerId }: NonNullable<FoundPort['modem']>): string {
  if (kind !== 'fax') return kind === 'gsm' ? 'mobile' : 'answers AT'
  return `fax (class ${classes?.join(', ')})${voice ? ', voice' : ''}${callerId ? ', caller-ID' : ''}`
}

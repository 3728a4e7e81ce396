/** twinline config: the settings that all members of a pair share, whether the appliance runs or not. */
import { isDeepStrictEqual } from 'node:util'
import { parse, stringify } from 'yaml'
import { nested } from '#config/shared.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import {
  accessSettings,
  type Revision,
  type SettingsAccess,
  type Tried,
  type Values,
} from './config-access.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson, printTable } from './print.ts'

const usage = `twinline config get [PATH] [--json]
twinline config set PATH VALUE [--confirm-within 90s] [--json]
twinline config confirm ID
twinline config revert ID [--json]
twinline config export
twinline config set PATH --file [--json]
twinline config history [--limit 20] [--json]
twinline config conflicts [--json]
twinline config restore ID [PATH] [--before] [--json]
twinline config dismiss ID [PATH]

get prints settings and where each comes from; with a PATH the value alone.
set changes one, and shows what it was and what it is. A list is written as in the file:
    twinline config set routes '[{match: "+49*", lines: [gsm0]}]' --config FILE
  --file        back to the value of the configuration file
  --confirm-within 90s   taken back by itself unless config confirm comes in time (the appliance must run)
revert brings back what was before revision ID; export prints everything as a file may hold it.
restore makes what revision ID set hold again, by a new revision, and settles its conflicts.
  --before      what was there before revision ID, instead
dismiss settles a conflict: the value that holds is right.

Needs the scope read, and for changes admin. With --config it works whether the appliance runs or not.

${connectionUsage}`

const options = {
  ...connectionOptions,
  file: { type: 'boolean' },
  before: { type: 'boolean' },
  limit: { type: 'string' },
  'confirm-within': { type: 'string' },
} as const

export async function config(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, ...words] = positionals
  const { json = false, file = false, before = false, limit, 'confirm-within': within } = values
  for (const [name, given, place] of [
    ['--file', file, 'set'],
    ['--before', before, 'restore'],
    ['--limit', limit !== undefined, 'history'],
    ['--confirm-within', within !== undefined, 'set'],
  ] as const) {
    if (given && action !== place) throw new UsageError(`${name} belongs to ${place}`, usage)
  }
  /** @param least, most how many words the action takes */
  const take = (least: number, most: number, wanted: string): void => {
    if (words.length < least) throw new UsageError(`give ${wanted}`, usage)
    if (words.length > most) throw new UsageError(`unexpected ${JSON.stringify(words[most])}`, usage)
  }
  const [first = '', second] = words
  const run = (work: (access: SettingsAccess) => Promise<number>) => accessed(values, work)
  switch (action) {
    case 'get':
      take(0, 1, 'a path')
      return run((access) => get(access, words[0], json))
    case 'set': {
      take(file ? 1 : 2, file ? 1 : 2, file ? 'a path' : 'a path and a value')
      const value = file ? null : typedValue(second ?? '')
      return run(async (access) =>
        within === undefined
          ? printChange(await access.set(first, value), json)
          : printTrial(await access.tryOut(first, value, within), json),
      )
    }
    case 'history': {
      take(0, 0, 'nothing more')
      const count = Number(limit ?? '20')
      if (!Number.isInteger(count) || count < 1 || count > 500)
        throw new UsageError('--limit wants a number from 1 to 500', usage)
      return run(async (access) => printHistory(await access.history(count), json))
    }
    case 'confirm':
      take(1, 1, 'the id of the revision on trial')
      return run(async (access) => {
        await access.confirm(first)
        return exit.accepted
      })
    case 'revert':
      take(1, 1, 'the id of a revision, as config history shows it')
      return run(async (access) => printChange(await access.restore(first, undefined, 'before'), json))
    case 'export':
      take(0, 0, 'nothing more')
      return run(async (access) => {
        process.stdout.write(stringify(nested((await access.values()).items)))
        return exit.accepted
      })
    case 'conflicts':
      take(0, 0, 'nothing more')
      return run((access) => conflicts(access, json))
    case 'restore':
      take(1, 2, 'the id of a revision, as config history shows it')
      return run(async (access) =>
        printChange(await access.restore(first, second, before ? 'before' : 'after'), json),
      )
    case 'dismiss':
      take(1, 2, 'the id of a revision, as config conflicts shows it')
      return run(async (access) => {
        await access.dismiss(first, second)
        return exit.accepted
      })
    default:
      throw new UsageError(
        'say what to do: get, set, confirm, revert, export, history, conflicts, restore or dismiss',
        usage,
      )
  }
}

async function accessed(
  values: Parameters<typeof accessSettings>[0],
  work: (access: SettingsAccess) => Promise<number>,
): Promise<number> {
  const access = await accessSettings(values, usage)
  try {
    return await work(access)
  } finally {
    await access.close()
  }
}

/** A value as it would stand in the file: `2h`, or a list in YAML or JSON. */
function typedValue(text: string): unknown {
  try {
    const value: unknown = parse(text)
    // Words and numbers stay as they were typed.
    return typeof value === 'object' && value !== null ? value : text
  } catch {
    return text
  }
}

const shown = (value: unknown): string =>
  value === undefined ? '(the file’s)' : typeof value === 'string' ? value : JSON.stringify(value)

async function get(access: SettingsAccess, path: string | undefined, json: boolean): Promise<number> {
  const values = await access.values()
  if (path !== undefined) {
    // `retention` stands for both below it.
    const found = values.items.filter((item) => item.path === path || item.path.startsWith(`${path}.`))
    const [only] = found
    if (only === undefined) {
      const known = values.items.map((item) => item.path).join(', ')
      throw new Ended(exit.refused, `there is no shared setting ${JSON.stringify(path)}; there are: ${known}`)
    }
    if (json) printJson(found.length === 1 && only.path === path ? only : found)
    else if (only.path === path) console.log(printable(shown(only.value)))
    else printValues(found)
    return exit.accepted
  }
  if (json) {
    printJson(values)
    return exit.accepted
  }
  printValues(values.items)
  for (const problem of values.problems)
    console.log(`problem: ${printable(`${problem.path}: ${problem.text}`)}`)
  return exit.accepted
}

function printValues(items: Values['items']): void {
  printTable(
    ['setting', 'value', 'source', 'by', 'when'],
    items.map(({ path, value, source, author = '', at }) => [
      path,
      shown(value),
      source,
      author,
      at === undefined ? '' : localTime(at),
    ]),
  )
}

function printChange({ revision }: { revision?: Revision | undefined }, json: boolean): number {
  if (json) printJson(revision === undefined ? {} : { revision })
  else if (revision === undefined) console.log('nothing to change: it is like that already')
  else {
    console.log(`revision ${revision.id}`)
    printDifferences(revision)
  }
  return exit.accepted
}

function printTrial({ revision, confirmBy }: Tried, json: boolean): number {
  if (json) printJson({ revision, confirmBy })
  else if (revision === undefined || confirmBy === undefined)
    console.log('nothing to change: it is like that already')
  else {
    console.log(`revision ${revision}, taken back at ${localTime(confirmBy)} unless confirmed:`)
    console.log(`    twinline config confirm ${revision}`)
  }
  return exit.accepted
}

/** A list by its entries, so that one changed route is one line out and one line in. */
function printDifferences({ changes }: Pick<Revision, 'changes'>): void {
  const entries = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
  for (const { path, before, after } of changes) {
    console.log(printable(path))
    const [old, fresh] = [entries(before), entries(after)]
    const among = (one: unknown, others: unknown[]) => others.some((other) => isDeepStrictEqual(one, other))
    for (const one of old) if (!among(one, fresh)) console.log(printable(`  - ${shown(one)}`))
    for (const one of fresh) if (!among(one, old)) console.log(printable(`  + ${shown(one)}`))
  }
}

function printHistory(items: readonly Revision[], json: boolean): number {
  if (json) printJson(items)
  else {
    for (const revision of items) {
      const { id, at, author, node = '' } = revision
      console.log(printable(`revision ${id}  ${localTime(at)}  ${author} on ${node}`))
      printDifferences(revision)
    }
  }
  return exit.accepted
}

async function conflicts(access: SettingsAccess, json: boolean): Promise<number> {
  const items = await access.conflicts()
  if (json) printJson(items)
  else if (items.length === 0) console.log('no conflicts')
  else {
    for (const { revision, path, value, author, at, node, holds } of items) {
      console.log(printable(`${path}: ${shown(value)}  (by ${author} on ${node}, ${localTime(at)})`))
      console.log(printable(`  holds: ${shown(holds)}`))
      console.log(printable(`  twinline config restore ${revision} ${path}, or dismiss ${revision} ${path}`))
    }
  }
  return exit.accepted
}

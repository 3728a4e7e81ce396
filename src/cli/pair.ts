/** twinline pair: make a pair of appliances, look at it, switch it, practise its failover. */
import type * as schemas from '#intake/http/pair-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { drills } from '#pair/control.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { commandPair } from './pair-command.ts'
import { printPair } from './pair-status.ts'
import { localTime, printable, printJson } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Status = Shape<typeof schemas.pairStatus>
type Values = ReturnType<typeof parseArguments<typeof connectionOptions>>['values']

const usage = `twinline pair invite            a code with which one more appliance joins; prints the code alone
twinline pair join CODE         on the other appliance, within ten minutes
twinline pair status [--json]   roles, members, paths, replication, and what each fault would cost
twinline pair takeover          on the standby: it becomes active
twinline pair handover          on the active: another member becomes active
twinline pair remove NODE       a member is refused everywhere until it joins with a new code
twinline pair drill KIND        ${drills.join(', ')}: a fault on purpose that heals by itself
twinline pair drills [--json]   what the last drills showed: seconds, lost, duplicated
twinline pair log [--day DAY]   what the members saw and did on one day

takeover and handover are back when it is done. With --config no token is needed; with --host, status, drills and
log need a token with the scope read, takeover, handover and drill one with operate, everything else one with admin.

${connectionUsage}`

export async function pair(argv: string[]): Promise<number> {
  if (argv[0] === 'log') return (await import('./pair-log.ts')).pairLog(argv.slice(1))
  const { values, positionals } = parseArguments(argv, connectionOptions, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, ...rest] = positionals
  switch (action) {
    case 'invite':
      none(rest)
      return invite(values)
    case 'join':
      return join(values, rest)
    case 'status':
      none(rest)
      return status(values)
    case 'drills':
      none(rest)
      return reports(values)
    case 'takeover':
    case 'handover':
      none(rest)
      return change(values, action)
    case 'remove':
      return remove(values, one(rest, 'which member? Give its node name, as twinline pair status shows it'))
    case 'drill':
      return drill(values, one(rest, `which fault? One of ${drills.join(', ')}`))
    default:
      throw new UsageError(
        action === undefined ? 'say what to do' : `there is no pair command ${JSON.stringify(action)}`,
        usage,
      )
  }
}

function none(rest: readonly string[]): void {
  if (rest[0] !== undefined) throw new UsageError(`unexpected ${JSON.stringify(rest[0])}`, usage)
}

function one(rest: readonly string[], question: string): string {
  const [word, ...more] = rest
  if (word === undefined) throw new UsageError(question, usage)
  none(more)
  return word
}

async function invite(values: Values): Promise<number> {
  const made = await commandPair<Shape<typeof schemas.invitation>>(values, usage, 'invite')
  if (values.json) {
    printJson(made)
    return exit.accepted
  }
  console.log(made.code)
  console.error(
    `On the other appliance, until ${localTime(made.expires).slice(11)}:  twinline pair join CODE --config FILE\nThe code works once.`,
  )
  return exit.accepted
}

async function join(values: Values, words: readonly string[]): Promise<number> {
  // A code is often typed with blanks where the screen shows dashes.
  const code = words.join(' ')
  if (code === '') throw new UsageError('which code? Give the one that twinline pair invite printed', usage)
  const joined = await commandPair<Shape<typeof schemas.joined>>(values, usage, 'join', { code })
  if (values.json) printJson(joined)
  else console.log(printable(`joined ${joined.members.join(', ')} by the invitation of ${joined.inviter}`))
  return exit.accepted
}

async function status(values: Values): Promise<number> {
  const found = await ask<Status>(targetsOf(values, usage), { method: 'GET', path: '/pair' })
  if (values.json) printJson(found)
  else printPair(found)
  return exit.accepted
}

async function change(values: Values, command: 'takeover' | 'handover'): Promise<number> {
  const found = await commandPair<Status>(values, usage, command)
  if (values.json) printJson(found)
  else {
    const other =
      found.active === undefined || found.active === found.node ? '' : `; ${found.active} is active`
    console.log(printable(`${found.node} is ${found.label}${other}`))
  }
  return exit.accepted
}

async function remove(values: Values, node: string): Promise<number> {
  const found = await commandPair<Status>(values, usage, 'remove', { node })
  if (values.json) printJson(found)
  else {
    const left = [found.node, ...found.members.map((member) => member.node)].join(', ')
    console.log(printable(`${node} was removed; members now: ${left}`))
  }
  return exit.accepted
}

async function reports(values: Values): Promise<number> {
  const { items } = await ask<schemas.DrillList>(targetsOf(values, usage), {
    method: 'GET',
    path: '/pair/drills',
  })
  if (values.json) printJson(items)
  else for (const { at, text } of items) console.log(printable(`${localTime(at)}  ${text}`))
  return exit.accepted
}

async function drill(values: Values, kind: string): Promise<number> {
  if (!drills.some((each) => each === kind)) {
    throw new UsageError(`there is no drill ${JSON.stringify(kind)}; allowed: ${drills.join(', ')}`, usage)
  }
  const begun = await commandPair<Shape<typeof schemas.drillBegun>>(values, usage, 'drill', { kind })
  if (values.json) printJson(begun)
  else {
    console.log(printable(begun.text))
    console.error(
      'Watch it with twinline pair status and twinline pair log on the other appliance; twinline pair drills tells what it showed.',
    )
  }
  return exit.accepted
}

/** twinline user: the people who log in at the panel; on the box itself also the way back in when a password is lost. */
import type { UserList } from '#intake/http/panel-schemas.ts'
import { roles } from '#messages/operation.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { type Call, call } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { askSecret } from './secret-prompt.ts'
import { ask, type ConnectionValues, reasonOf, targetsOf } from './target.ts'

const usage = `twinline user list --config FILE
twinline user add NAME --role ROLE --config FILE
twinline user password NAME --config FILE
twinline user role NAME --role ROLE --config FILE
twinline user remove NAME --config FILE

  --role ROLE   ${roles.join(', ')}
  --json        print as JSON

The appliance must run. A password is asked for, or read from stdin, and has at least ten characters; a new one logs its
user out everywhere. With --host this needs a token that has the scope admin.

${connectionUsage}`

const options = { ...connectionOptions, role: { type: 'string' } } as const

export async function user(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, name, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`unexpected ${JSON.stringify(rest[0])}`, usage)
  if (action === 'list') {
    if (name !== undefined) throw new UsageError(`unexpected ${JSON.stringify(name)}`, usage)
    const { items } = await ask<UserList>(targetsOf(values, usage), { method: 'GET', path: '/users' })
    if (values.json) printJson(items)
    else printList(items)
    return exit.accepted
  }
  if (!isAction(action)) throw new UsageError('say what to do: list, add, password, role or remove', usage)
  if (name === undefined) throw new UsageError('say whose: the name of a user', usage)
  await perform(values, await callFor(action, name, values.role))
  return exit.accepted
}

const actions = ['add', 'password', 'role', 'remove'] as const
const isAction = (text: string | undefined): text is (typeof actions)[number] =>
  actions.some((action) => action === text)

async function callFor(
  action: (typeof actions)[number],
  name: string,
  given: string | undefined,
): Promise<Call> {
  const role = action === 'add' || action === 'role' ? roleNamed(given) : undefined
  const password =
    action === 'add' || action === 'password' ? await askSecret(`password for ${name}`, usage) : undefined
  const path = `/users/${encodeURIComponent(name)}`
  switch (action) {
    case 'add':
      return { method: 'POST', path: '/users', body: JSON.stringify({ name, role, password }) }
    case 'password':
      return { method: 'PATCH', path, body: JSON.stringify({ password }) }
    case 'role':
      return { method: 'PATCH', path, body: JSON.stringify({ role }) }
    case 'remove':
      return { method: 'DELETE', path }
  }
}

function roleNamed(text: string | undefined): string {
  const role = roles.find((one) => one === text)
  if (role === undefined) throw new UsageError(`--role must be one of ${roles.join(', ')}`, usage)
  return role
}

/** At the first appliance only: whether a change that was not answered was made is for a person to find out. */
async function perform(values: ConnectionValues, request: Call): Promise<void> {
  const [target] = targetsOf(values, usage)
  if (target === undefined) return
  const answer = await call(target, request)
  if (answer.result === 'answer' && answer.status < 300) return
  const code = { answer: exit.refused, notSent: exit.unreachable, unknown: exit.unknown }[answer.result]
  throw new Ended(code, `${target.name}: ${reasonOf(answer)}`)
}

function printList(users: UserList['items']): void {
  printTable(
    ['name', 'role', 'made', 'by', 'last seen', 'browsers'],
    users.map(({ name, role, createdAt, createdBy = '', lastSeen, sessions }) => [
      name,
      role,
      localTime(createdAt),
      createdBy,
      lastSeen === undefined ? '' : localTime(lastSeen).slice(0, -3),
      String(sessions),
    ]),
  )
}

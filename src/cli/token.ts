/** twinline token: API tokens of an appliance, whether it runs or not. */
import { type Scope, scopes } from '#messages/operation.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { type Access, accessTokens, type TokenEntry, type Tokens } from './token-access.ts'

const usage = `twinline token create --config FILE [--name NAME] [--scope SCOPE ...]
twinline token list --config FILE
twinline token revoke ID --config FILE

  --name NAME      who it is for (default: cli)
  --scope SCOPE    ${scopes.join(', ')}; may be repeated (default: send and read)
  --json           print as JSON

create prints the token, alone, and it is shown this once only. With --config it works whether the appliance runs
or not; with --host it needs a token that has the scope admin.

${connectionUsage}`

const options = {
  ...connectionOptions,
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
} as const

export async function token(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, id, ...rest] = positionals
  if (rest.length > 0 || (id !== undefined && action !== 'revoke')) {
    throw new UsageError(`unexpected ${JSON.stringify(rest[0] ?? id)}`, usage)
  }
  const { name = 'cli', scope = ['send', 'read'], json = false } = values
  const wanted = scope.map(scopeNamed)
  const access = () => accessTokens(values, usage)
  switch (action) {
    case 'create': {
      const created = await use(await access(), (tokens) => tokens.create(name, wanted))
      if (json) printJson(created)
      else console.log(created.token)
      return exit.accepted
    }
    case 'list':
      printList(await use(await access(), (tokens) => tokens.list()), json)
      return exit.accepted
    case 'revoke': {
      if (id === undefined) throw new UsageError('which token? Give the id that token list shows', usage)
      const known = await use(await access(), (tokens) => tokens.revoke(id))
      if (!known) throw new Ended(exit.refused, `there is no token ${id}`)
      return exit.accepted
    }
    default:
      throw new UsageError('say what to do: create, list or revoke', usage)
  }
}

function scopeNamed(text: string): Scope {
  const scope = scopes.find((one) => one === text)
  if (scope === undefined) {
    throw new UsageError(`--scope ${JSON.stringify(text)} is not known; allowed: ${scopes.join(', ')}`, usage)
  }
  return scope
}

function printList(entries: readonly TokenEntry[], json: boolean): void {
  if (json) {
    printJson(entries)
    return
  }
  printTable(
    ['id', 'name', 'scopes', 'created', 'last used'],
    entries.map(({ id, name, scopes, createdAt, lastUsedAt }) => [
      id,
      name,
      scopes.join(' '),
      localTime(createdAt),
      // Noted to the minute.
      lastUsedAt === undefined ? 'never' : localTime(lastUsedAt).slice(0, -3),
    ]),
  )
}

async function use<T>(access: Access, action: (tokens: Tokens) => Promise<T>): Promise<T> {
  try {
    return await action(access.tokens)
  } finally {
    await access.close()
  }
}

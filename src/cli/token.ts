/**
 * twinline token: API tokens of an appliance, whether it runs or not. While it runs it is asked through its local
 * socket; while it is down the store is opened here.
 */
import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { CodedError } from '#core/errors.ts'
import type * as schemas from '#intake/http/schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { type Scope, scopes } from '#messages/operation.ts'
import type { Store } from '#store/contract.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { type Call, call, type Target } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { ask, localTarget, problemText, targetsOf } from './target.ts'

type Created = Shape<typeof schemas.createdToken>
type Entry = Shape<typeof schemas.tokenList>['items'][number]

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

/** The three things that can be done, over HTTP and on the store itself. */
interface Tokens {
  create(name: string, scopes: readonly Scope[]): Promise<Created>
  list(): Promise<Entry[]>
  /** @returns false when there is no such token */
  revoke(id: string): Promise<boolean>
}

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
  const access = () => accessOf(values)
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

function printList(entries: readonly Entry[], json: boolean): void {
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

interface Access {
  tokens: Tokens
  close(): Promise<void>
}

async function use<T>(access: Access, action: (tokens: Tokens) => Promise<T>): Promise<T> {
  try {
    return await action(access.tokens)
  } finally {
    await access.close()
  }
}

/** How long an appliance may hold its store before its local socket is there, ms. */
const STARTING_MS = 10_000

async function accessOf(values: Parameters<typeof targetsOf>[0]): Promise<Access> {
  if (values.config === undefined) return overHttp(targetsOf(values, usage))
  if (values.host !== undefined) throw new UsageError('give either --config or --host, not both', usage)
  const config = loadConfig(values.config)
  const deadline = performance.now() + STARTING_MS
  for (;;) {
    const local = localTarget(config.data)
    const probe = await call(local, { method: 'GET', path: '/tokens' })
    if (probe.result !== 'notSent') return overHttp([local])
    if (probe.code === 'EACCES') throw new Ended(exit.refused, probe.reason)
    try {
      return await onStore(config)
    } catch (error) {
      const starting = error instanceof CodedError && error.code === 'data-in-use'
      if (!starting || performance.now() > deadline) throw error
    }
    await pause(200)
  }
}

function overHttp(targets: readonly Target[]): Access {
  const post = (body: object): Call => ({ method: 'POST', path: '/tokens', body: JSON.stringify(body) })
  return {
    tokens: {
      create: (name, scopes) => ask<Created>(targets.slice(0, 1), post({ name, scopes })),
      list: async () => (await ask<{ items: Entry[] }>(targets, { method: 'GET', path: '/tokens' })).items,
      revoke: (id) => revokeAt(targets[0], id),
    },
    close: async () => {},
  }
}

async function revokeAt(target: Target | undefined, id: string): Promise<boolean> {
  if (target === undefined) return false
  const answer = await call(target, { method: 'DELETE', path: `/tokens/${encodeURIComponent(id)}` })
  if (answer.result === 'answer') {
    if (answer.status < 300) return true
    if (answer.status === 404) return false
    throw new Ended(exit.refused, `${target.name}: ${problemText(answer)}`)
  }
  throw new Ended(
    answer.result === 'unknown' ? exit.unknown : exit.unreachable,
    `${target.name}: ${answer.reason}`,
  )
}

async function onStore({ data, node, reserve }: Config): Promise<Access> {
  becomeOwnerOf(data)
  const { openStore } = await import('#store/sqlite.ts')
  const { createToken } = await import('#intake/http/tokens.ts')
  const store: Store = await openStore({ directory: data, node, reserve })
  const clock = systemClock(store.lastLogged)
  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    tokens: {
      async create(name, scopes) {
        const { token, record } = await createToken(store, clock, { name, scopes })
        return { id: record.id, name, scopes: [...scopes], createdAt: iso(record.createdAt), token }
      },
      list: async () =>
        (await store.tokens()).map(({ id, name, scopes, createdAt, lastUsedAt }) => ({
          id,
          name,
          scopes: [...scopes],
          createdAt: iso(createdAt),
          ...(lastUsedAt === undefined ? {} : { lastUsedAt: iso(lastUsedAt) }),
        })),
      revoke: (id) => store.revokeToken(id),
    },
    close: () => store.close(),
  }
}

/** Files that root made in the service's directory would keep the service from starting. */
function becomeOwnerOf(directory: string): void {
  const owner = statSync(directory, { throwIfNoEntry: false })
  if (owner === undefined || process.getuid?.() !== 0 || owner.uid === 0) return
  process.setgroups?.([owner.gid])
  process.setgid?.(owner.gid)
  process.setuid?.(owner.uid)
}

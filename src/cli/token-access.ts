/**
 * The API tokens of an appliance, however they can be reached: while it runs it is asked through HTTP or its local
 * socket, while it is down the store is opened here.
 */
import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { CodedError } from '#core/errors.ts'
import type * as schemas from '#intake/http/schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import type { Scope } from '#messages/operation.ts'
import type { Store } from '#store/contract.ts'
import { type Call, call, type Target } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { ask, type ConnectionValues, localTarget, problemText, targetsOf } from './target.ts'

type Created = Shape<typeof schemas.createdToken>
export type TokenEntry = Shape<typeof schemas.tokenList>['items'][number]

/** The three things that can be done, over HTTP and on the store itself. */
export interface Tokens {
  create(name: string, scopes: readonly Scope[]): Promise<Created>
  list(): Promise<TokenEntry[]>
  /** @returns false when there is no such token */
  revoke(id: string): Promise<boolean>
}

export interface Access {
  tokens: Tokens
  close(): Promise<void>
}

/** How long an appliance may hold its store before its local socket is there, ms. */
const STARTING_MS = 10_000

/** @throws UsageError, ConfigInvalid, Ended; CodedError when the store cannot be opened */
export async function accessTokens(values: ConnectionValues, usage: string): Promise<Access> {
  if (values.config === undefined)
    return { tokens: tokensOverHttp(targetsOf(values, usage)), close: async () => {} }
  if (values.host !== undefined) throw new UsageError('give either --config or --host, not both', usage)
  const config = loadConfig(values.config)
  const deadline = performance.now() + STARTING_MS
  for (;;) {
    const local = localTarget(config.data)
    const probe = await call(local, { method: 'GET', path: '/tokens' })
    if (probe.result !== 'notSent') return { tokens: tokensOverHttp([local]), close: async () => {} }
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

/** Through the API of an appliance that runs; needs the scope admin, or its local socket. */
export function tokensOverHttp(targets: readonly Target[]): Tokens {
  const post = (body: object): Call => ({ method: 'POST', path: '/tokens', body: JSON.stringify(body) })
  return {
    create: (name, scopes) => ask<Created>(targets.slice(0, 1), post({ name, scopes })),
    list: async () => (await ask<{ items: TokenEntry[] }>(targets, { method: 'GET', path: '/tokens' })).items,
    revoke: (id) => revokeAt(targets[0], id),
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

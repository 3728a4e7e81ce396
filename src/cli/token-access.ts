/**
 * The API tokens of an appliance, however they can be reached: while it runs it is asked through HTTP or its local
 * socket, while it is down the store is opened here.
 */
import { systemClock } from '#core/clock.ts'
import type { Shape } from '#intake/http/schemas.ts'
import type * as schemas from '#intake/http/token-schemas.ts'
import type { Scope } from '#messages/operation.ts'
import { type Call, call, type Target } from './client.ts'
import { Ended, exit } from './outcome.ts'
import { type OpenStore, reach } from './reach.ts'
import { ask, type ConnectionValues, problemText } from './target.ts'

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

/** @throws UsageError, ConfigInvalid, Ended; CodedError when the store cannot be opened */
export const accessTokens = (values: ConnectionValues, usage: string): Promise<Access> =>
  reach(values, usage, {
    running: (targets) => ({ tokens: tokensOverHttp(targets), close: async () => {} }),
    stopped: onStore,
  })

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

async function onStore(store: OpenStore): Promise<Access> {
  const { createToken } = await import('#intake/http/tokens.ts')
  const clock = systemClock(store.lastLogged)
  const iso = (ms: number) => new Date(ms).toISOString()
  /** The audit log, as the appliance writes it while it runs; number and hash are the store's. */
  const note = (what: string, text: string) =>
    store.operate({
      op: 'audit',
      record: { number: 0, at: clock.now(), who: 'local', what, text, hash: '' },
    })
  return {
    tokens: {
      async create(name, scopes) {
        const { token, record } = await createToken(store, clock, { name, scopes, by: 'local' })
        await note('token-created', `token ${record.id} (${name}) may ${scopes.join(', ')}`)
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
      async revoke(id) {
        const known = await store.revokeToken(id)
        if (known) await note('token-revoked', `token ${id} was revoked`)
        return known
      },
    },
    close: () => store.close(),
  }
}

/**
 * API tokens. A token is 256 random bits, so its plain SHA-256 is what the store keeps, and a look-up by that hash
 * tells nothing through its timing about any token that exists.
 *
 * The command line uses createToken() on the store itself when the service is down; the service uses Tokens.
 */
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'
import { newId } from '#core/ids.ts'
import type { Scope, TokenRecord } from '#messages/operation.ts'
import type { Store, TokenEntry } from '#store/contract.ts'

export interface NewToken {
  name: string
  scopes: readonly Scope[]
  /** Who makes it, as the audit log names people. */
  by?: string
}

/** What a token may do when nobody says otherwise. */
export const defaultScopes: readonly Scope[] = ['send', 'read']

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** @returns the token itself, which is kept nowhere, and its record */
export async function createToken(
  store: Pick<Store, 'createToken'>,
  clock: Clock,
  { name, scopes, by }: NewToken,
): Promise<{ token: string; id: string; record: TokenRecord }> {
  const token = `tl_${randomBytes(32).toString('base64url')}`
  const now = clock.now()
  const record: TokenRecord = {
    id: newId(now),
    name,
    hash: hashOf(token),
    scopes,
    createdAt: now,
    ...(by === undefined ? {} : { createdBy: by }),
  }
  await store.createToken(record)
  return { token, id: record.id, record }
}

export interface Tokens {
  /** Who presents this token; undefined when it is not known here. */
  find(token: string): TokenRecord | undefined
  /** As find(), after asking the store again: another process or member may have made the token. */
  findAnew(token: string): Promise<TokenRecord | undefined>
  create(token: NewToken): Promise<{ token: string; record: TokenRecord }>
  /** @returns false when there is no such token */
  revoke(id: string): Promise<boolean>
  list(): Promise<TokenEntry[]>
}

/** How long a token that another process or member revoked may still be taken for good, ms. */
const STALE_MS = 5_000
/** However many unknown tokens come, the store is asked once in this time, ms. */
const ANEW_MS = 100

export async function openTokens(store: Store, clock: Clock): Promise<Tokens> {
  let byHash = new Map<string, TokenRecord>()
  let loads = 0
  let loadedAt = 0
  let next: Promise<void> | undefined

  async function load(): Promise<void> {
    const turn = ++loads
    loadedAt = clock.monotonic()
    const entries = await store.tokens()
    // An answer that was overtaken by a later question may miss the change that the question was about.
    if (turn === loads) byHash = new Map(entries.map((entry) => [entry.hash, entry]))
  }

  async function loadSoon(): Promise<void> {
    await pause(Math.max(0, loadedAt + ANEW_MS - clock.monotonic()))
    // Whoever asks from here on needs a later look than this one.
    next = undefined
    // A store that cannot answer leaves the tokens as they were known.
    await load().catch(() => {})
  }

  /** Never rejects. */
  function refresh(): Promise<void> {
    next ??= loadSoon()
    return next
  }

  function find(token: string): TokenRecord | undefined {
    const record = byHash.get(hashOf(token))
    if (clock.monotonic() - loadedAt > STALE_MS) void refresh()
    if (record !== undefined) store.touchToken(record.id, clock.now())
    return record
  }

  await load()
  return {
    find,
    async findAnew(token) {
      await refresh()
      return find(token)
    },
    async create(request) {
      const created = await createToken(store, clock, request)
      await load()
      return created
    },
    async revoke(id) {
      const known = await store.revokeToken(id)
      await load()
      return known
    },
    list: () => store.tokens(),
  }
}

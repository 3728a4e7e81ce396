/**
 * The people who use the panel, as this member knows them: kept in memory, read anew when another member's change was
 * merged. Changes are made in turn, each upon the one before it, so that the last administrator stays one.
 */
import type { Clock } from '#core/clock.ts'
import type { Scope, UserRecord, UserRole } from '#messages/operation.ts'
import type { Store } from '#store/contract.ts'
import { hashPassword } from './passwords.ts'
import { Problem } from './problems.ts'

export const roleScopes: Record<UserRole, readonly Scope[]> = {
  viewer: ['read'],
  operator: ['read', 'send', 'operate'],
  admin: ['read', 'send', 'operate', 'admin'],
}

/** Capital and small letters are one name: phones begin every field with a capital. */
const userKey = (name: string): string => name.normalize('NFC').toLowerCase()

export interface NewUser {
  name: string
  password: string
  role: UserRole
  language?: string
}

export type UserChange = Partial<Omit<NewUser, 'name'>>

export interface Users {
  find(name: string): UserRecord | undefined
  list(): readonly UserRecord[]
  /** @throws Problem 409 `user-exists`, 409 `too-many-users` */
  create(user: NewUser, by: string): Promise<UserRecord>
  /** For the setup code: only while there is no user. @throws Problem 409 `setup-done` */
  createFirst(user: NewUser): Promise<UserRecord>
  /** @throws Problem 404 `user-unknown`, 409 `last-admin` */
  change(name: string, change: UserChange): Promise<UserRecord>
  /** @throws Problem 404 `user-unknown`, 409 `last-admin` */
  remove(name: string): Promise<UserRecord>
  /** Reads them anew: another member's change was merged. */
  refresh(): Promise<void>
}

const MOST_USERS = 500

export async function openUsers(
  store: Pick<Store, 'users' | 'saveUser' | 'removeUser'>,
  clock: Clock,
): Promise<Users> {
  let known = new Map<string, UserRecord>()
  let turn: Promise<unknown> = Promise.resolve()

  async function load(): Promise<void> {
    const users = await store.users()
    known = new Map(users.map((user) => [user.name, user]))
  }

  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = turn.then(action)
    turn = result.catch(() => {})
    return result
  }

  function named(name: string): UserRecord {
    const user = known.get(userKey(name))
    if (user === undefined)
      throw new Problem(404, 'user-unknown', 'there is no user with this name', { field: 'name' })
    return user
  }

  function keepAnAdmin(user: UserRecord): void {
    const others = [...known.values()].some((one) => one.role === 'admin' && one.name !== user.name)
    if (user.role === 'admin' && !others)
      throw new Problem(
        409,
        'last-admin',
        `${user.name} is the last administrator; make another one first, or nobody could change anything`,
        { values: { name: user.name } },
      )
  }

  async function make({ name, password, role, language }: NewUser, by: string): Promise<UserRecord> {
    const key = userKey(name)
    if (known.has(key))
      throw new Problem(409, 'user-exists', `there is a user ${key} already`, {
        field: 'name',
        values: { name: key },
      })
    if (known.size >= MOST_USERS)
      throw new Problem(409, 'too-many-users', `there are ${MOST_USERS} users, which is the most`, {
        values: { most: MOST_USERS },
      })
    const user: UserRecord = {
      name: key,
      role,
      password: await hashPassword(password),
      createdAt: clock.now(),
      createdBy: by,
      ...(language === undefined ? {} : { language }),
    }
    await store.saveUser(user)
    await load()
    return user
  }

  await load()
  return {
    find: (name) => known.get(userKey(name)),
    list: () => [...known.values()],
    create: (user, by) => inTurn(() => make(user, by)),
    createFirst: (user) =>
      inTurn(async () => {
        if (known.size > 0)
          throw new Problem(409, 'setup-done', 'there is a user already; log in as that one')
        return make(user, 'setup')
      }),
    change: (name, { password, role, language }) =>
      inTurn(async () => {
        const before = named(name)
        if (role !== undefined && role !== 'admin') keepAnAdmin(before)
        const user: UserRecord = {
          ...before,
          ...(role === undefined ? {} : { role }),
          ...(language === undefined ? {} : { language }),
          ...(password === undefined ? {} : { password: await hashPassword(password) }),
        }
        await store.saveUser(user)
        await load()
        return user
      }),
    remove: (name) =>
      inTurn(async () => {
        const user = named(name)
        keepAnAdmin(user)
        await store.removeUser(user.name)
        await load()
        return user
      }),
    refresh: load,
  }
}

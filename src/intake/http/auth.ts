/**
 * Who may do what: a bearer token with scopes (RFC 6750), a person's session with the scopes of their role, or the
 * box's own control socket, which may do everything. Runs before the body is read, so a stranger cannot make the
 * appliance read or parse anything.
 */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { roles, type Scope, type TokenRecord } from '#messages/operation.ts'
import { foreign, hasSession, loginOf } from './cookie.ts'
import { Problem, sendProblem } from './problems.ts'
import type { Login, Sessions } from './sessions.ts'
import type { Tokens } from './tokens.ts'
import { roleScopes, type Users } from './users.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The intake and who used it: `http:` and the token's name, `panel:` and the user's, or `local`. */
    source: string
    /** The person whose browser asks; null for everybody else. */
    login: Login | null
  }
}

export interface Access {
  tokens: Tokens
  users: Users
  sessions: Sessions
  /** Connections that came through the control socket. */
  local: WeakSet<Socket>
}

const wanted = new Problem(
  401,
  'token-missing',
  'this needs the header Authorization: Bearer TOKEN, or a login at the panel',
)
const unknown = new Problem(401, 'token-unknown', 'this token is not known here, or was revoked')
const over = new Problem(401, 'session-over', 'this login is over; log in again')

/** Who may administrate may do to lines, queue and roles what an operator may. */
const mayBy = (scopes: readonly Scope[], scope: Scope): boolean =>
  scopes.includes(scope) || (scope === 'operate' && scopes.includes('admin'))

/** A hook that lets a request through when its token or its person has the scope. Synchronous for all that are known. */
export function requires(
  scope: Scope,
  { tokens, sessions, local }: Pick<Access, 'tokens' | 'sessions' | 'local'>,
): onRequestHookHandler {
  const missing = new Problem(403, 'scope-missing', `this token does not have the scope ${scope}`, {
    field: 'Authorization',
    values: { scope },
  })
  const may = roles.filter((role) => roleScopes[role].includes(scope))
  const beyond = new Problem(403, 'role-missing', `this is for people with the role ${may.join(' or ')}`, {
    allowed: may,
  })

  function admit(
    record: TokenRecord | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
    done: () => void,
  ): void {
    if (record === undefined) sendProblem(reply, unknown)
    else if (!mayBy(record.scopes, scope)) sendProblem(reply, missing)
    else {
      request.source = `http:${record.name}`
      done()
    }
  }

  function admitPerson(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const login = loginOf(request, sessions)
    const refused = login === undefined ? over : foreign(request)
    if (login === undefined || refused !== undefined) sendProblem(reply, refused ?? over)
    else if (!mayBy(roleScopes[login.user.role], scope)) sendProblem(reply, beyond)
    else {
      request.login = login
      request.source = sourceOf(login)
      done()
    }
  }

  return (request, reply, done) => {
    if (local.has(request.raw.socket)) {
      // What another member sent on has its caller's name already.
      if (request.source === '') request.source = 'local'
      done()
      return
    }
    const token = bearerOf(request)
    if (token === undefined) {
      if (hasSession(request)) admitPerson(request, reply, done)
      else sendProblem(reply, wanted)
      return
    }
    const record = tokens.find(token)
    if (record !== undefined) admit(record, request, reply, done)
    else void tokens.findAnew(token).then((found) => admit(found, request, reply, done))
  }
}

/** Whether who was let in by requires() would be let in still: for what goes on after the answer began. */
export function mayStill(
  request: FastifyRequest,
  scope: Scope,
  { tokens, sessions, local }: Access,
): boolean {
  if (local.has(request.raw.socket)) return true
  if (request.login !== null) {
    const login = sessions.holds(request.login.session.id)
    return login !== undefined && mayBy(roleScopes[login.user.role], scope)
  }
  const token = bearerOf(request)
  const record = token === undefined ? undefined : tokens.find(token)
  return record !== undefined && mayBy(record.scopes, scope)
}

const bearerOf = ({ headers }: FastifyRequest): string | undefined =>
  /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1]

/** As messages and the audit log name a person. */
export const sourceOf = ({ user }: Login): string => `panel:${user.name}`

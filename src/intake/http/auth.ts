/**
 * Who may do what: a bearer token with scopes (RFC 6750), or the box's own control socket, which may do everything.
 * Runs before the body is read, so a stranger cannot make the appliance read or parse anything.
 */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Scope, TokenRecord } from '#messages/operation.ts'
import { Problem, sendProblem } from './problems.ts'
import type { Tokens } from './tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The intake and who used it: `http:` and the token's name, or `local`. */
    source: string
  }
}

export interface Access {
  tokens: Tokens
  /** Connections that came through the control socket. */
  local: WeakSet<Socket>
}

const wanted = new Problem(401, 'token-missing', 'this needs the header Authorization: Bearer TOKEN')
const unknown = new Problem(401, 'token-unknown', 'this token is not known here, or was revoked')

/** A hook that lets a request through when its token has the scope. Synchronous for every token that is known. */
export function requires(scope: Scope, { tokens, local }: Access): onRequestHookHandler {
  const missing = new Problem(403, 'scope-missing', `this token does not have the scope ${scope}`, {
    field: 'Authorization',
  })

  function admit(
    record: TokenRecord | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
    done: () => void,
  ): void {
    if (record === undefined) sendProblem(reply, unknown)
    else if (!record.scopes.includes(scope)) sendProblem(reply, missing)
    else {
      request.source = `http:${record.name}`
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
    const token = /^Bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) {
      sendProblem(reply, wanted)
      return
    }
    const record = tokens.find(token)
    if (record !== undefined) admit(record, request, reply, done)
    else void tokens.findAnew(token).then((found) => admit(found, request, reply, done))
  }
}

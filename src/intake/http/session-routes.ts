/**
 * Logging in and out, the own password, and the first-run setup. All of it is this very member's affair: a session is
 * written here and reaches the others through the log, so that people get in on whichever box still answers.
 */
import rateLimit from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserRecord } from '#messages/operation.ts'
import { applianceView } from './appliance-name.ts'
import { requires, sourceOf } from './auth.ts'
import { foreign, giveCookie, loginOf, takeCookie } from './cookie.ts'
import { doneByActive } from './forward.ts'
import * as schemas from './panel-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { isPassword } from './passwords.ts'
import { Problem } from './problems.ts'
import type { Shape } from './schemas.ts'
import { languageView } from './user-routes.ts'

type SessionView = Shape<typeof schemas.session>

/** Tries of one address, or one IPv6 network, in this time. */
const TRIES = 20
const TRIES_MS = 60_000

const slower = (seconds: number) =>
  new Problem(429, 'rate-limited', `too many tries from this address; go on in ${seconds} s`, {
    values: { seconds },
  })

const wrong = () => new Problem(401, 'wrong-password', 'name or password is wrong')

/** A page of another site may not log a browser in either; programs, which name no origin, may. */
function ownPage(request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  const refused = origin === undefined && site === undefined ? undefined : foreign(request)
  if (refused !== undefined) throw refused
}

export function sessionRoutes(api: Api, parts: Parts): void {
  const { access, log, records, pair, names, forward, setup } = parts
  const { users, sessions, local } = access
  const tags = ['session']
  // Unlike other routes, these want no token.
  const security: [] = []

  function view(request: FastifyRequest, user: UserRecord | undefined): SessionView {
    const members = pair?.control.members().map(({ node }) => ({ node, name: names.of(node) }))
    return {
      setup: setup.code() !== undefined,
      user: user === undefined ? null : selfView(user),
      appliance: applianceView(parts, request),
      pair: members === undefined || members.length < 2 ? null : { members },
    }
  }

  const from = ({ raw }: FastifyRequest): string => raw.socket.remoteAddress ?? 'this machine'

  async function logIn(request: FastifyRequest, reply: FastifyReply, user: UserRecord): Promise<void> {
    giveCookie(request, reply, await sessions.create(user))
  }

  api.get(
    '/session',
    {
      schema: {
        tags,
        security,
        summary: 'Who is logged in, and which appliance answers',
        response: { 200: schemas.session },
      },
    },
    async (request) => view(request, loginOf(request, sessions)?.user),
  )

  api.delete(
    '/session',
    {
      schema: {
        tags,
        security,
        summary: 'Log out: this browser, at every member',
        response: { 204: { type: 'null', description: 'Logged out' } },
      },
    },
    async (request, reply) => {
      const login = loginOf(request, sessions)
      if (login !== undefined) {
        const refused = foreign(request)
        if (refused !== undefined) throw refused
        await sessions.end(login.session.id)
        records?.audit.write(sourceOf(login), 'logout', `${login.user.name} logged out`)
      }
      takeCookie(request, reply)
      reply.code(204)
    },
  )

  void api.register((scope: Api, _options, done) => {
    void scope.register(rateLimit, {
      max: TRIES,
      timeWindow: TRIES_MS,
      keyGenerator: ({ raw }) => raw.socket.remoteAddress ?? '',
      allowList: ({ raw }) => local.has(raw.socket),
      errorResponseBuilder: (_request, { ttl }) => slower(Math.ceil(ttl / 1_000)),
    })
    // In a scope of its own, so that the limit is there before the routes are.
    void scope.register((limited: Api, _none, ready) => {
      limitedRoutes(limited)
      ready()
    })
    done()
  })

  function limitedRoutes(limited: Api): void {
    limited.post(
      '/session',
      {
        schema: {
          tags,
          security,
          summary: 'Log in; the answer sets the cookie of the session',
          body: schemas.login,
          response: { 200: schemas.session },
        },
      },
      async (request, reply) => {
        ownPage(request)
        const user = users.find(request.body.name)
        if (!(await isPassword(request.body.password, user?.password)) || user === undefined) {
          // A name that nobody has may be a password in the wrong field, so it is told to no log.
          const who = user === undefined ? 'an unknown name' : user.name
          log.warn({ from: from(request) }, 'a login was refused')
          records?.audit.write('panel', 'login-failed', `${who} was refused, from ${from(request)}`)
          throw wrong()
        }
        await logIn(request, reply, user)
        records?.audit.write(`panel:${user.name}`, 'login', `${user.name} logged in from ${from(request)}`)
        return view(request, user)
      },
    )

    limited.patch(
      '/session',
      {
        onRequest: requires('read', access),
        schema: {
          tags,
          security: [{ session: [] }],
          summary: 'The own password or language; a new password logs out everywhere else',
          body: schemas.ownChange,
          response: { 200: schemas.session },
        },
      },
      async (request, reply) => {
        const { login, body, source } = request
        if (login === null)
          throw new Problem(403, 'person-only', 'only somebody who is logged in has a password to change')
        const { password, language } = body
        if (password !== undefined && !(await isPassword(password.old, login.user.password))) {
          records?.audit.write(source, 'login-failed', `${login.user.name} gave a wrong old password`)
          throw new Problem(403, 'wrong-password', 'the old password is wrong', { field: 'password.old' })
        }
        const change = {
          ...(password === undefined ? {} : { password: password.new }),
          ...(language === undefined ? {} : { language }),
        }
        const user = await changeSelf(login.user, change, source)
        if (password !== undefined) {
          await sessions.endAll(user.name)
          await logIn(request, reply, user)
        }
        return view(request, user)
      },
    )

    async function changeSelf(
      user: UserRecord,
      change: { password?: string; language?: string },
      source: string,
    ): Promise<UserRecord> {
      const path = `/api/v1/users/${encodeURIComponent(user.name)}`
      const elsewhere = await doneByActive(forward, { method: 'PATCH', path, body: change, author: source })
      if (!elsewhere) {
        const changed = await users.change(user.name, change)
        const what = Object.keys(change).join(' and ')
        if (what !== '') records?.audit.write(source, 'user-changed', `${user.name}: new ${what}`)
        return changed
      }
      // What the active one wrote is on its way here.
      return { ...user, ...(change.language === undefined ? {} : { language: change.language }) }
    }

    limited.post(
      '/setup',
      {
        schema: {
          tags,
          security,
          summary: 'First run: the first administrator, with the code that the console and the log show',
          body: schemas.setup,
          response: { 200: schemas.session },
        },
      },
      async (request, reply) => {
        ownPage(request)
        const { code, name, password, appliance, language } = request.body
        if (setup.code() === undefined)
          throw new Problem(409, 'setup-done', 'there is a user already; log in as that one')
        if (!setup.fits(code)) {
          records?.audit.write('panel', 'login-failed', `a wrong setup code came from ${from(request)}`)
          throw new Problem(403, 'wrong-code', 'this is not the setup code that this appliance shows', {
            field: 'code',
          })
        }
        const user = await users.createFirst({
          name,
          password,
          role: 'admin',
          ...(language === undefined ? {} : { language }),
        })
        if (appliance !== undefined) await names.give(parts.node, appliance)
        await logIn(request, reply, user)
        records?.audit.write(
          `panel:${user.name}`,
          'user-created',
          `${user.name} is the first administrator, made with the setup code from ${from(request)}`,
        )
        return view(request, user)
      },
    )
  }
}

function selfView({ name, role, language }: UserRecord): NonNullable<SessionView['user']> {
  return { name, role, ...languageView(language) }
}

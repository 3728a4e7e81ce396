/**
 * The session's cookie (RFC 6265): not readable by scripts, and never sent along by other sites. Its name carries the
 * port of the listener, because cookies ignore ports and two appliances on one machine would log each other's browsers
 * out. A cookie that was set at another port of the same address counts too, so that a balancer may map ports.
 */
import { TLSSocket } from 'node:tls'
import cookiePlugin from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reading } from './allow.ts'
import type { Api } from './parts.ts'
import { Problem } from './problems.ts'
import type { Login, Sessions } from './sessions.ts'

const PREFIX = 'twinline_session'
/** Cookies that are looked at: each costs a hash. */
const MOST_COOKIES = 8

export async function readCookies(api: Api): Promise<void> {
  await api.register(cookiePlugin)
}

const presented = (request: FastifyRequest): string[] =>
  Object.entries(request.cookies)
    .flatMap(([name, value]) => (name.startsWith(PREFIX) && value !== undefined ? [value] : []))
    .slice(0, MOST_COOKIES)

export const hasSession = (request: FastifyRequest): boolean => presented(request).length > 0

export function loginOf(request: FastifyRequest, sessions: Pick<Sessions, 'find'>): Login | undefined {
  for (const secret of presented(request)) {
    const login = sessions.find(secret)
    if (login !== undefined) return login
  }
  return undefined
}

const attributes = ({ raw }: FastifyRequest) => ({
  path: '/',
  httpOnly: true,
  sameSite: 'strict' as const,
  secure: raw.socket instanceof TLSSocket,
})

const nameFor = ({ raw }: FastifyRequest): string => `${PREFIX}_${raw.socket.localPort ?? 0}`

export function giveCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  reply.setCookie(nameFor(request), secret, attributes(request))
}

export function takeCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameFor(request), attributes(request))
}

/**
 * Whether a request that a browser sends with its cookie was made by our own page. Browsers say so themselves
 * (Sec-Fetch-Site, on https and loopback) or name the page's origin with everything that changes something.
 * @returns undefined when it was
 */
export function foreign(request: FastifyRequest): Problem | undefined {
  if (reading.has(request.method)) return undefined
  const { origin, host, 'sec-fetch-site': site } = request.headers
  const own = site === undefined ? originHost(origin) === host && host !== undefined : site === 'same-origin'
  if (own) return undefined
  return new Problem(
    403,
    'cross-site',
    'another site than this panel asked for this; programs use a token instead of a cookie',
    { field: site === undefined ? 'Origin' : 'Sec-Fetch-Site' },
  )
}

function originHost(origin: string | undefined): string | undefined {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined
}

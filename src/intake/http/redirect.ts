/**
 * `pair.redirect`: a standby sends clients that want to change something to the active member, with a 307 (RFC 9110
 * 15.4.8), which keeps method and body. What concerns this very box is served here: its place in the pair and its lines.
 * So is a panel: its page may ask nobody else, and what it changes is sent on to the active member anyway (forward.ts).
 * Where no active member is known, everything is served here, so that a message is accepted rather than sent in circles.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { PairControl } from '#pair/control.ts'
import { reading } from './allow.ts'
import { hasSession } from './cookie.ts'
import type { Api } from './parts.ts'
import { Problem, sendProblem } from './problems.ts'

const ownAffairs =
  /^\/api\/v1\/(pair|lines|session|setup|appliance|own-configuration|restart|backup|restore|support)(\/|$)/

export function redirectToActive(
  api: Api,
  control: PairControl,
  standby: () => boolean,
  local: WeakSet<Socket>,
): void {
  api.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw
    const own = ownAffairs.test(request.routeOptions.url ?? '')
    if (own || hasSession(request) || reading.has(request.method) || local.has(socket) || !standby())
      return done()
    const places = control.activeAt()
    const scheme = socket instanceof TLSSocket ? 'https:' : 'http:'
    const place = places.find((each) => each.startsWith(scheme)) ?? places[0]
    if (place === undefined) return done()
    reply.header('location', place + request.url)
    sendProblem(
      reply,
      new Problem(307, 'redirected', 'this appliance is standing by; the active one is at Location'),
    )
  })
}

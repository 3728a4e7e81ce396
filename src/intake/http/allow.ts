/**
 * From where an appliance takes orders: `pair.allow.send` for messages, `pair.allow.configure` for everything else that
 * changes something. Judged by the address of the connection, never by a header, and before any token is looked at. What
 * only reads is open to every token; the box's own control socket may do everything. (`sync` is kept by the links.)
 */
import type { Socket } from 'node:net'
import { allowedBy } from '#config/networks.ts'
import type { AllowLists } from '#config/types.ts'
import type { Api } from './parts.ts'
import { Problem } from './problems.ts'

export const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @param local connections of the control socket */
export function checkAddresses(api: Api, allow: AllowLists, local: WeakSet<Socket>): void {
  const may = { send: allowedBy(allow.send), configure: allowedBy(allow.configure) }
  api.addHook('onRequest', (request, _reply, done) => {
    const { socket } = request.raw
    if (reading.has(request.method) || local.has(socket)) return done()
    // Who only looks logs in as well, and out; that changes nothing of the appliance.
    if (request.routeOptions.url === '/api/v1/session') return done()
    const list = request.routeOptions.url?.startsWith('/api/v1/messages') ? 'send' : 'configure'
    const address = socket.remoteAddress ?? ''
    if (may[list](address)) return done()
    const text = `${address} is in none of the networks of pair.allow.${list}`
    done(
      new Problem(403, 'address-not-allowed', text, {
        field: `pair.allow.${list}`,
        values: { address },
      }),
    )
  })
}

/** Starts and stops the HTTP intake: one interface behind a plain, a TLS and a local socket. */
import type { Socket } from 'node:net'
import type { Config } from '#config/types.ts'
import { localSocketPath } from '#core/local-socket.ts'
import { createApi } from './api.ts'
import { certificateFor } from './certificate.ts'
import { executeForwarded, type ForwardedAnswer, type ForwardedRequest } from './forward.ts'
import { type Listener, listenLocal, listenPlain, listenTls } from './listeners.ts'
import type { Services } from './parts.ts'
import { openTokens, type Tokens } from './tokens.ts'

export interface HttpOptions extends Services {
  config: Pick<Config, 'http' | 'https' | 'data' | 'compat'>
}

export interface HttpIntake {
  /** The URLs that clients can use, ports resolved; the control socket is not among them. */
  addresses: string[]
  /** The tokens as this intake knows them: changes made here hold at once. */
  tokens: Tokens
  /** Does what another member has sent here to be done by the active one. Never rejects. */
  execute(request: ForwardedRequest): Promise<ForwardedAnswer>
  /** Resets every connection to an address that is about to leave this machine. */
  reset(address: string): void
  /** Takes no more requests and lets running ones end. */
  stop(): Promise<void>
}

/**
 * The data directory must exist.
 * @throws CodedError when an address is taken or a certificate does not work; nothing stays open then
 */
export async function startHttp({ config, ...services }: HttpOptions): Promise<HttpIntake> {
  const local = new WeakSet<Socket>()
  const tokens = await openTokens(services.store, services.clock)
  const api = await createApi({ ...services, access: { tokens, local } }, config.compat)
  const listeners: Listener[] = []

  async function stop(): Promise<void> {
    await Promise.all(listeners.map((listener) => listener.close()))
    await api.close()
  }

  try {
    const { http, https, data } = config
    listeners.push(await listenLocal(localSocketPath(data), api.routing, local))
    if (http !== undefined) listeners.push(await listenPlain(http.listen, api.routing))
    if (https !== undefined) {
      const { listen, ...files } = https
      const pem = await certificateFor({ ...files, data, node: services.node })
      listeners.push(await listenTls(listen, pem, api.routing))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    addresses: listeners.slice(1).map(({ address }) => address),
    tokens,
    execute: (request) => executeForwarded(api, request),
    reset: (address) => {
      for (const listener of listeners) listener.reset(address)
    },
    stop,
  }
}

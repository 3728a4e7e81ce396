/** Starts and stops the HTTP intake: one interface behind a plain, a TLS and a local socket. */
import type { Socket } from 'node:net'
import type { Config } from '#config/types.ts'
import { localSocketPath } from '#core/local-socket.ts'
import type { Merged } from '#store/contract.ts'
import { createApi } from './api.ts'
import { openNames } from './appliance-name.ts'
import { certificateFor } from './certificate.ts'
import {
  executeForwarded,
  executeForwardedFile,
  type ForwardedAnswer,
  type ForwardedFile,
  type ForwardedRequest,
} from './forward.ts'
import { createHome } from './home.ts'
import { type Listener, listenLocal, listenPlain, listenTls } from './listeners.ts'
import { createLive, type LiveFeed } from './live.ts'
import type { Services } from './parts.ts'
import { openSessions } from './sessions.ts'
import { createSetup } from './setup.ts'
import { openTokens, type Tokens } from './tokens.ts'
import { openUsers } from './users.ts'

export interface HttpOptions extends Services {
  config: Pick<Config, 'http' | 'https' | 'data' | 'compat'>
}

export interface HttpIntake {
  /** The URLs that clients can use, ports resolved; the control socket is not among them. */
  addresses: string[]
  /** The tokens as this intake knows them: changes made here hold at once. */
  tokens: Tokens
  /** Told of everything that open panels show. */
  live: LiveFeed
  /** With which the first user is made; undefined once there is one. */
  setupCode(): string | undefined
  /** Another member's entries changed this. */
  merged(changed: Pick<Merged, 'users' | 'facts'>): Promise<void>
  /** Does what another member has sent here to be done by the active one. Never rejects. */
  execute(request: ForwardedRequest): Promise<ForwardedAnswer>
  /** As execute(), for what is answered by a file. */
  executeFile(request: ForwardedRequest): Promise<ForwardedFile | ForwardedAnswer>
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
  const { store, clock, log } = services
  const tokens = await openTokens(store, clock)
  const users = await openUsers(store, clock)
  const sessions = await openSessions(store, users, clock)
  const names = await openNames(store)
  const setup = createSetup(users)
  const home = createHome({ ...services, names })
  const live = createLive({ home, clock, log })
  const access = { tokens, users, sessions, local }
  const api = await createApi({ ...services, access, names, setup, home, live }, config.compat)
  const listeners: Listener[] = []

  async function stop(): Promise<void> {
    // They would not end by themselves.
    live.stop()
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
    live,
    setupCode: setup.code,
    async merged(changed) {
      if (changed.users) await users.refresh()
      if (changed.users) await sessions.refresh()
      if (changed.facts) await names.refresh()
    },
    execute: (request) => executeForwarded(api, request),
    executeFile: (request) => executeForwardedFile(api, request),
    reset: (address) => {
      for (const listener of listeners) listener.reset(address)
    },
    stop,
  }
}

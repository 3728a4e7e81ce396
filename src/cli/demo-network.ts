/**
 * The network of the demo, made of relays on loopback: the two cables between the boxes, which can be cut, and the
 * stand-in for the virtual IP, which leads to whichever box says that it is active.
 */
import { request } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface Place {
  host: string
  port: number
}

/** How often the stand-in asks the boxes for their role, ms. */
const ASK_MS = 50
const ASK_TIMEOUT_MS = 300

/** Passes connections on, as long as there is somewhere to pass them to. */
export class Relay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #to: Place | undefined

  constructor(to?: Place) {
    this.#to = to
    this.#server = createServer({ noDelay: true }, (near) => this.#join(near))
    this.#server.maxConnections = 200
  }

  async listen(at: Place): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(at, resolve)
    })
  }

  get to(): Place | undefined {
    return this.#to
  }

  /** Leads somewhere else from now on; connections that led elsewhere are reset, as those to a lost address are. */
  lead(to: Place | undefined): void {
    if (this.#to?.port === to?.port && this.#to?.host === to?.host) return
    this.#to = to
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(near: Socket): void {
    const to = this.#to
    if (!to) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ ...to, noDelay: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}

/** The stand-in for the virtual IP. */
export class CommonAddress {
  readonly #relay = new Relay()
  readonly #boxes: ReadonlyMap<string, Place>
  readonly #moved: (to: string | undefined, afterMs: number) => void
  #stopped = false
  #holder: string | undefined
  #since = performance.now()

  /** @param moved told who answers at the address from now on, and for how long nobody did */
  constructor(boxes: ReadonlyMap<string, Place>, moved: (to: string | undefined, afterMs: number) => void) {
    this.#boxes = boxes
    this.#moved = moved
  }

  async open(at: Place): Promise<void> {
    await this.#relay.listen(at)
    void this.#watch()
  }

  get holder(): string | undefined {
    return this.#holder
  }

  close(): void {
    this.#stopped = true
    this.#relay.close()
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const roles = await Promise.all(
        [...this.#boxes].map(async ([name, at]) => ({ name, at, active: await isActive(at) })),
      )
      const active = roles.filter(({ active }) => active)
      // Two at once only while the boxes cannot hear each other: then the address stays where it is.
      const holder = active.find(({ name }) => name === this.#holder) ?? active[0]
      if (holder?.name !== this.#holder) {
        const now = performance.now()
        this.#moved(holder?.name, now - this.#since)
        this.#holder = holder?.name
        this.#since = now
      }
      this.#relay.lead(holder?.at)
      await pause(ASK_MS)
    }
  }
}

function isActive(at: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ ...at, path: '/role', agent: false, timeout: ASK_TIMEOUT_MS }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    // A frozen box takes the connection and says nothing.
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

/** Members as they are: SQLite stores in directories of their own and TLS links on loopback, in one process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monotonic } from '../../../src/core/clock.ts'
import { newId } from '../../../src/core/ids.ts'
import { silent } from '../../../src/core/log.ts'
import { newDelivery } from '../../../src/messages/message.ts'
import { addressText } from '../../../src/pair/links/address.ts'
import { identityFor } from '../../../src/pair/links/certificate.ts'
import type { Identity, LinkMember, Links } from '../../../src/pair/links/contract.ts'
import { openLinks } from '../../../src/pair/links/links.ts'
import { type Replication, startReplication } from '../../../src/pair/replication/replication.ts'
import type { Acceptance } from '../../../src/store/contract.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { messageOf } from '../../messages/message-of.ts'

type OpenStore = Awaited<ReturnType<typeof openStore>>

export interface RealMember {
  node: string
  store: OpenStore
  replication: Replication
  links: Links
  alarms: string[]
  stop(): Promise<void>
}

export class RealPair {
  readonly members = new Map<string, RealMember>()
  readonly #directory: string
  readonly #identities = new Map<string, Identity>()

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async make(nodes: readonly string[]): Promise<RealPair> {
    const pair = new RealPair(await mkdtemp(join(tmpdir(), 'twinline-replication-')))
    for (const node of nodes) await pair.start(node)
    return pair
  }

  async start(node: string): Promise<RealMember> {
    const identity = await identityFor(join(this.#directory, node, 'pair'), node)
    this.#identities.set(node, identity)
    const store = await openStore({
      directory: join(this.#directory, node),
      node,
      reserve: 0,
      onFailure: (error) => {
        throw error
      },
    })
    const alarms: string[] = []
    const opened: Links[] = []
    const replication = await startReplication({
      store,
      openLinks: async (own) => {
        const links = await openLinks({
          node,
          identity,
          listen: { host: '127.0.0.1', port: 0 },
          interval: 200,
          onRefused: () => {},
          log: () => {},
          ...own,
        })
        opened.push(links)
        return links
      },
      members: [],
      clock: { monotonic },
      log: silent,
      events: { alarm: (code) => alarms.push(code) },
    })
    const [links] = opened
    if (!links) throw new Error('no links')
    const member: RealMember = {
      node,
      store,
      replication,
      links,
      alarms,
      stop: async () => {
        this.members.delete(node)
        await replication.stop()
        await store.close()
      },
    }
    this.members.set(node, member)
    this.#introduce()
    return member
  }

  member(node: string): RealMember {
    const member = this.members.get(node)
    if (!member) throw new Error(node)
    return member
  }

  async end(): Promise<void> {
    for (const member of [...this.members.values()]) await member.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }

  #introduce(): void {
    const all = [...this.members.values()].map(({ node, links }): LinkMember => {
      const fingerprint = this.#identities.get(node)?.fingerprint ?? ''
      return { node, fingerprint, addresses: [addressText(links.listening)] }
    })
    for (const { node, replication } of this.members.values()) {
      replication.setMembers(all.filter((other) => other.node !== node))
    }
  }
}

export function acceptance(text: string, recipients = 1): Acceptance {
  const at = Date.now()
  const message = messageOf({ id: newId(at), at, source: 'http:test', text })
  const deliveries = Array.from({ length: recipients }, (_, n) =>
    newDelivery(message, n, `+4917${String(10_000_000 + n)}`, 'sms', 1),
  )
  return { message, deliveries }
}

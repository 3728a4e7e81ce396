/**
 * Two or more appliances that can pair: real certificates and files in directories of their own, real TLS over loopback,
 * the real ceremony and membership. The store is a stand-in that keeps the members' records and nothing else.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { MemberRecord, Operation } from '#messages/operation.ts'
import { type Ceremony, createCeremony } from '#pair/ceremony/ceremony.ts'
import type { PairingKey } from '#pair/ceremony/pairing-key.ts'
import { identityFor } from '#pair/links/certificate.ts'
import type { Identity } from '#pair/links/contract.ts'
import { type Membership, openMembership } from '#pair/membership.ts'

/** What membership uses of the store. */
export function memberStore() {
  const members = new Map<string, MemberRecord>()
  const memory = new Map<string, string>()
  const operations: Operation[] = []
  return {
    operations,
    async operate(operation: Operation) {
      operations.push(operation)
      if (operation.op === 'member') members.set(operation.member.node, operation.member)
      if (operation.op === 'memberRemove') members.delete(operation.node)
      return true
    },
    members: async () => [...members.values()],
    remember: async (name: string, value: string) => {
      memory.set(name, value)
    },
    recall: async (name: string) => memory.get(name),
  }
}

export interface Box {
  node: string
  directory: string
  identity: Identity
  store: ReturnType<typeof memberStore>
  membership: Membership
  ceremony: Ceremony
  keys: PairingKey[]
  audited: { who: string; what: string; text: string }[]
  address: string
  /** Moves the clock that codes expire by, ms. */
  pass(ms: number): void
  /** Until something with this code is in the audit log. */
  until(what: string): Promise<string>
}

/** @param receive what takes joiners instead of the ceremony */
export async function box(
  node: string,
  options: { receive?: (socket: TLSSocket) => void; store?: ReturnType<typeof memberStore> } = {},
): Promise<Box> {
  const directory = await mkdtemp(join(tmpdir(), 'pair-'))
  const identity = await identityFor(directory, node)
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['mqtt', 'twinline-join/1'],
    },
    (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      const take = options.receive ?? ceremony.receive
      take(socket)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    ceremony.close()
    for (const socket of sockets) socket.destroy()
    server.close()
    await rm(directory, { recursive: true })
  })
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = options.store ?? memberStore()
  const own = { node, fingerprint: identity.fingerprint, guard: [address], log: [address], priority: 100 }
  const membership = await openMembership(store, own)
  let passed = 0
  const audited: Box['audited'] = []
  const keys: PairingKey[] = []
  let wake = () => {}
  const ceremony = createCeremony({
    identity,
    directory,
    membership,
    clock: { now: () => 1_000_000 + passed, monotonic: () => passed, trusted: () => true },
    audit(who, what, text) {
      audited.push({ who, what, text })
      wake()
    },
    onPairingKey: (key) => keys.push(key),
  })
  return {
    node,
    directory,
    identity,
    store,
    membership,
    ceremony,
    keys,
    audited,
    address,
    pass: (ms) => {
      passed += ms
    },
    async until(what) {
      for (;;) {
        const found = audited.find((each) => each.what === what)
        if (found !== undefined) return found.text
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

export const nodes = (members: readonly MemberRecord[]): string[] => members.map(({ node }) => node).sort()

/**
 * What people call each member, and where this one is. Names are remembered facts, so every member knows all of them;
 * the address is the appliance's own even when it was reached by a common one, so that who looks at that one sees which
 * box answers.
 */

import { networkInterfaces } from 'node:os'
import type { FastifyRequest } from 'fastify'
import type { Role } from '#pair/contract.ts'
import type { Store } from '#store/contract.ts'
import type { PairService } from './pair-routes.ts'
import type { session } from './panel-schemas.ts'
import type { Shape } from './schemas.ts'

export type ApplianceView = Shape<typeof session>['appliance']

const PREFIX = 'appliance-name:'

export interface ApplianceNames {
  /** The node where nobody gave a name. */
  of(node: string): string
  give(node: string, name: string): Promise<void>
  refresh(): Promise<void>
}

export async function openNames(store: Pick<Store, 'facts' | 'remember'>): Promise<ApplianceNames> {
  let names = new Map<string, string>()
  async function refresh(): Promise<void> {
    const facts = await store.facts(PREFIX)
    names = new Map(facts.map(({ name, value }) => [name.slice(PREFIX.length), value]))
  }
  await refresh()
  return {
    of: (node) => names.get(node) ?? node,
    async give(node, name) {
      await store.remember(PREFIX + node, name)
      names.set(node, name)
    },
    refresh,
  }
}

/** Of IPv4 in a socket for both families (RFC 4291 2.5.5.2). */
const plain = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '')

/** Where a request reached this appliance, and its own address there: another one of the interface with a common one. */
function addressesOf(
  { raw }: FastifyRequest,
  pair: PairService | undefined,
): { reached: string; own: string } {
  const reached = plain(raw.socket.localAddress)
  const common = pair?.config.vip?.address
  return { reached, own: reached !== '' && reached === common ? besides(common) : reached }
}

/** An address with a label of its own, as the guard adds the common one, is listed under that: `eth0:twinline`. */
const interfaceOf = (name: string): string => name.split(':')[0] ?? name

function besides(common: string): string {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, family }) => ({ address, family, at: interfaceOf(name) })),
  )
  const here = all.find(({ address }) => address === common)
  const own = all.find(
    ({ address, family, at }) =>
      at === here?.at && family === here.family && address !== common && !address.startsWith('fe80:'),
  )
  return own?.address ?? common
}

/** On every answer: which member it came from, and its own address. */
export const answeredBy = (
  { node, pair }: Pick<ApplianceParts, 'node' | 'pair'>,
  request: FastifyRequest,
): string => `${node} ${addressesOf(request, pair).own}`.trim()

export interface ApplianceParts {
  node: string
  version: string
  names: ApplianceNames
  pair?: PairService
}

/** The role in the pair; `single` where there is none. */
export const roleOf = (pair: PairService | undefined): Role => pair?.control.status().role.role ?? 'single'

export function applianceView(
  { node, version, names, pair }: ApplianceParts,
  request: FastifyRequest,
): ApplianceView {
  const { reached, own } = addressesOf(request, pair)
  return {
    node,
    name: names.of(node),
    address: own,
    reached,
    role: roleOf(pair),
    version,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
}

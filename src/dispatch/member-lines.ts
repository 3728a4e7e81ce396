/**
 * What the lines of the other members send: each member says it in a fact (`lines:NODE`), so that a fax is taken where
 * no fax line is, and refused where nobody has one.
 */
import type { LineConfig } from '#config/types.ts'
import type { Channel } from '#messages/message.ts'
import type { Store } from '#store/contract.ts'
import { channelOfKind } from './routing.ts'

export interface MemberLines {
  /** Some other member has a line for it. */
  serve(channel: Channel): boolean
  /** What members say has changed. */
  refresh(): Promise<void>
}

const PREFIX = 'lines:'

export async function createMemberLines(parts: {
  node: string
  lines: readonly LineConfig[]
  store: Pick<Store, 'remember' | 'recall' | 'facts'>
  /** The names of the other members. */
  others(): readonly string[]
}): Promise<MemberLines> {
  const { node, lines, store, others } = parts
  const own = [...new Set(lines.map(({ kind }) => channelOfKind[kind]))].sort().join(' ')
  if ((await store.recall(`${PREFIX}${node}`)) !== own) await store.remember(`${PREFIX}${node}`, own)
  let said = new Map<string, readonly string[]>()

  async function refresh(): Promise<void> {
    const facts = await store.facts(PREFIX)
    said = new Map(facts.map(({ name, value }) => [name.slice(PREFIX.length), value.split(' ')]))
  }
  await refresh()

  return {
    refresh,
    serve: (channel) => others().some((other) => said.get(other)?.includes(channel) === true),
  }
}

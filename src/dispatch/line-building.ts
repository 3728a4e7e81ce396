/**
 * The lines of an appliance with what they need: profiles of modems, and where there is fax, the documents, here and on
 * the other members. What is not configured is not loaded.
 */
import { documentDefaults } from '#config/documents.ts'
import type { Config } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import { RENDER_TOPIC } from '#fax/documents/elsewhere.ts'
import type { Fax } from '#fax/fax.ts'
import { PAGES_TOPIC, type PagePeers } from '#fax/page-copies.ts'
import type { Line, LineEvents } from '#lines/contract.ts'
import { loadProfiles } from '#lines/profile.ts'
import type { InboundPart } from '#messages/inbound.ts'
import { createDocumentExchange, DOCUMENT_TOPIC, type DocumentExchange } from '#pair/documents.ts'
import type { Pair } from '#pair/pair.ts'
import { createGsmLine } from '#sms/gsm-line.ts'
import type { Store } from '#store/contract.ts'
import { DocumentStore, noPeers } from '#store/documents.ts'

export interface LineParts {
  config: Pick<Config, 'node' | 'data' | 'lines' | 'documents'>
  /** Directory of modem profiles. */
  profiles: string
  pair?: Pick<Pair, 'others' | 'connected' | 'members' | 'role' | 'replication'> | undefined
  store: Store
  clock: Clock
  log: Log
  /** Free space, in bytes, that is to stay. */
  reserve(): number
  events: LineEvents
  receive(part: Omit<InboundPart, 'node'>, node?: string): Promise<void>
}

export interface BuiltLines {
  /** Not started yet. */
  lines: Line[]
  /** Absent on an appliance that stands alone and has no fax line. */
  fax?: Fax
  exchange?: DocumentExchange
  stop(): Promise<void>
}

export async function buildLines(parts: LineParts): Promise<BuiltLines> {
  const { config, pair, store, clock, log, reserve, events, receive } = parts
  const profiles = loadProfiles(parts.profiles)
  // A member without a fax line keeps the documents of the others all the same.
  const wanted = config.lines.some(({ kind }) => kind === 'fax') || pair !== undefined
  const stored = wanted ? await DocumentStore.open({ directory: config.data, reserve }) : undefined
  const exchange =
    pair &&
    stored &&
    createDocumentExchange({
      documents: stored,
      store,
      connected: () => pair.others().filter((node) => pair.connected(node)),
      available: () => pair.replication.available(),
      request: (...question) => pair.replication.request(...question),
      log,
    })
  if (pair && exchange) pair.replication.handle(DOCUMENT_TOPIC, exchange.answer)
  const peers =
    pair &&
    ({
      connected: () => pair.others().filter((node) => pair.connected(node)),
      available: () => pair.replication.available(),
      request: (to, body, deadlineMs) => pair.replication.request(to, PAGES_TOPIC, body, deadlineMs),
      standing: (node) => standingOf(pair, node),
    } satisfies PagePeers)
  const fax =
    stored &&
    (await import('#fax/fax.ts')).startFax({
      directory: config.data,
      stored,
      peers: exchange ?? noPeers,
      pagePeers: peers,
      renderers: peers && {
        connected: peers.connected,
        request: (to, body, deadlineMs) => pair.replication.request(to, RENDER_TOPIC, body, deadlineMs),
      },
      limits: config.documents ?? documentDefaults,
      profiles: parts.profiles,
      node: config.node,
      lines: config.lines.some(({ kind }) => kind === 'fax'),
      others: () => pair?.others() ?? [],
      store,
      clock,
      log,
      receive,
    })
  if (pair && fax?.takePages) pair.replication.handle(PAGES_TOPIC, fax.takePages)
  const render = fax?.documents.render
  if (pair && render) pair.replication.handle(RENDER_TOPIC, (_from, body) => render(body))
  const options = { node: config.node, clock, log, events, memory: store }
  const lines = config.lines.flatMap((line): Line[] => {
    if (line.kind === 'gsm') return [createGsmLine(line, { ...options, profiles })]
    return fax ? [fax.line(line, options)] : []
  })
  return {
    lines,
    ...(fax ? { fax } : {}),
    ...(exchange ? { exchange } : {}),
    async stop() {
      // Or a fax whose pages are being made would hold up the end until they are.
      fax?.documents.stop()
      await Promise.all(lines.map((line) => line.stop()))
      fax?.stop()
      await exchange?.stop()
    },
  }
}

/** Whose business the pages are that another member has received: its own while it lives, then the active member's. */
function standingOf(
  { connected, role, members }: Pick<Pair, 'connected' | 'role' | 'members'>,
  node: string,
): ReturnType<PagePeers['standing']> {
  const signal = members().find((member) => member.node === node)?.signal
  if (connected(node) || signal === 'LIVE') return 'here'
  const own = role().role
  if (own !== 'active' && own !== 'single') return 'not-ours'
  return signal === 'DEAD' ? 'lost' : 'away'
}

/** The parts of documents/ put together: what comes in, what goes out, and what is removed when nobody needs it. */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'
import type { Store } from '#store/contract.ts'
import type { DocumentPeers, DocumentStore } from '#store/documents.ts'
import { createAbility } from './ability.ts'
import { createWorkshop } from './apart.ts'
import type { FaxDocuments } from './contract.ts'
import { createCounting } from './counting.ts'
import type { RenderPeers } from './elsewhere.ts'
import { createGhostscript, type GhostscriptLimits, ghostscriptLimits } from './ghostscript.ts'
import { createPages } from './pages.ts'
import { createTakers } from './takers.ts'
import { createTaking, type DocumentLimits } from './taking.ts'

/** Looked for documents that nobody needs any more. */
const SWEEP_MS = 600_000
const SWEPT_AT_A_TIME = 200
/** How long looking at a document, and making it ready, may take. */
const LOOK_MS = 30_000
const MAKE_MS = 60_000

export interface FaxDocumentsParts {
  documents: DocumentStore
  peers: DocumentPeers
  store: Pick<Store, 'remember' | 'recall' | 'facts' | 'documentsInUse'>
  node: string
  /** This member has a fax line. */
  lines: boolean
  /** The names of the other members. */
  others(): readonly string[]
  limits: DocumentLimits
  /** Absent on an appliance that stands alone. */
  renderers?: RenderPeers | undefined
  clock: Clock
  log: Log
  ghostscript?: GhostscriptLimits
}

export interface RunningFaxDocuments extends FaxDocuments {
  /** For the topic RENDER_TOPIC: another member lacks what it takes. Absent on an appliance that stands alone. */
  render?(body: string): Promise<Answer>
  stop(): void
}

export function createFaxDocuments(parts: FaxDocumentsParts): RunningFaxDocuments {
  const { documents, peers, store, limits, clock } = parts
  const log = parts.log.child({ part: 'documents' })
  // What is looked at has a client that waits: it does not stand behind a long letter that is being made ready.
  const [reception, workshop] = [createWorkshop(LOOK_MS), createWorkshop(MAKE_MS)]
  const ghostscript = createGhostscript(parts.ghostscript ?? ghostscriptLimits)
  const ability = createAbility({
    node: parts.node,
    wanted: parts.lines,
    others: parts.others,
    ghostscript,
    store,
    log,
  })
  ability.start()
  const { pages, find, picture, render, stop } = createPages({
    documents,
    peers,
    workshop,
    ghostscript,
    ability,
    facts: store,
    limits,
    renderers: parts.renderers,
    log,
  })
  const takers = createTakers({
    needed: async (hash) => (await store.documentsInUse([hash])).length > 0,
    remove: (hash) => documents.remove(hash),
  })
  const counting = createCounting({
    ghostscript,
    ability,
    documents,
    find,
    takers,
    peers: parts.renderers,
  })
  const { take } = createTaking({
    documents,
    peers,
    workshop: reception,
    counting,
    takers,
    ability,
    limits,
    log,
  })
  const timer = setInterval(() => void sweep(), SWEEP_MS)

  async function sweep(): Promise<void> {
    // By a wrong date everything would be old.
    if (!clock.trusted()) return
    try {
      const removed = await documents.sweep(clock.now(), store.documentsInUse, SWEPT_AT_A_TIME)
      if (removed > 0) log.info({ removed }, 'documents were removed that no message refers to any more')
    } catch (error) {
      log.error({ error: errorText(error) }, 'documents could not be looked through')
    }
  }

  return {
    take,
    pages,
    find,
    picture,
    ...(render ? { render: async (body: string) => (await counting.answer(body)) ?? render(body) } : {}),
    troubles: ability.troubles,
    stop() {
      clearInterval(timer)
      stop()
      counting.stop()
      ability.stop()
      reception.stop()
      workshop.stop()
      ghostscript.stop()
    },
  }
}

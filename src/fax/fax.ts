/** The parts of fax put together: documents, received calls, and the lines that use them. */
import { join } from 'node:path'
import type { FaxLineConfig } from '#config/types.ts'
import type { Clock } from '#core/clock.ts'
import { CodedError } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { InboundPart } from '#messages/inbound.ts'
import type { DocumentReference } from '#messages/message.ts'
import type { Store } from '#store/contract.ts'
import type { DocumentPeers, DocumentStore } from '#store/documents.ts'
import { createFaxDocuments, type RunningFaxDocuments } from './documents/documents.ts'
import type { RenderPeers } from './documents/elsewhere.ts'
import type { DocumentLimits } from './documents/taking.ts'
import { createFaxLine, type FaxLine, type FaxLineOptions } from './fax-line.ts'
import { createPageCopies, type PageCopies, type PagePeers } from './page-copies.ts'
import { loadFaxProfiles } from './profile.ts'
import { pdfOf } from './received-pdf.ts'
import { createFaxReceiver } from './receiving.ts'

export interface FaxOptions {
  /** The data directory. */
  directory: string
  /** The files of documents, here and on the other members. */
  stored: DocumentStore
  peers: DocumentPeers
  limits: DocumentLimits
  /** Directory of modem profiles. */
  profiles: string
  node: string
  /** This member has a fax line. */
  lines: boolean
  /** The names of the other members. */
  others(): readonly string[]
  /** Absent on an appliance that stands alone. */
  pagePeers?: PagePeers | undefined
  renderers?: RenderPeers | undefined
  store: Pick<Store, 'remember' | 'recall' | 'facts' | 'documentsInUse' | 'received'>
  clock: Clock
  log: Log
  /** Resolves when the entry is in the inbox. @param node the member that received it, where that is another one */
  receive(part: Omit<InboundPart, 'node'>, node?: string): Promise<void>
}

export interface Fax {
  documents: RunningFaxDocuments
  /** A line that is not started yet. */
  line(config: FaxLineConfig, options: Omit<FaxLineOptions, 'documents' | 'receiver' | 'profiles'>): FaxLine
  /** The pages of a received fax. @throws CodedError `document-away`, `pdf-not-made` */
  pdf(document: DocumentReference): Promise<Buffer>
  /** For the topic PAGES_TOPIC: pages that another member receives. Absent on an appliance that stands alone. */
  takePages?: PageCopies['answer']
  stop(): void
}

export function startFax(options: FaxOptions): Fax {
  const { directory, stored, peers, pagePeers, limits, store, clock, log, receive } = options
  const { node, lines, others, renderers } = options
  const documents = createFaxDocuments({
    documents: stored,
    peers,
    store,
    limits,
    node,
    lines,
    others,
    renderers,
    clock,
    log,
  })
  const incoming = join(directory, 'fax-incoming')
  const copies = pagePeers && createPageCopies(incoming, pagePeers, log)
  const receiver = createFaxReceiver({
    directory: incoming,
    clock,
    log,
    documents: stored,
    peers,
    receive,
    ...(pagePeers && copies
      ? { pair: { copies, standing: pagePeers.standing, received: store.received } }
      : {}),
  })
  receiver.start()
  const profiles = lines ? loadFaxProfiles(options.profiles) : []
  return {
    documents,
    line: (config, more) => createFaxLine(config, { ...more, documents, receiver, profiles }),
    async pdf(document) {
      const path = await documents.find(document)
      if (path === undefined)
        throw new CodedError('document-away', 'no member that can be reached has the pages of this fax')
      return pdfOf(path)
    },
    ...(copies ? { takePages: copies.answer } : {}),
    stop() {
      receiver.stop()
      documents.stop()
    },
  }
}

/** One message of each kind, as golden/ holds them. A new version gets a list of its own; these never change. */
import type { Message } from '../../../src/pair/replication/messages.ts'

const position = { origin: 'box-a', incarnation: '1b4e28ba-2fa1-4d2e-883f-0016d3cca427', sequence: 4711 }
const old = { origin: 'box-b', incarnation: '6fa459ea-ee8a-4ca4-894e-db77e160355e', sequence: 12 }
const session = '9a3c1e70-6d0b-4b51-9c8e-0d5d2f1b7a11'

const entry = {
  term: { counter: 3, node: 'box-a' },
  clock: 90_210,
  at: 1_795_262_400_000,
  operation: { op: 'somethingNewer', text: 'Tür 7 öffnet – "ja"\nnein' },
}

export const version1: Record<string, Message> = {
  hello: {
    kind: 'hello',
    session,
    min: 1,
    current: 1,
    incarnation: position.incarnation,
    heard: '0c8a7e02-5c0e-4a55-8a39-1d6f0d4b9e22.1',
    ask: false,
    complete: true,
    positions: [position, old],
  },
  'hello-first': {
    kind: 'hello',
    session,
    min: 1,
    current: 1,
    incarnation: position.incarnation,
    ask: true,
    complete: false,
    positions: [],
  },
  have: { kind: 'have', session, positions: [old] },
  push: {
    kind: 'push',
    session,
    round: 2,
    batch: {
      origin: position.origin,
      incarnation: position.incarnation,
      from: 4710,
      count: 2,
      entries: JSON.stringify([entry, entry]),
    },
  },
  'ack-merged': { kind: 'ack', session, round: 2, position, state: 'merged' },
  'ack-gap': { kind: 'ack', session, round: 0, position, state: 'gap' },
  'ack-hold': { kind: 'ack', session, round: 0, position, state: 'hold' },
  'ack-problem': { kind: 'ack', session, round: 7, position, state: 'problem', problem: 'the disk is full' },
  want: { kind: 'want', session, position: old },
  trimmed: { kind: 'trimmed', session, position: old },
  'snapshot-want': { kind: 'snapshotWant', session, id: 1 },
  'snapshot-left': { kind: 'snapshotLeft', session, id: 1 },
  'snapshot-refused': { kind: 'snapshotRefused', session, id: 1, reason: 'it is not complete itself' },
  page: { kind: 'page', session, id: 1, index: 3, page: '{"kind":"token","rows":[["x","{}"]]}' },
  'page-ack': { kind: 'pageAck', session, id: 1, index: 3 },
  'snapshot-end': { kind: 'snapshotEnd', session, id: 1, pages: 4, positions: [position, old] },
}

/**
 * A member's side of the witness, for the guard: asks with a deadline and never throws. Nothing here touches the disk
 * once the witness is pinned, and nothing is decided here: what a missing answer means is the role machine's business.
 *
 * The span that a grant is worth runs from `sentAt`, the moment before its question left, not from the answer: the
 * witness counts from when it read the question, which is later, so the member's count always ends first.
 */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import type { Listen } from '#config/types.ts'
import { errorText } from '#core/errors.ts'
import type { Term } from '#messages/operation.ts'
import { type Pin, pinFile, pinOf, readPin, writePin } from './pin.ts'
import {
  exportKey,
  type Fields,
  newNonce,
  numberOf,
  openPacket,
  type Packet,
  provesAnswer,
  readPacket,
  requestPacket,
  seal,
  termFields,
  termOf,
  textOf,
} from './wire.ts'

export interface WitnessClientOptions {
  address: Listen
  /** What the members share since the first invitation. */
  pairingKey: { id: string; key: string }
  node: string
  /** Where the pin is kept; must exist. */
  directory: string
  /** Monotonic, ms. */
  now: () => number
  /** For the audit log: the first contact, a witness with another key. Each code is told once until it changes. */
  onEvent?: (what: string, text: string) => void
}

export interface WitnessAnswer {
  /** `silent`: no answer within the deadline that the pinned key proves. */
  result: 'granted' | 'refused' | 'silent'
  /** When the question left that was answered (of a silent witness: the first one), on the clock of `now`. */
  sentAt: number
  roundTripMs: number
  /** Why it was refused, a documented code. */
  reason?: string
  /** Who holds the grant. */
  holder?: string
  /** The highest term that the witness granted, of a refusal. */
  highest?: Term
  /** When asking again may help, ms from now. */
  leftMs?: number
}

export interface WitnessClient {
  /** The active's right to go on. @param grantWait as in the profile, ms */
  renew(term: Term, grantWait: number): Promise<WitnessAnswer>
  /**
   * A member that wants to become active with this term.
   * @param released the holder told this member that it gave this term up, so its grant need not be waited out
   */
  ask(term: Term, grantWait: number, released?: Term): Promise<WitnessAnswer>
  release(term: Term): Promise<WitnessAnswer>
  /** Whether the witness is there and knows this pair; changes nothing. `granted` means yes. */
  look(): Promise<WitnessAnswer>
  close(): void
}

/** How long each kind of question waits, and how often it is said again within that time, ms. */
const patience = {
  renew: { deadline: 150, again: 60 },
  ask: { deadline: 400, again: 100 },
  release: { deadline: 150, again: 50 },
  look: { deadline: 400, again: 100 },
} as const
type Kind = keyof typeof patience

/** Between two tries to meet a witness that is not pinned or does not know us, ms. */
const MEET_AGAIN_MS = 1_000
/** A name is looked up again after so long without an answer, ms. */
const LOOKUP_AGAIN_MS = 10_000
/** Questions under way at a time; a renewal four times a second leaves one or two. */
const MOST_WAITING = 64

export function createWitnessClient(options: WitnessClientOptions): WitnessClient {
  const { address, pairingKey, node, directory, now } = options
  const file = pinFile(directory, address)
  const life = randomBytes(8).toString('base64url')
  const waiting = new Map<string, (packet: Packet) => void>()
  const met = new Set<() => void>()
  let lastEvent = ''
  let pin: Pin | undefined
  let refusal: string | undefined
  let session = 1
  let counter = 0
  let target = isIP(address.host) === 0 ? undefined : address.host
  let lookedUpAt = Number.NEGATIVE_INFINITY
  let closed = false

  const socket = createSocket({ type: isIP(address.host) === 6 ? 'udp6' : 'udp4' })
  socket.on('error', () => {})
  socket.on('message', (bytes) => {
    const packet = readPacket(bytes)
    const nonce = packet && textOf(packet.fields, 'nonce')
    if (packet !== undefined && nonce !== undefined) waiting.get(nonce)?.(packet)
  })
  const meetTimer = setInterval(meet, MEET_AGAIN_MS)

  try {
    pin = readPin(file)
  } catch (error) {
    // Taken for a witness with another key: to trust whoever answers next would be to trust anybody.
    refusal = 'witness-key-changed'
    event(refusal, `${file} cannot be used: ${errorText(error)}; remove it to meet the witness anew`)
  }
  meet()

  function event(what: string, text: string): void {
    if (lastEvent === what) return
    lastEvent = what
    options.onEvent?.(what, text)
  }

  function send(bytes: Buffer): void {
    if (closed) return
    if (target === undefined) {
      resolveName()
      return
    }
    // A network that is gone is an error at once; it counts like a lost datagram.
    socket.send(bytes, address.port, target, () => {})
  }

  function resolveName(): void {
    if (isIP(address.host) !== 0 || now() - lookedUpAt < LOOKUP_AGAIN_MS) return
    lookedUpAt = now()
    lookup(address.host, { family: 4 }, (error, found) => {
      if (error === null) target = found
    })
  }

  /** Waits for the answer to one packet; the returned function ends the wait. */
  function expect(nonce: string, take: (packet: Packet) => void): () => void {
    if (waiting.size < MOST_WAITING) waiting.set(nonce, take)
    return () => waiting.delete(nonce)
  }

  function knows(): boolean {
    return pin?.pair === pairingKey.id
  }

  /** First contact, one step at a time: learn the keys and pin them, then hand over the pair's key. */
  function meet(): void {
    if (closed || knows() || (pin === undefined && refusal !== undefined)) return
    const nonce = newNonce()
    const asked = pin
    const done = expect(nonce, asked === undefined ? learn : (packet) => confirmed(packet, asked))
    setTimeout(done, MEET_AGAIN_MS)
    if (asked === undefined) {
      send(openPacket({ kind: 'hello', nonce }))
    } else {
      const sealed = seal(JSON.stringify({ pair: pairingKey.id, key: pairingKey.key }), asked.exchange, nonce)
      send(openPacket({ kind: 'enrol', nonce, ...sealed }))
    }
  }

  function learn(packet: Packet): void {
    const found = pinOf(packet.fields)
    if (pin !== undefined || found === undefined || !provesAnswer(packet, found.signing)) return
    pin = found
    meet()
  }

  function confirmed(packet: Packet, asked: Pin): void {
    if (!provesAnswer(packet, asked.signing)) {
      changed()
      return
    }
    if (knows()) return
    if (packet.fields['result'] === 'granted') {
      refusal = undefined
      pin = { ...asked, pair: pairingKey.id }
      event('witness-met', `the witness ${address.host} has the key ${exportKey(asked.signing)}`)
      writePin(file, pin).catch((error: unknown) =>
        event('witness-pin', `${file} cannot be written: ${errorText(error)}`),
      )
    } else {
      refusal = textOf(packet.fields, 'reason') ?? 'witness-refused'
      event(refusal, `the witness ${address.host} refuses this pair (${refusal})`)
    }
    for (const told of [...met]) told()
  }

  function changed(): void {
    event(
      'witness-key-changed',
      `somebody at ${address.host} answers for the witness with another key than the one of ${file}; ` +
        'if the witness was replaced on purpose, remove this file and restart',
    )
  }

  function call(kind: Kind, term: Term, grantWait: number, released?: Term): Promise<WitnessAnswer> {
    const { deadline, again } = patience[kind]
    const startedAt = now()
    const { promise, resolve } = Promise.withResolvers<WitnessAnswer>()
    const ends: (() => void)[] = []
    let wrongKey = false
    let sessions = 0

    function finish(answer: WitnessAnswer): void {
      for (const end of ends) end()
      clearTimeout(timer)
      clearInterval(repeat)
      met.delete(begin)
      resolve(answer)
    }
    /** Silence, or the refusal that explains it. */
    function giveUp(): void {
      const answer = { sentAt: startedAt, roundTripMs: now() - startedAt }
      if (wrongKey) finish({ ...answer, result: 'refused', reason: 'witness-key-changed' })
      else if (refusal !== undefined && !knows()) finish({ ...answer, result: 'refused', reason: refusal })
      else {
        resolveName()
        finish({ ...answer, result: 'silent' })
      }
    }
    function begin(): void {
      if (knows()) question()
      else if (refusal !== undefined) giveUp()
    }
    function question(): void {
      if (pin === undefined) return
      const { signing } = pin
      const nonce = newNonce()
      const sentAt = now()
      counter += 1
      const sent = { session, counter }
      ends.push(expect(nonce, (packet) => answered(packet, signing, sentAt, sent.session)))
      send(
        requestPacket(
          {
            kind,
            pair: pairingKey.id,
            node,
            ...sent,
            life,
            nonce,
            ...termFields('term', term),
            grantWait: Math.ceil(grantWait),
            ...termFields('released', released),
          },
          pairingKey.key,
        ),
      )
    }
    function answered(packet: Packet, signing: Pin['signing'], sentAt: number, used: number): void {
      if (!provesAnswer(packet, signing)) {
        wrongKey = true
        changed()
        return
      }
      const { fields } = packet
      const reason = textOf(fields, 'reason')
      if (reason === 'witness-session') {
        // It knows a later life of ours, or none after its own start: go on from its number, and say it again.
        if (used === session) session = (numberOf(fields, 'session') ?? 0) + 1
        sessions += 1
        if (sessions <= 3) question()
        return
      }
      if (reason === 'witness-unknown-pair') {
        if (pin !== undefined) delete pin.pair
        meet()
        return
      }
      lastEvent = ''
      finish(verdict(fields, reason, sentAt, now() - sentAt))
    }

    const timer = setTimeout(giveUp, deadline)
    const repeat = setInterval(begin, again)
    met.add(begin)
    begin()
    return promise
  }

  return {
    renew: (term, grantWait) => call('renew', term, grantWait),
    ask: (term, grantWait, released) => call('ask', term, grantWait, released),
    release: (term) => call('release', term, 0),
    look: () => call('look', { counter: 0, node }, 0),
    close() {
      if (closed) return
      closed = true
      clearInterval(meetTimer)
      socket.close()
    },
  }
}

function verdict(
  fields: Fields,
  reason: string | undefined,
  sentAt: number,
  roundTripMs: number,
): WitnessAnswer {
  if (fields['result'] === 'granted') return { result: 'granted', sentAt, roundTripMs }
  const holder = textOf(fields, 'holder')
  const leftMs = numberOf(fields, 'leftMs')
  const highest = termOf(fields, 'highest')
  return {
    result: 'refused',
    sentAt,
    roundTripMs,
    ...(reason === undefined ? {} : { reason }),
    ...(holder === undefined ? {} : { holder }),
    ...(leftMs === undefined ? {} : { leftMs }),
    ...(highest === undefined ? {} : { highest }),
  }
}

/**
 * The witness: answers the members of any number of pairs over UDP. One datagram in, at most one out, nothing waited
 * for. Who it does not know gets no more bytes than he sent, and only so many a second.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Listen } from '#config/types.ts'
import { CodedError, errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { createAllowance } from './allowance.ts'
import { admit, decide, type Question, type Session, type Tenure } from './decide.ts'
import { MOST_PAIRS, openKnown, publicOf } from './known.ts'
import {
  answerPacket,
  exportKey,
  type Fields,
  isFields,
  numberOf,
  type Packet,
  provesRequest,
  readPacket,
  termFields,
  termOf,
  textOf,
  unseal,
} from './wire.ts'

export interface WitnessOptions {
  listen: Listen
  /** The file with its keys and the pairs that it knows. */
  file: string
  /** Monotonic, ms. */
  now: () => number
  log: Log
}

export interface Witness {
  readonly listening: Listen
  /** The key that members pin, base64url: to be compared by eye. */
  readonly publicKey: string
  stop(): Promise<void>
}

/** Members of one pair whose sessions are kept. */
const MOST_MEMBERS = 16
/** A pair that was silent for so long may be forgotten when there is no room for a new one, ms. */
const FORGET_MS = 7 * 86_400_000

interface Pair {
  tenure: Tenure
  sessions: Map<string, Session>
  /** Its last proven request. */
  heardAt: number
}

/**
 * @throws CodedError when the address is taken or the file cannot be used
 */
export async function startWitness({ listen, file, now, log }: WitnessOptions): Promise<Witness> {
  const known = openKnown(file)
  const startedAt = now()
  const publicKey = exportKey(publicOf(known.signing))
  const keys = { sign: publicKey, exchange: exportKey(publicOf(known.exchange)) }
  const pairs = new Map<string, Pair>()
  // A strange sender costs a signature; a pair's renewals come a few times a second from each member.
  const strangers = createAllowance(5, 20, 1_024)
  const newPairs = createAllowance(1 / 6, 10, 1)
  const requests = createAllowance(200, 400, MOST_PAIRS)

  /** What somebody gets who has not proved to be of a pair; undefined: nothing. */
  function greet({ fields }: Packet, pairKnown: boolean): Fields | undefined {
    const nonce = textOf(fields, 'nonce')
    if (nonce === undefined) return undefined
    switch (fields['kind']) {
      case 'hello':
        return { kind: 'keys', nonce, ...keys }
      case 'enrol':
        return { kind: 'enrolled', nonce, ...enrol(fields, nonce) }
      default: {
        const reason = pairKnown ? 'witness-pair-taken' : 'witness-unknown-pair'
        return { kind: 'answer', nonce, result: 'refused', reason }
      }
    }
  }

  /** First contact: the pair's id and key, which only this witness can read. The first to bring an id owns it. */
  function enrol(fields: Fields, nonce: string): Fields {
    const refused = (reason: string) => ({ result: 'refused', reason })
    const opened = unseal(
      textOf(fields, 'from') ?? '',
      textOf(fields, 'sealed', 600) ?? '',
      known.exchange,
      nonce,
    )
    const secret = opened === undefined ? undefined : parsed(opened)
    const id = secret && textOf(secret, 'pair')
    const key = secret && textOf(secret, 'key')
    if (id === undefined || key === undefined) return refused('witness-key-changed')
    const before = known.pairs.get(id)
    if (before !== undefined)
      return before.key === key ? { result: 'granted' } : refused('witness-pair-taken')
    if (!newPairs.take('', now())) return refused('witness-busy')
    try {
      if (known.pairs.size >= MOST_PAIRS && !forgetOne()) return refused('witness-full')
      known.put({ id, key, lasted: 0 })
    } catch (error) {
      log.error({ error: errorText(error) }, 'a new pair cannot be kept')
      return refused('witness-disk')
    }
    log.info({ pair: id }, 'a new pair')
    return { result: 'granted' }
  }

  /** Makes room by forgetting the pair that has been silent the longest, if that is long enough. */
  function forgetOne(): boolean {
    const oldest = [...known.pairs.keys()]
      .map((id) => ({ id, at: pairs.get(id)?.heardAt ?? startedAt }))
      .reduce((a, b) => (b.at < a.at ? b : a))
    if (now() - oldest.at < FORGET_MS) return false
    known.remove(oldest.id)
    pairs.delete(oldest.id)
    log.warn(
      { pair: oldest.id },
      'a pair that was silent for a week is forgotten: there was no room for a new one',
    )
    return true
  }

  /** A request that its pair's key proves. */
  function judge(fields: Fields, pairId: string, lasted: number): Fields | undefined {
    const nonce = textOf(fields, 'nonce')
    const session = sessionOf(fields)
    const question = questionOf(fields)
    if (nonce === undefined || session === undefined || question === undefined) return undefined
    const pair: Pair = pairs.get(pairId) ?? { tenure: { lasted }, sessions: new Map(), heardAt: now() }
    pairs.set(pairId, pair)
    pair.heardAt = now()
    const base = { kind: 'answer', nonce }
    const admitted = admit(pair.sessions.get(question.node), session)
    if (admitted.result === 'replayed') return undefined
    if (admitted.result === 'session') {
      return { ...base, result: 'refused', reason: 'witness-session', session: admitted.number }
    }
    remember(pair.sessions, question.node, admitted.session)

    const { tenure, verdict } = decide(pair.tenure, question, now(), startedAt)
    if (tenure.lasted !== pair.tenure.lasted && !keep(pairId, tenure.lasted)) {
      return { ...base, result: 'refused', reason: 'witness-disk' }
    }
    if (tenure.grant?.node !== pair.tenure.grant?.node) {
      const { grant } = tenure
      log.info({ pair: pairId, holder: grant?.node, term: grant?.term.counter }, 'the holder changed')
    }
    pair.tenure = tenure
    if (verdict.result === 'granted') return { ...base, ...verdict }
    const { highest, ...refusal } = verdict
    return { ...base, ...refusal, ...termFields('highest', highest) }
  }

  /** Before the grant, because a witness that starts again must know how long it may have to refuse. */
  function keep(id: string, lasted: number): boolean {
    const pair = known.pairs.get(id)
    if (pair === undefined) return false
    try {
      known.put({ ...pair, lasted })
      return true
    } catch (error) {
      log.error({ error: errorText(error) }, 'the grant time of a pair cannot be kept')
      return false
    }
  }

  function receive(bytes: Buffer, { address, port }: RemoteInfo): void {
    const packet = readPacket(bytes)
    if (packet === undefined) return
    const pairId = textOf(packet.fields, 'pair')
    const pair = pairId === undefined ? undefined : known.pairs.get(pairId)
    const proven = pair !== undefined && provesRequest(packet, pair.key)
    const allowed = proven ? requests.take(pair.id, now()) : strangers.take(network(address), now())
    if (!allowed) return
    const fields = proven ? judge(packet.fields, pair.id, pair.lasted) : greet(packet, pair !== undefined)
    if (fields === undefined) return
    const out = answerPacket(fields, known.signing)
    if (!proven && out.length > bytes.length) return
    socket.send(out, port, address, (error) => {
      if (error) log.debug({ error: error.message }, 'an answer could not be sent')
    })
  }

  const socket = createSocket({ type: listen.host.includes(':') ? 'udp6' : 'udp4' })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new CodedError(
          error.code === 'EADDRINUSE' ? 'address-in-use' : 'address-failed',
          `cannot listen at ${listen.host}:${listen.port}/udp: ${error.message}`,
        ),
      ),
    )
    socket.bind(listen.port, listen.host, resolve)
  })
  socket.removeAllListeners('error')
  socket.on('error', (error) => log.warn({ error: error.message }, 'the socket reported an error'))
  socket.on('message', receive)
  const { address, port } = socket.address()
  return {
    listening: { host: address, port },
    publicKey,
    stop: () => new Promise((resolve) => socket.close(resolve)),
  }
}

/** Keeps the newest; a member that was not heard for longest makes room. */
function remember(sessions: Map<string, Session>, node: string, session: Session): void {
  sessions.delete(node)
  const [oldest] = sessions.keys()
  if (sessions.size >= MOST_MEMBERS && oldest !== undefined) sessions.delete(oldest)
  sessions.set(node, session)
}

/** One sender among strangers: an address, or a network of IPv6, where everybody has many addresses. */
const network = (address: string): string =>
  isIPv6(address) && !address.startsWith('::ffff:') ? address.split(':').slice(0, 4).join(':') : address

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

function sessionOf(fields: Fields): Session | undefined {
  const number = numberOf(fields, 'session')
  const id = textOf(fields, 'life')
  const counter = numberOf(fields, 'counter')
  if (number === undefined || id === undefined || counter === undefined) return undefined
  return { number, id, counter }
}

function questionOf(fields: Fields): Question | undefined {
  const kind = fields['kind']
  const node = textOf(fields, 'node')
  const term = termOf(fields, 'term')
  const grantWait = numberOf(fields, 'grantWait')
  const released = termOf(fields, 'released')
  if (node === undefined || term === undefined || grantWait === undefined) return undefined
  if (kind !== 'renew' && kind !== 'ask' && kind !== 'release' && kind !== 'look') return undefined
  return { kind, node, term, grantWait, ...(released === undefined ? {} : { released }) }
}

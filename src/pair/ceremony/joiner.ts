/**
 * The joining side of the ceremony: finds the inviter at one of the addresses of the code, makes sure by its certificate
 * that it is the one that made the code, proves the secret, and keeps what it is given only after the other has proved
 * the secret too.
 */
import { connect, type TLSSocket } from 'node:tls'
import { errorText } from '#core/errors.ts'
import type { MemberRecord } from '#messages/operation.ts'
import { parseAddress } from '../links/address.ts'
import type { Identity } from '../links/contract.ts'
import { JOIN_PROTOCOL, shownFingerprint } from '../links/door.ts'
import { FINGERPRINT_BYTES, type InvitationCode } from './code.ts'
import type { Refusal } from './invitations.ts'
import { isPairingKey } from './pairing-key.ts'
import { EXPORTER_BYTES, EXPORTER_LABEL, invitationId, proofOf, sameProof } from './proof.ts'
import { CeremonyBroken, converse, VERSIONS } from './wire.ts'

export interface JoinerParts {
  identity: Identity
  own: MemberRecord
  /** Puts the pairing key and the members on disk. */
  keep(members: readonly MemberRecord[], pairingKey: string): Promise<void>
}

export type Joining =
  | { result: 'joined'; inviter: MemberRecord; members: readonly MemberRecord[] }
  | ({ result: 'refused' } & Refusal)

const CONNECT_MS = 5_000

const refused = (code: string, text: string): Joining => ({ result: 'refused', code, text })

/** Tries the addresses in their order; the first at which the right certificate is shown decides. Never rejects. */
export async function joinBy(code: InvitationCode, parts: JoinerParts): Promise<Joining> {
  const misses: string[] = []
  let stranger: string | undefined
  for (const address of code.addresses) {
    const reached = await reach(address, parts.identity)
    if ('missed' in reached) {
      misses.push(`${address}: ${reached.missed}`)
      continue
    }
    const { socket } = reached
    const shown = shownFingerprint(socket)
    if (shown?.slice(0, 2 * FINGERPRINT_BYTES) !== code.fingerprint) {
      socket.destroy()
      stranger ??= address
      continue
    }
    try {
      return await dialogue(socket, shown, code, parts)
    } catch (error) {
      return refused(error instanceof CeremonyBroken ? error.code : 'pair-ceremony-failed', errorText(error))
    }
  }
  if (stranger === undefined) {
    return refused(
      'pair-unreachable',
      `the appliance that made this code was not reached: ${misses.join('; ')}`,
    )
  }
  return refused(
    'pair-fingerprint-wrong',
    `at ${stranger} answers another appliance than the one that made this code (its certificate differs); nothing was told to it`,
  )
}

function reach(address: string, identity: Identity): Promise<{ socket: TLSSocket } | { missed: string }> {
  const { promise, resolve } = Promise.withResolvers<{ socket: TLSSocket } | { missed: string }>()
  const where = parseAddress(address)
  if (where === undefined) return Promise.resolve({ missed: 'no address' })
  const socket = connect({
    ...where,
    cert: identity.certificate,
    key: identity.key,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [JOIN_PROTOCOL],
    // Not by authorities, names and dates: by the fingerprint in the code.
    rejectUnauthorized: false,
  })
  const timer = setTimeout(() => miss(`no connection within ${CONNECT_MS / 1_000} s`), CONNECT_MS)
  function miss(missed: string): void {
    clearTimeout(timer)
    socket.destroy()
    resolve({ missed })
  }
  const fail = (error: Error) => miss(error.message === '' ? 'no connection' : error.message)
  socket.on('error', fail)
  socket.once('secureConnect', () => {
    clearTimeout(timer)
    socket.off('error', fail)
    // Whoever listens next is added within this turn of the event loop, or the socket is destroyed.
    socket.on('error', () => {})
    if (socket.alpnProtocol === JOIN_PROTOCOL) resolve({ socket })
    else miss('it is no log listener of twinline')
  })
  return promise
}

async function dialogue(
  socket: TLSSocket,
  inviterFingerprint: string,
  { secret }: InvitationCode,
  { identity, own, keep }: JoinerParts,
): Promise<Joining> {
  const talk = converse(socket)
  try {
    const session = {
      exporter: socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
      inviter: inviterFingerprint,
      joiner: identity.fingerprint,
    }
    talk.say({
      step: 'prove',
      versions: VERSIONS,
      invitation: invitationId(secret),
      proof: proofOf('joiner', secret, session),
      member: own,
    })
    const admit = await talk.hear()
    if (admit.step === 'refused') return refused(admit.code, admit.text)
    const inviter = admit.step === 'admit' ? admit.members[0] : undefined
    if (
      admit.step !== 'admit' ||
      inviter?.fingerprint !== inviterFingerprint ||
      !isPairingKey(admit.pairingKey)
    ) {
      return refused('pair-ceremony-broken', 'the other side said something out of turn')
    }
    if (!sameProof(admit.proof, proofOf('inviter', secret, session))) {
      return refused(
        'pair-secret-wrong',
        'the other side does not know the secret of this code; nothing was kept',
      )
    }
    await keep(admit.members, admit.pairingKey)
    talk.say({ step: 'stored' })
    const last = await talk.hear().catch((error: unknown) => errorText(error))
    if (typeof last === 'object' && last.step === 'admitted') {
      return { result: 'joined', inviter, members: admit.members }
    }
    const why =
      typeof last === 'string' ? last : last.step === 'refused' ? last.text : 'an answer out of turn'
    return refused(
      'pair-join-unconfirmed',
      `${inviter.node} gave everything and did not confirm (${why}); if twinline pair status does not show it LIVE within a minute, join again with a new code`,
    )
  } finally {
    talk.end()
  }
}

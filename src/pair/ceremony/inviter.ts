/**
 * The inviting side of the ceremony: one connection, from its first word to the new member in the log. Nothing is said
 * to the other side before it has proved that it knows the secret; the code is spent before anything of worth is sent.
 */
import type { TLSSocket } from 'node:tls'
import { errorText } from '#core/errors.ts'
import type { MemberRecord } from '#messages/operation.ts'
import { shownFingerprint } from '../links/door.ts'
import type { Membership } from '../membership.ts'
import type { Invitation, Refusal } from './invitations.ts'
import type { PairingKey } from './pairing-key.ts'
import { EXPORTER_BYTES, EXPORTER_LABEL, proofOf, sameProof } from './proof.ts'
import { CeremonyBroken, type Conversation, converse, MOST_MEMBERS, type Prove, VERSIONS } from './wire.ts'

export interface InviterParts {
  /** SHA-256 of the own certificate, hex. */
  fingerprint: string
  membership: Membership
  find(id: string, joiner: string): { invitation: Invitation } | { refused: Refusal }
  wrongProof(id: string): void
  use(id: string): void
  pairingKey(): Promise<PairingKey>
}

export type Admission = { result: 'admitted'; member: MemberRecord } | ({ result: 'refused' } & Refusal)

/** Never rejects. The connection is closed afterwards. */
export async function admit(socket: TLSSocket, parts: InviterParts): Promise<Admission> {
  const talk = converse(socket)
  try {
    return await dialogue(socket, talk, parts)
  } catch (error) {
    const code = error instanceof CeremonyBroken ? error.code : 'pair-ceremony-failed'
    return { result: 'refused', code, text: errorText(error) }
  } finally {
    talk.end()
  }
}

async function dialogue(socket: TLSSocket, talk: Conversation, parts: InviterParts): Promise<Admission> {
  const { fingerprint, membership } = parts
  function refuse(refusal: Refusal): Admission {
    talk.say({ step: 'refused', ...refusal })
    return { result: 'refused', ...refusal }
  }

  const joiner = shownFingerprint(socket)
  if (joiner === undefined) {
    return refuse({ code: 'pair-certificate-missing', text: 'a member must show its certificate' })
  }
  const prove = await talk.hear()
  if (prove.step !== 'prove') return refuse(unexpected)
  if (prove.versions.min > VERSIONS.current || prove.versions.current < VERSIONS.min) {
    return refuse({
      code: 'pair-version',
      text: 'these two releases of twinline cannot pair: upgrade the older one',
    })
  }
  const found = parts.find(prove.invitation, joiner)
  if ('refused' in found) return refuse(found.refused)
  const { id, secret } = found.invitation
  const session = {
    exporter: socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
    inviter: fingerprint,
    joiner,
  }
  if (!sameProof(prove.proof, proofOf('joiner', secret, session))) {
    parts.wrongProof(id)
    return refuse({ code: 'pair-secret-wrong', text: 'the other side does not know the secret of this code' })
  }
  // From here on it is the box that the operator meant: a conflict is told, and the code stays good for another try.
  const conflict = conflictOf(prove, joiner, membership)
  if (conflict !== undefined) return refuse(conflict)

  parts.use(id)
  const { key } = await parts.pairingKey()
  talk.say({
    step: 'admit',
    proof: proofOf('inviter', secret, session),
    pairingKey: key,
    members: [membership.own, ...membership.others().filter(({ node }) => node !== prove.member.node)],
  })
  const answer = await talk.hear()
  if (answer.step === 'refused') return { result: 'refused', code: answer.code, text: answer.text }
  if (answer.step !== 'stored') return refuse(unexpected)
  await membership.admit(prove.member)
  talk.say({ step: 'admitted' })
  return { result: 'admitted', member: prove.member }
}

const unexpected: Refusal = {
  code: 'pair-ceremony-broken',
  text: 'the other side said something out of turn',
}

function conflictOf({ member }: Prove, joiner: string, membership: Membership): Refusal | undefined {
  const { node, fingerprint } = member
  if (fingerprint !== joiner) {
    return {
      code: 'pair-record-wrong',
      text: 'the other side gives a certificate as its own that it did not show',
    }
  }
  const others = membership.others()
  const namesake = node === membership.own.node ? membership.own : others.find((each) => each.node === node)
  if (namesake !== undefined && namesake.fingerprint !== joiner) {
    return {
      code: 'pair-node-taken',
      text:
        namesake === membership.own
          ? `both appliances are called ${node}: give one of them another name (node: in its configuration)`
          : `${node} is a member already, with another certificate: give this one another name, or, if it is the same box with a new disk, first twinline pair remove ${node}`,
    }
  }
  const twin = others.find((each) => each.fingerprint === joiner && each.node !== node)
  if (twin !== undefined) {
    return {
      code: 'pair-certificate-taken',
      text: `${twin.node} has this certificate: a data directory was copied; remove pair/ in the copy and start it again`,
    }
  }
  if (namesake === undefined && others.length + 1 >= MOST_MEMBERS) {
    return { code: 'pair-full', text: `a pair has at most ${MOST_MEMBERS} members` }
  }
  return undefined
}

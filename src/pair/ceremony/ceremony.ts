/**
 * Pairing: makes codes, lets in who proves one, and joins with a code made elsewhere. Everything that was refused and
 * everything that changed is told to the audit log. Holds the open invitations, in memory only.
 */
import { randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#core/clock.ts'
import type { MemberRecord } from '#messages/operation.ts'
import { plainAddress } from '../links/address.ts'
import type { Identity } from '../links/contract.ts'
import { shownFingerprint } from '../links/door.ts'
import type { Membership } from '../membership.ts'
import { FINGERPRINT_BYTES, readCode, SECRET_BYTES, writeCode } from './code.ts'
import * as invitations from './invitations.ts'
import { admit } from './inviter.ts'
import { type Joining, joinBy } from './joiner.ts'
import { loadPairingKey, type PairingKey, storePairingKey } from './pairing-key.ts'
import { invitationId } from './proof.ts'

export interface CeremonyParts {
  identity: Identity
  /** `<data>/pair` */
  directory: string
  membership: Membership
  clock: Clock
  /** A refusal or an admission, for the audit log. `what` is documented in docs/errors.md. */
  audit(who: string, what: string, text: string): void
  /** The pairing key was made or received. */
  onPairingKey(key: PairingKey): void
}

export interface Ceremony {
  /** @returns the code and until when it can be used, ms since 1970 */
  invite(who: string): Promise<{ code: string; expires: number }>
  /** Links.onJoin: somebody wants in. */
  receive(socket: TLSSocket): void
  /** Joins the pair of whoever made the code. Never rejects. @param typed the code as a person typed it */
  join(typed: string, who: string): Promise<Joining>
  pairingKey(): Promise<PairingKey | undefined>
  /** Somebody at this address has proved a code a moment ago, so that a certificate not known yet is no stranger's. */
  welcomes(address: string): boolean
  close(): void
}

/** Conversations at a time; each ends within ten seconds. */
const AT_ONCE = 4
const AUDIT_EVERY_MS = 60_000
/** A newcomer keeps the members, and begins to connect to them, before its inviter keeps it. */
const WELCOME_MS = 15_000

const busy: invitations.Refusal = {
  code: 'pair-busy',
  text: 'this appliance is in the middle of letting others in, or of joining itself; try again in a moment',
}

export function createCeremony(parts: CeremonyParts): Ceremony {
  const { identity, directory, membership, clock, audit } = parts
  let state = invitations.noInvitations
  const sockets = new Set<TLSSocket>()
  /** Who has proved a code last, and until when that counts, ms on the monotonic clock. */
  let welcome = { address: '', until: Number.NEGATIVE_INFINITY }
  let joining = false
  let making: Promise<PairingKey> | undefined
  let toldAt = Number.NEGATIVE_INFINITY

  membership.onChange(({ dropped }) => {
    for (const { fingerprint } of dropped) state = invitations.bar(state, fingerprint)
  })

  /** Made once, however many ask at a time. */
  function pairingKey(): Promise<PairingKey> {
    making ??= (async () => {
      const known = await loadPairingKey(directory)
      if (known !== undefined) return known
      const made = await storePairingKey(directory)
      parts.onPairingKey(made)
      return made
    })().finally(() => {
      making = undefined
    })
    return making
  }

  async function keep(members: readonly MemberRecord[], key: string): Promise<void> {
    const kept = await storePairingKey(directory, key)
    await membership.join(members)
    parts.onPairingKey(kept)
  }

  function turnAway(socket: TLSSocket, refusal: invitations.Refusal): void {
    const now = clock.monotonic()
    // Once a minute is enough: whoever tries without end must not fill the audit log.
    if (now - toldAt >= AUDIT_EVERY_MS) {
      toldAt = now
      audit(plainAddress(socket.remoteAddress), refusal.code, refusal.text)
    }
    socket.resume()
    socket.end(`${JSON.stringify({ step: 'refused', ...refusal })}\n`)
    setTimeout(() => socket.destroy(), 1_000).unref()
  }

  return {
    pairingKey: () => loadPairingKey(directory),
    welcomes: (address) => address === welcome.address && clock.monotonic() < welcome.until,

    async invite(who) {
      await pairingKey()
      const secret = randomBytes(SECRET_BYTES)
      state = invitations.invite(state, { id: invitationId(secret), secret }, clock.monotonic())
      audit(who, 'pair-invited', 'a code was made with which one more appliance can join within ten minutes')
      return {
        code: writeCode({ addresses: membership.own.log, fingerprint: identity.fingerprint, secret }),
        expires: clock.now() + invitations.CODE_MS,
      }
    },

    receive(socket) {
      const address = plainAddress(socket.remoteAddress)
      socket.on('error', () => socket.destroy())
      const tried = invitations.attempt(state, clock.monotonic())
      state = tried.state
      if (tried.refused !== undefined) return turnAway(socket, tried.refused)
      if (joining || sockets.size >= AT_ONCE) return turnAway(socket, busy)
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      const fingerprint = shownFingerprint(socket)
      void admit(socket, {
        fingerprint: identity.fingerprint,
        membership,
        pairingKey,
        find: (id, joiner) => invitations.find(state, id, joiner),
        wrongProof(id) {
          state = invitations.wrongProof(state, id)
        },
        use(id) {
          state = invitations.use(state, id)
          welcome = { address, until: clock.monotonic() + WELCOME_MS }
        },
      }).then((admission) => {
        const which = fingerprint === undefined ? '' : `, certificate ${fingerprint}`
        if (admission.result === 'refused')
          audit(address, admission.code, `${admission.text} (${address}${which})`)
        else {
          const { node } = admission.member
          audit(node, 'pair-admitted', `${node} was admitted from ${address}${which}`)
        }
      })
    },

    async join(typed, who) {
      // Two boxes that let each other in at the same moment would each keep the other's pairing key.
      const result: Joining =
        joining || sockets.size > 0 ? { result: 'refused', ...busy } : await joinAlone(typed)
      if (result.result === 'joined') {
        const { inviter, members } = result
        audit(
          who,
          'pair-joined',
          `joined by a code of ${inviter.node}: ${members.map(({ node }) => node).join(', ')}`,
        )
      } else audit(who, result.code, result.text)
      return result
    },

    close() {
      for (const socket of sockets) socket.destroy()
      state = invitations.noInvitations
    },
  }

  async function joinAlone(typed: string): Promise<Joining> {
    joining = true
    try {
      return await joinWith(typed)
    } finally {
      joining = false
    }
  }

  async function joinWith(typed: string): Promise<Joining> {
    const read = readCode(typed)
    if (read.result === 'mistyped') return { result: 'refused', code: 'pair-code-mistyped', text: read.text }
    const { code } = read
    if (identity.fingerprint.startsWith(code.fingerprint)) {
      return {
        result: 'refused',
        code: 'pair-code-own',
        text: 'this code was made here; type it in on the other appliance',
      }
    }
    const others = membership.others()
    const again = others.some(
      ({ fingerprint }) => fingerprint.slice(0, 2 * FINGERPRINT_BYTES) === code.fingerprint,
    )
    if (others.length > 0 && !again) {
      const names = others.map(({ node }) => node).join(', ')
      return {
        result: 'refused',
        code: 'pair-already-joined',
        text: `this appliance is paired with ${names}; run twinline pair remove for each of them first`,
        values: { members: names },
      }
    }
    return joinBy(code, { identity, own: membership.own, keep })
  }
}

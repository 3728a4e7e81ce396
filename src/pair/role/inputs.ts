/** What each input changes at once; what follows from it is decided afterwards, by the checks of the phase. */
import { addressHere, addressTaken, probedWhileServing, TRY_AGAIN } from './address.ts'
import { changeMembers } from './beginning.ts'
import { command } from './commands.ts'
import type { RoleInput } from './contract.ts'
import { hear } from './hearing.ts'
import { leave, released, removeAddress } from './leaving.ts'
import { owe } from './sending.ts'
import { serve } from './serving.ts'
import type { Draft } from './state.ts'
import { add, addressFailed, withdraw } from './taking.ts'
import { higherTerm, sameTerm } from './terms.ts'
import { carrierChanged } from './watching.ts'
import { witnessAnswered } from './witness.ts'

/** The disk that refused a term is asked again after this, ms. */
const STORE_AGAIN = 1_000

export function receive(d: Draft, input: RoleInput): void {
  const { s, now, out } = d
  switch (input.input) {
    case 'tick':
      return
    case 'beat':
      hear(d, input.beat, input.path, input.wall)
      return
    case 'paths': {
      const peer = s.peers.find(({ node }) => node === input.node)
      if (peer === undefined) return
      const open = input.paths.some(({ up }) => up)
      peer.cut = !open && (peer.cut || peer.paths.some(({ up }) => up))
      peer.paths = input.paths
      return
    }
    case 'carrier':
      carrierChanged(d, input.up)
      return
    case 'health':
      s.health = input.health
      s.healthAt = now
      return
    case 'gatewayGone':
      s.gateway = false
      if (s.stopping === 'no') s.stopping = 'exit'
      if (s.phase === 'releasing') removeAddress(d)
      leave(d, 'the gateway is gone')
      return
    case 'gatewayReleased':
      if (s.phase === 'releasing') removeAddress(d)
      return
    case 'termStored':
      s.stored = higherTerm(s.stored, input.term)
      s.storeAgainAt = undefined
      if (sameTerm(s.storing, input.term)) s.storing = undefined
      // Whoever waits for this member's promise gets it now.
      if (s.promise !== undefined) owe(d, s.promise.term.node)
      return
    case 'termRefused':
      if (s.storeAgainAt === undefined)
        out.push({ effect: 'alarm', code: 'term-not-stored', text: input.text })
      s.storing = undefined
      s.storeAgainAt = now + STORE_AGAIN
      if (s.phase === 'storing') withdraw(d, 'the disk refuses the term', STORE_AGAIN)
      return
    case 'addressAdded':
      if (s.phase === 'adding') serve(d)
      else if (s.phase === 'serving' && s.address === 'adding') addressHere(d)
      return
    case 'addressRemoved':
      if (s.phase === 'removing') released(d)
      else if (s.phase === 'serving' && s.address === 'held') {
        out.push({ effect: 'alarm', code: 'address-lost', text: 'somebody removed the common address' })
        s.address = 'none'
        s.probeAt = now
      }
      return
    case 'addressFailed':
      failed(d, input.text)
      return
    case 'probed':
      probed(d, input.answered)
      return
    case 'witness':
      witnessAnswered(d, input)
      return
    case 'router':
      s.router = input.reachable
        ? { ...s.router, known: true, lostAt: undefined }
        : { ...s.router, lostAt: now }
      return
    case 'members':
      changeMembers(d, input)
      return
    case 'command':
      command(d, input.id, input.command)
      return
    case 'stop':
      s.stopping = 'closing'
      leave(d, 'this box stops')
      return
  }
}

function failed(d: Draft, text: string): void {
  const { s } = d
  if (s.phase === 'adding') {
    addressFailed(d, text)
  } else if (s.phase === 'serving' && s.address !== 'none') {
    d.out.push({ effect: 'alarm', code: 'address-failed', text: `the address could not be kept: ${text}` })
    // Whoever stands alone serves on without it and tries again.
    s.address = 'none'
    s.probeAt = d.now + TRY_AGAIN
    if (s.peers.length > 0) leave(d, 'the address could not be kept')
  }
}

function probed(d: Draft, answered: string | undefined): void {
  const { s } = d
  if (s.phase === 'serving') probedWhileServing(d, answered)
  if (s.phase !== 'probing') return
  if (answered === undefined) {
    s.phase = 'storing'
    s.probed = true
    add(d)
  } else {
    addressTaken(d, answered)
    withdraw(d, 'a stranger holds the common address', TRY_AGAIN)
  }
}

/** The witness as the guard asks it: answers become inputs of the machine, and silence is no answer. */
import type { PairConfig } from '#config/types.ts'
import { monotonic } from '#core/clock.ts'
import type { Term } from '#messages/operation.ts'
import type { WitnessView } from '../contract.ts'
import { addressText } from '../links/address.ts'
import type { RoleInput } from '../role/contract.ts'
import type { WitnessAnswer, WitnessClient } from '../witness/client.ts'

/** A member that has nothing to ask looks whether the witness is there this often: people want to know before the fault. ms */
const LOOK_LEAST = 5_000
const LOOK_MOST = 300_000
/** Refusals that are the witness's proper work. */
const properly = new Set(['witness-held', 'witness-lower-term'])

export interface GuardWitness {
  setKey(pairingKey: { id: string; key: string } | undefined): void
  /**
   * @param holds this member holds the term already: an answer that is late is of no use then
   * @param released the holder told this member that it gave this term up
   */
  ask(request: number, term: Term, holds: boolean, released?: Term): void
  release(term: Term): void
  /** As its last answer was. */
  view(): WitnessView | undefined
  close(): void
}

export interface GuardWitnessOptions {
  node: string
  pair: PairConfig
  directory: string
  onAnswer(input: Extract<RoleInput, { input: 'witness' }>): void
  onEvent(what: string, text: string): void
}

export async function openWitness(options: GuardWitnessOptions): Promise<GuardWitness> {
  const { node, pair, directory } = options
  const address = pair.witness
  // A guard without a witness goes without its memory too.
  const createClient =
    address === undefined ? undefined : (await import('../witness/client.ts')).createWitnessClient
  let client: WitnessClient | undefined
  let key = ''
  let view: WitnessView | undefined =
    address === undefined ? undefined : { address: addressText(address), state: 'unknown' }
  let heardAt = monotonic()

  function show({ result, reason = '', roundTripMs }: WitnessAnswer): void {
    if (address === undefined) return
    heardAt = monotonic()
    const there = result === 'granted' || properly.has(reason)
    view = {
      address: addressText(address),
      state: there ? 'reachable' : result === 'refused' ? 'refusing' : 'silent',
      ...(result !== 'silent' && { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
    }
  }
  const every = Math.min(LOOK_MOST, Math.max(LOOK_LEAST, 10 * pair.profile.interval))
  const looking =
    address === undefined
      ? undefined
      : setInterval(() => {
          if (client !== undefined && monotonic() - heardAt > every / 2) void client.look().then(show)
        }, every)

  return {
    setKey(pairingKey) {
      if (!address || !createClient || pairingKey === undefined || pairingKey.key === key) return
      key = pairingKey.key
      client?.close()
      client = createClient({
        address,
        pairingKey,
        node,
        directory,
        now: monotonic,
        onEvent: options.onEvent,
      })
    },
    async ask(request, term, holds, released) {
      const asked = client
      if (!asked || address === undefined) {
        options.onAnswer({ input: 'witness', request, granted: false })
        return
      }
      const wait = pair.profile.grantWait
      const answer = await (holds ? asked.renew(term, wait) : asked.ask(term, wait, released))
      show(answer)
      // Silence is no answer: the machine knows when it asked.
      if (answer.result === 'silent') return
      options.onAnswer({
        input: 'witness',
        request,
        granted: answer.result === 'granted',
        ...(answer.leftMs !== undefined && { retryAfter: answer.leftMs }),
        ...(answer.highest !== undefined && { highest: answer.highest }),
      })
    },
    async release(term) {
      await client?.release(term)
    },
    view: () => view,
    close() {
      clearInterval(looking)
      client?.close()
    },
  }
}

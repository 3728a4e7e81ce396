/**
 * After a restore from a backup: what it had queued waits (store/restored.ts) until the other members hold the same as
 * this one, because then it is known what was sent, or until a person decides: send it all, flagged as possible copies,
 * or cancel it, to be looked through.
 */
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Reason } from '#messages/states.ts'
import type { RestoredView, Store } from '#store/contract.ts'
import type { Ownership } from './ownership.ts'

export interface RestoreHold {
  state(): Promise<RestoredView | undefined>
  /** @returns false when nothing is held back */
  release(what: 'send' | 'cancel'): Promise<boolean>
  /** The right to transmit as it is, with what a person let go flagged as possible copies. */
  flagging(ownership: Ownership): Ownership
  stop(): void
}

/** How often it is looked whether the members hold the same, ms. */
const LOOK_MS = 1_000
const AT_ONCE = 200

const notSent: Reason = {
  code: 'restored',
  text: 'It was in a backup, and nobody could say whether it was sent since; cancelled on request.',
}

export async function createRestoreHold(deps: {
  store: Pick<Store, 'restored' | 'heldBack' | 'releaseRestored' | 'record' | 'submitting'>
  clock: Clock
  log: Log
  /** Another member holds what this one holds; absent where there is no other. */
  membersAnswered?(): boolean
  /** Something may be due now. */
  released(): void
}): Promise<RestoreHold> {
  const { store, clock, log, membersAnswered, released } = deps
  let known = await store.restored()
  let looking: NodeJS.Timeout | undefined

  async function letGo(how: 'known' | 'send'): Promise<void> {
    clearInterval(looking)
    await store.releaseRestored(how)
    known = await store.restored()
    released()
  }

  if (known?.held === true && known.deliveries === 0 && (await store.submitting()).length === 0) {
    // Nothing waited when the backup was made: nobody needs to be asked.
    await store.releaseRestored('known')
    known = await store.restored()
  }
  if (known?.held === true) {
    log.warn({ deliveries: known.deliveries }, 'restored from a backup: what it had queued waits for a word')
    if (membersAnswered !== undefined) {
      looking = setInterval(() => {
        if (!membersAnswered()) return
        log.info({}, 'the other members have told what was sent since the backup')
        letGo('known').catch((error: unknown) =>
          log.error({ error: errorText(error) }, 'a hold could not be ended'),
        )
      }, LOOK_MS).unref()
    }
  }

  return {
    state: () => store.restored(),
    async release(what) {
      if (known?.held !== true) return false
      if (what === 'cancel') {
        for (;;) {
          const deliveries = await store.heldBack(AT_ONCE)
          if (deliveries.length === 0) break
          const at = clock.now()
          await store.record(
            deliveries.map((delivery) => ({ delivery, event: { event: 'cancel', reason: notSent }, at })),
          )
        }
      }
      await letGo(what === 'send' ? 'send' : 'known')
      return true
    },
    flagging: (ownership) => ({
      get term() {
        return ownership.term
      },
      stop: () => ownership.stop(),
      owner: () => ownership.owner(),
      mayBeCopy: (delivery, message) =>
        (known?.copies === true && message.at <= known.at) || ownership.mayBeCopy(delivery, message),
      alive: (node) => ownership.alive(node),
      adoptLost: () => ownership.adoptLost(),
      takers: () => ownership.takers(),
    }),
    stop: () => clearInterval(looking),
  }
}

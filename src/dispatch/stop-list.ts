/**
 * Who wants no messages: numbers that answered STOP, or that somebody put there. Kept as facts of the replicated
 * store, one a number, so that members that change it apart lose nothing; held in memory, because every acceptance asks.
 */
import type { Clock } from '#core/clock.ts'
import type { DeliveryEvent, Reason } from '#messages/states.ts'
import type { Store } from '#store/contract.ts'

export interface StopList {
  /** Numbers are compared by their last nine digits, since people write 0170… and networks +49170… */
  has(number: string): boolean
  list(): { number: string; since: number }[]
  /** @returns false when it stood there already */
  add(number: string): Promise<boolean>
  /** @returns false when it did not stand there */
  remove(number: string): Promise<boolean>
  /** Reads it anew: another member's facts were merged. */
  refresh(): Promise<void>
}

const PREFIX = 'stopped:'
/** As many as the store compares status reports by; shorter numbers are compared whole. */
const DIGITS = 9

const keyOf = (number: string): string => number.replace(/^[+0]+/, '').slice(-DIGITS)

export async function createStopList({
  store,
  clock,
}: {
  store: Pick<Store, 'facts' | 'remember'>
  clock: Clock
}): Promise<StopList> {
  let stopped = new Map<string, { number: string; since: number }>()

  async function refresh(): Promise<void> {
    const facts = await store.facts(PREFIX)
    stopped = new Map(
      facts
        .filter(({ value }) => value !== '')
        .map(({ name, value }) => {
          const number = name.slice(PREFIX.length)
          return [keyOf(number), { number, since: Number(value) }]
        }),
    )
  }

  await refresh()
  return {
    has: (number) => stopped.has(keyOf(number)),
    list: () => [...stopped.values()].sort((a, b) => a.since - b.since),
    async add(number) {
      if (stopped.has(keyOf(number))) return false
      await store.remember(PREFIX + number, String(clock.now()))
      await refresh()
      return true
    },
    async remove(number) {
      const known = (await store.facts(PREFIX)).filter(
        ({ name, value }) => value !== '' && keyOf(name.slice(PREFIX.length)) === keyOf(number),
      )
      for (const { name } of known) await store.remember(name, '')
      await refresh()
      return known.length > 0
    },
    refresh,
  }
}

const reason: Reason = {
  code: 'recipient-stopped',
  text: 'The recipient answered STOP or stands on the stop list; only priority 0 is sent there. START or the list undoes it.',
}

/** What a delivery to somebody on the list begins and ends with. */
export const stoppedEvent: DeliveryEvent = { event: 'cancel', reason }

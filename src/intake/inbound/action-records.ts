/** What became of actions: of one message's, and of those that were given up, which may be wanted again. Works on what is stored, so that any member can list them. */
import type { Clock } from '#core/clock.ts'
import type { Page, Store } from '#store/contract.ts'
import { type Action, actionId, containing, factName, type Plan, parseActionId, readPlan } from './plan.ts'

export interface DeadAction {
  id: string
  /** The entry of the inbox. */
  entry: string
  from: string
  /** When the message came, ms since 1970. */
  at: number
  action: Action
}

export interface ActionRecords {
  /** What was decided about one message; undefined when nothing was, or another version did. */
  of(entry: string): Promise<Plan | undefined>
  /** In the order in which the messages came; a page ends with a whole message, so it may be a little longer. */
  list(query: { limit: number; after?: number }): Promise<Page<DeadAction>>
  /** @returns undefined when there is no such one */
  replay(id: string): Promise<Action | undefined>
}

type Kept = Pick<Store, 'inboxFacts' | 'remember' | 'recall'>

/** @param changed told which entry's plan is to be read anew */
export function createActionRecords(
  store: Kept,
  clock: Clock,
  changed: (entry: string) => void,
): ActionRecords {
  let turn: Promise<unknown> = Promise.resolve()

  async function again(id: string): Promise<Action | undefined> {
    const place = parseActionId(id)
    const fact = place && (await store.recall(factName(place.entry)))
    const plan = fact === undefined ? undefined : readPlan(fact)
    const action = place && plan?.actions[place.n]
    if (!place || !plan || action?.state !== 'dead') return undefined
    const now = clock.now()
    Object.assign(action, { state: 'open', attempts: 0, since: now, due: now } satisfies Partial<Action>)
    await store.remember(factName(place.entry), JSON.stringify(plan))
    changed(place.entry)
    return action
  }

  return {
    async of(entry) {
      const fact = await store.recall(factName(entry))
      return fact === undefined ? undefined : readPlan(fact)
    },
    async list({ limit, after = 0 }) {
      const items: DeadAction[] = []
      let position = after
      while (items.length < limit) {
        const slice = await store.inboxFacts({
          after: position,
          containing: containing('dead'),
          orNone: false,
        })
        for (const { entry, fact } of slice.items) {
          for (const [n, action] of (readPlan(fact ?? '')?.actions ?? []).entries()) {
            if (action.state !== 'dead') continue
            items.push({ id: actionId(entry.id, n), entry: entry.id, from: entry.from, at: entry.at, action })
          }
        }
        if (slice.next === undefined) return { items }
        position = slice.next
      }
      return { items, next: String(position) }
    },
    replay(id) {
      // Two at once on one message would each forget the other's.
      const result = turn.then(() => again(id))
      turn = result.catch(() => {})
      return result
    },
  }
}

/**
 * What the storm guard has to know of before this run, or of what another member sent: read from the store, newest
 * first, as far back as the longest of its spans. Nothing else is kept on disk for it: what went out and what was folded
 * stands in the timelines of the deliveries.
 */
import type { StormConfig } from '#config/storm.ts'
import { monthBegin } from '#core/zone.ts'
import type { Delivery, Message } from '#messages/message.ts'
import type { MessageView, Store } from '#store/contract.ts'
import { foldedCodes, type Storm, type StormInput } from './storm.ts'

/** Messages that are read at most, and at a time. */
const MOST = 60_000
const PAGE = 500
/** Quiet hours are over within a day. */
const DAY_MS = 86_400_000

/** How long before now something counts, ms. */
function horizon({ dedupe, group, budgets, quiet }: StormConfig): number {
  return Math.max(
    dedupe?.window ?? 0,
    group?.window ?? 0,
    budgets.recipient?.perMs ?? 0,
    budgets.line?.perMs ?? 0,
    quiet.length > 0 ? DAY_MS : 0,
  )
}

interface Happened {
  at: number
  apply(storm: Storm): void
}

/** Fills a new machine. @param inputOf how the guard looks at a delivery */
export async function remember(
  storm: Storm,
  rules: StormConfig,
  node: string,
  store: Pick<Store, 'message' | 'messages' | 'totals'>,
  now: number,
  inputOf: (delivery: Delivery, message: Message) => StormInput,
): Promise<void> {
  const month = rules.budgets.month === undefined ? now : monthBegin(now, rules.zone)
  const since = Math.min(month, now - horizon(rules))
  const happened: Happened[] = []
  let after: string | undefined
  for (let read = 0; read < MOST; ) {
    const page = await store.messages({ limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const listed of page.items) {
      let view: MessageView | undefined = listed
      for (let from = 0; view !== undefined; ) {
        happened.push(...ofMessage(view, node, since, inputOf))
        from += view.deliveries.length
        const more: boolean = view.deliveries.length > 0 && from < (view.count ?? 0)
        view = more ? await store.message(listed.message.id, from) : undefined
      }
    }
    read += page.items.length
    const last = page.items.at(-1)
    // A message may be sent as long as it is valid: what was accepted before may have gone out since.
    if (page.next === undefined || (last && last.message.at + last.message.validity < since)) break
    after = page.next
  }
  happened.sort((a, b) => a.at - b.at)
  for (const { apply } of happened) apply(storm)
  if (month < now) await rememberMonth(storm, month, node, store, now)
}

function ofMessage(
  { message, deliveries }: MessageView,
  node: string,
  since: number,
  inputOf: (delivery: Delivery, message: Message) => StormInput,
): Happened[] {
  return deliveries.flatMap((delivery) => {
    const input = inputOf(delivery, message)
    const happened: Happened[] = []
    if (input.digest)
      happened.push({ at: message.at, apply: (storm) => storm.restoreDigest(input.to, message.at) })
    const tried = delivery.timeline.find(({ event }) => event === 'intend')
    const { reason } = delivery
    if (tried !== undefined) {
      const alive = delivery.state === 'failed' || delivery.state === 'expired' ? { sameness: undefined } : {}
      happened.push({
        at: tried.at,
        apply(storm) {
          storm.restore({ ...input, ...alive }, tried.at)
          if (tried.line !== undefined && (tried.node ?? node) === node)
            storm.lineUsed(tried.line, delivery.parts, tried.at)
        },
      })
    } else if (delivery.state === 'cancelled' && reason !== undefined && foldedCodes.has(reason.code)) {
      const at = delivery.timeline.at(-1)?.at ?? message.at
      happened.push({ at, apply: (storm) => storm.restore(input, at, reason.code) })
    }
    return happened.filter(({ at }) => at >= since)
  })
}

/** The totals know of everything, but count messages and not parts: they are the least that was used. */
async function rememberMonth(
  storm: Storm,
  begin: number,
  node: string,
  store: Pick<Store, 'totals'>,
  now: number,
): Promise<void> {
  const used = new Map<string, number>()
  for (const row of await store.totals(begin)) {
    if (row.node === node) used.set(row.line, (used.get(row.line) ?? 0) + row.sent)
  }
  for (const [line, sent] of used) storm.monthAtLeast(line, sent, now)
}

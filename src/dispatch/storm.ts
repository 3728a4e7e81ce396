/**
 * The storm guard's decisions: which of many messages go out one by one, and which are folded into a digest. Pure: a
 * function of the settings, of what went out before and of the time. Whoever may transmit asks it; the state can be
 * made again from the store (storm-memory.ts), so that it is the same after a restart and on whichever member is active.
 *
 * Priority 0 always passes, and is counted, so that it may take a budget beyond its end. What is folded is counted too, until a digest tells the recipient of it. Of a
 * recipient's budget one part is kept for that digest, so that the digest never breaks what it tells of.
 * A budget's span begins with the first message after the last span.
 */
import type { StormConfig } from '#config/storm.ts'
import { monthBegin } from '#core/zone.ts'
import type { Reason } from '#messages/states.ts'

const stormReasons = {
  repeated: {
    code: 'repeated',
    text: 'The same went to this recipient shortly before; folded by the storm guard.',
  },
  folded: { code: 'folded', text: 'One of many for this recipient; a digest tells how many there were.' },
  budget: {
    code: 'over-budget',
    text: "The recipient's budget is used up; a digest tells how many were held back.",
  },
  quiet: { code: 'quiet-hours', text: 'Waits for the end of the quiet hours of this recipient.' },
  quietFolded: {
    code: 'quiet-folded',
    text: 'It would have expired in the quiet hours of this recipient; a digest follows them.',
  },
} as const satisfies Record<string, Reason>

/** Codes of what the guard cancelled. */
export const foldedCodes: ReadonlySet<string> = new Set(
  [stormReasons.repeated, stormReasons.folded, stormReasons.budget, stormReasons.quietFolded].map(
    ({ code }) => code,
  ),
)

export interface StormInput {
  /** The delivery's id. */
  id: string
  to: string
  parts: number
  priority: number
  text: string
  /** What counts as the same message; undefined where nothing does. */
  sameness: string | undefined
  /** ms since 1970 */
  expires: number
  /** It was tried before, or a person asked for it: only quiet hours still hold it. */
  again: boolean
  /** It is a digest. */
  digest: boolean
}

export type Verdict =
  | { verdict: 'pass' }
  | { verdict: 'fold'; reason: Reason }
  /** @property until ms since 1970 */
  | { verdict: 'wait'; until: number; reason: Reason }

export interface Digest {
  to: string
  count: number
  /** The most urgent of what it stands for. */
  priority: number
  /** The text of the latest. */
  latest: string
  /** The delivery that was folded first: its key. */
  first: string
}

interface Pending extends Digest {
  /** ms since 1970 */
  due: number
}

interface Same {
  at: number
  /** Which delivery it was, until when it was valid, and whether a line got it: one that expired unsent is no reason. */
  id: string
  expires: number
  began: boolean
}

interface Span {
  since: number
  used: number
}

interface Recipient {
  budget: Span
  /** The part of this budget that is kept for a digest was used. */
  told: boolean
  group: Span
  /** What was let pass in these spans: it is not counted again when it comes back. */
  passed: Set<string>
  pending: Pending | undefined
}

/** Recipients, and messages to be recognised, that are remembered. Beyond it the oldest are forgotten: they pass. */
const MOST = 100_000
/** When a digest follows what a budget held back, where no group window says it; ms. */
const SOON_MS = 60_000
/** What a line has used is shown for so long where it has no budget; ms. */
const HOUR_MS = 3_600_000

/** @param quietUntil when the quiet hours of a recipient end, ms since 1970; undefined outside of them */
export type QuietUntil = (to: string, now: number) => number | undefined

export class Storm {
  readonly #rules: StormConfig
  readonly #quietUntil: QuietUntil
  readonly #recipients = new Map<string, Recipient>()
  /** The last time that the same was let pass to the same recipient. */
  readonly #same = new Map<string, Same>()
  readonly #lines = new Map<string, { span: Span; month: Span }>()

  constructor(rules: StormConfig, quietUntil: QuietUntil) {
    this.#rules = rules
    this.#quietUntil = quietUntil
  }

  /** @param now ms since 1970 */
  consider(input: StormInput, now: number): Verdict {
    const { id, to, parts } = input
    const recipient = this.#recipient(to, now)
    if (input.priority > 0) {
      const held = this.#inQuiet(input, recipient, now) ?? this.#held(input, recipient, now)
      if (held) return held
    }
    if (!recipient.passed.has(id) && !input.again) {
      recipient.passed.add(id)
      recipient.budget.used += parts
      if (!input.digest) recipient.group.used += 1
    }
    if (input.sameness !== undefined) this.#remember(input, now)
    return { verdict: 'pass' }
  }

  /** A line got it. */
  began(id: string, to: string, sameness: string | undefined): void {
    const same = this.#same.get(`${to}\n${sameness}`)
    if (same?.id === id) same.began = true
  }

  /** It did not get out: the same may come again. What it took of the budget stays taken. */
  ended(id: string, to: string, sameness: string | undefined): void {
    const key = `${to}\n${sameness}`
    if (this.#same.get(key)?.id === id) this.#same.delete(key)
  }

  /** What went out, or was folded, before this run; oldest first. @param reason of what was folded */
  restore(input: StormInput, at: number, reason?: string): void {
    const recipient = this.#recipient(input.to, at)
    if (reason !== undefined) {
      if (reason !== stormReasons.repeated.code)
        this.#fold(input, recipient, this.#dueAt(reason, recipient, at))
      return
    }
    recipient.passed.add(input.id)
    recipient.budget.used += input.parts
    if (!input.digest) recipient.group.used += 1
    if (input.sameness !== undefined) {
      this.#remember(input, at)
      this.began(input.id, input.to, input.sameness)
    }
  }

  /** A digest was accepted: what was folded before it is told. */
  restoreDigest(to: string, at: number): void {
    const recipient = this.#recipient(to, at)
    recipient.pending = undefined
    recipient.told = true
  }

  /** Takes the digests that are due. One for which the budget has no room waits for the next span. */
  digests(now: number): Digest[] {
    const due: Digest[] = []
    for (const [to, recipient] of this.#recipients) {
      const { pending } = recipient
      if (pending === undefined || pending.due > now) continue
      const quiet = this.#quietUntil(to, now)
      this.#turn(recipient, now)
      if (quiet !== undefined) pending.due = quiet
      else if (!this.#hasRoom(recipient)) pending.due = this.#spanEnd(recipient)
      else {
        recipient.pending = undefined
        recipient.told = true
        const { count, priority, latest, first } = pending
        due.push({ to, count, priority, latest, first })
      }
    }
    return due
  }

  /** A digest could not be accepted: it is due again later, with what was folded since. */
  untold({ to, count, priority, latest, first }: Digest, due: number): void {
    const recipient = this.#recipients.get(to) ?? this.#recipient(to, due)
    recipient.told = false
    const { pending } = recipient
    if (pending === undefined) recipient.pending = { to, count, priority, latest, first, due }
    else {
      pending.count += count
      pending.first = first
      pending.priority = Math.min(pending.priority, priority)
    }
  }

  /** How many are folded and not told yet, by recipient. */
  pending(): { to: string; count: number; due: number }[] {
    return [...this.#recipients].flatMap(([to, { pending }]) =>
      pending === undefined ? [] : [{ to, count: pending.count, due: pending.due }],
    )
  }

  /** Whether a line has some of its budget left. Only priority 0 goes beyond it. */
  lineMay(line: string, now: number): boolean {
    const { line: budget, month } = this.#rules.budgets
    if (budget === undefined && month === undefined) return true
    const { span, month: thisMonth } = this.#line(line, now)
    if (budget !== undefined && span.used >= budget.parts) return false
    return month === undefined || thisMonth.used < month
  }

  lineUsed(line: string, parts: number, now: number): void {
    const { span, month } = this.#line(line, now)
    span.used += parts
    month.used += parts
  }

  /** @param used what a line has sent this month at least */
  monthAtLeast(line: string, used: number, now: number): void {
    const { month } = this.#line(line, now)
    month.used = Math.max(month.used, used)
  }

  /** What lines have used of their budgets. */
  lines(now: number): { line: string; used: number; month: number }[] {
    return [...this.#lines.keys()].map((line) => {
      const { span, month } = this.#line(line, now)
      return { line, used: span.used, month: month.used }
    })
  }

  /** Forgets recipients of whom nothing is to be known any more. */
  tidy(now: number): void {
    const { group, budgets } = this.#rules
    const longest = Math.max(group?.window ?? 0, budgets.recipient?.perMs ?? 0)
    for (const [to, { pending, budget, group: span }] of this.#recipients) {
      if (pending === undefined && now - Math.max(budget.since, span.since) > longest)
        this.#recipients.delete(to)
    }
    for (const [key, { at }] of this.#same) {
      if (now - at <= (this.#rules.dedupe?.window ?? 0)) break
      this.#same.delete(key)
    }
  }

  #inQuiet(input: StormInput, recipient: Recipient, now: number): Verdict | undefined {
    const until = this.#quietUntil(input.to, now)
    if (until === undefined) return undefined
    if (until < input.expires) return { verdict: 'wait', until, reason: stormReasons.quiet }
    this.#fold(input, recipient, until)
    return { verdict: 'fold', reason: stormReasons.quietFolded }
  }

  #held(input: StormInput, recipient: Recipient, now: number): Verdict | undefined {
    const { dedupe, group, budgets } = this.#rules
    if (input.digest || input.again || recipient.passed.has(input.id)) return undefined
    if (dedupe && input.sameness !== undefined && this.#isRepeated(input, now, dedupe.window))
      return { verdict: 'fold', reason: stormReasons.repeated }
    const { recipient: budget } = budgets
    const reason =
      budget !== undefined && recipient.budget.used + input.parts + (recipient.told ? 0 : 1) > budget.parts
        ? stormReasons.budget
        : group !== undefined && recipient.group.used >= group.after
          ? stormReasons.folded
          : undefined
    if (reason === undefined) return undefined
    this.#fold(input, recipient, this.#dueAt(reason.code, recipient, now))
    return { verdict: 'fold', reason }
  }

  #isRepeated({ id, to, sameness }: StormInput, now: number, window: number): boolean {
    const same = this.#same.get(`${to}\n${sameness}`)
    if (same === undefined || same.id === id || now - same.at >= window) return false
    return same.began || same.expires > now
  }

  #dueAt(code: string, recipient: Recipient, now: number): number {
    const { group } = this.#rules
    if (!this.#hasRoom(recipient)) return this.#spanEnd(recipient)
    if (code === stormReasons.folded.code && group !== undefined) return recipient.group.since + group.window
    return now + (group?.window ?? SOON_MS)
  }

  /** Of one part, for a digest. */
  #hasRoom(recipient: Recipient): boolean {
    const { recipient: budget } = this.#rules.budgets
    return budget === undefined || !recipient.told || recipient.budget.used + 1 <= budget.parts
  }

  #spanEnd(recipient: Recipient): number {
    return recipient.budget.since + (this.#rules.budgets.recipient?.perMs ?? 0)
  }

  #fold({ id, to, priority, text }: StormInput, recipient: Recipient, due: number): void {
    const { pending } = recipient
    if (pending === undefined) {
      recipient.pending = { to, count: 1, priority, latest: text, first: id, due }
      return
    }
    pending.count += 1
    pending.priority = Math.min(pending.priority, priority)
    pending.latest = text
  }

  #remember({ to, sameness, id, expires }: StormInput, at: number): void {
    const key = `${to}\n${sameness}`
    this.#same.delete(key)
    this.#same.set(key, { at, id, expires, began: false })
    const [oldest] = this.#same.keys()
    if (this.#same.size > MOST && oldest !== undefined) this.#same.delete(oldest)
  }

  #recipient(to: string, now: number): Recipient {
    const known = this.#recipients.get(to)
    if (known !== undefined) {
      this.#turn(known, now)
      return known
    }
    if (this.#recipients.size >= MOST) this.#forgetOldest()
    const recipient = {
      budget: { since: now, used: 0 },
      told: false,
      group: { since: now, used: 0 },
      passed: new Set<string>(),
      pending: undefined,
    }
    this.#recipients.set(to, recipient)
    return recipient
  }

  #forgetOldest(): void {
    for (const [to, { pending }] of this.#recipients) {
      if (pending !== undefined) continue
      this.#recipients.delete(to)
      return
    }
  }

  /** Begins new spans where the old ones are over. */
  #turn(recipient: Recipient, now: number): void {
    const { group, budgets } = this.#rules
    const over = (span: Span, length: number) => now - span.since >= length
    const budgetOver = over(recipient.budget, budgets.recipient?.perMs ?? 0)
    const groupOver = over(recipient.group, group?.window ?? 0)
    if (budgetOver) {
      recipient.budget = { since: now, used: 0 }
      recipient.told = false
    }
    if (groupOver) recipient.group = { since: now, used: 0 }
    if (budgetOver && groupOver) recipient.passed.clear()
  }

  #line(line: string, now: number): { span: Span; month: Span } {
    const { line: budget } = this.#rules.budgets
    let known = this.#lines.get(line)
    if (known === undefined) {
      known = { span: { since: now, used: 0 }, month: { since: now, used: 0 } }
      this.#lines.set(line, known)
    }
    if (now - known.span.since >= (budget?.perMs ?? HOUR_MS)) known.span = { since: now, used: 0 }
    const begin = monthBegin(now, this.#rules.zone)
    if (known.month.since < begin) known.month = { since: begin, used: 0 }
    return known
  }
}

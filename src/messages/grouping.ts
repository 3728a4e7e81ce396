/**
 * Which received parts make one message. Pure.
 *
 * Concatenation references come round again, some senders use one reference for ever (3GPP TS 23.040 9.2.3.24.1 asks
 * only that it differ between messages of a kind). So a part joins an entry only where its number is still missing and
 * the service centre had both within a day of each other; otherwise it begins a new entry. Nothing is ever swallowed.
 *
 * What several members bring of one fax call is one entry, the fullest, under the id of its own part: whoever acted upon
 * less of it acts upon the whole.
 */
import type { InboundPart, InboxEntry } from './inbound.ts'
import { assemble } from './reassembly.ts'

const DAY_MS = 86_400_000

export interface Grouped {
  id: string
  parts: InboundPart[]
  /** How often it was amended after it was first shown; -1 while it is not shown. */
  revision: number
}

/** A part with the id of the entry that it may begin, or an entry that is shown although parts are missing. */
export type GroupStep = { part: InboundPart; id: string } | { shown: string }

/** The parts of one node, line, sender, reference and total (reassembly.ts, groupOf). */
export class Group {
  readonly #entries = new Map<string, Grouped>()

  static of(steps: readonly GroupStep[]): Group {
    const group = new Group()
    for (const step of steps) {
      if ('part' in step) group.add(step.part, step.id)
      else group.show(step.shown)
    }
    return group
  }

  entries(): Iterable<Grouped> {
    return this.#entries.values()
  }

  /** Where it belongs is known already. */
  put(part: InboundPart, id: string): Grouped {
    const entry = this.#entries.get(id) ?? { id, parts: [], revision: -1 }
    entry.parts.push(part)
    this.#entries.set(id, entry)
    return entry
  }

  /** @param id of the entry that begins with it, if it does */
  add(part: InboundPart, id: string): Grouped {
    if (part.call !== undefined) return this.#addFax(part, id)
    const entry = this.put(part, this.#missing(part) ?? id)
    if (entry.revision >= 0 || assemble(entry.parts).complete) entry.revision += 1
    return entry
  }

  #addFax(part: InboundPart, id: string): Grouped {
    const [known] = this.#entries.values()
    const parts = [...(known?.parts ?? []), part]
    const [fullest] = parts.toSorted(byFullness)
    const entry = { id: known && fullest !== part ? known.id : id, parts, revision: 0 }
    this.#entries.clear()
    this.#entries.set(entry.id, entry)
    return entry
  }

  /** Shows an entry although parts are missing; undefined when it is not known or shown already. */
  show(id: string): Grouped | undefined {
    const entry = this.#entries.get(id)
    if (!entry || entry.revision >= 0) return undefined
    entry.revision = 0
    return entry
  }

  /** The entry that misses this part: of several the one nearest in service-centre time, then the first. */
  #missing(part: InboundPart): string | undefined {
    const number = part.concatenation?.part
    if (number === undefined) return undefined
    let best: string | undefined
    let bestGap = DAY_MS
    for (const { id, parts } of this.#entries.values()) {
      if (parts.some(({ concatenation }) => concatenation?.part === number)) continue
      const gap = parts.reduce((least, { sentAt }) => Math.min(least, Math.abs(sentAt - part.sentAt)), DAY_MS)
      if (gap >= bestGap) continue
      best = id
      bestGap = gap
    }
    return best
  }

  /** The entry as people read it; undefined while it is not shown. */
  static shown({ id, parts, revision }: Grouped): InboxEntry | undefined {
    const [head, ...rest] = parts
    if (revision < 0 || !head) return undefined
    const earliest = rest.reduce((a, b) => (b.at < a.at ? b : a), head)
    const [first = head] = head.call === undefined ? [earliest] : parts.toSorted(byFullness)
    const { text, complete, total, received } = assemble(parts)
    const { fax } = first
    return {
      id,
      node: first.node,
      line: first.line,
      from: first.from,
      sentAt: first.sentAt,
      at: first.at,
      text,
      complete: complete && fax?.complete !== false,
      parts: fax ? { total: fax.pages, received: fax.pages } : { total, received },
      revision,
      ...(fax === undefined ? {} : { fax }),
    }
  }
}

/** Of what was brought of one fax the fullest first. The fingerprint decides, so that every member shows the same. */
function byFullness(a: InboundPart, b: InboundPart): number {
  const whole = Number(b.fax?.complete === true) - Number(a.fax?.complete === true)
  return whole || (b.fax?.pages ?? 0) - (a.fax?.pages ?? 0) || (a.fingerprint < b.fingerprint ? -1 : 1)
}

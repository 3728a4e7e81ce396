/**
 * The last words between a line and its modem, for whoever has to find out what went wrong.
 *
 * A ring in memory only. Whoever reads it gets numbers, message texts and PINs masked; the raw text never leaves here.
 */

const ENTRIES = 200
/** Characters kept of one entry; a PDU of 176 octets with its service centre is longer than is worth keeping. */
const ENTRY_LIMIT = 120

export interface TraceEntry {
  /** Counts from 1, so that a reader knows what it has seen. */
  n: number
  /** ms of the monotonic clock */
  at: number
  direction: 'out' | 'in' | 'note'
  text: string
}

export class AtTrace {
  readonly #entries: TraceEntry[] = []
  #next = 0
  #count = 0

  add(at: number, direction: TraceEntry['direction'], text: string): void {
    this.#count += 1
    this.#entries[this.#next] = { n: this.#count, at, direction, text }
    this.#next = (this.#next + 1) % ENTRIES
  }

  /** The newest entries, oldest first, masked. */
  newest(count = ENTRIES): TraceEntry[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)]
    return ordered.slice(-count).map((entry) => ({ ...entry, text: mask(entry.text) }))
  }
}

/** Hides what must not be in a log: PINs, message bodies, texts, and all but the ends of long numbers. */
export function mask(text: string): string {
  return text
    .replace(/^([0-9A-Fa-f]{16,})(.*)$/s, (_, pdu: string) => `<pdu of ${pdu.length} characters>`)
    .replace(/(\+CPIN=).*/i, '$1***')
    .replace(/(\+(?:CUSD|CMT|CMGL|CMGR|CPBR|CNUM)\b[^"]*)"[^"]*"?/gi, '$1"***"')
    .replace(/\d{5,}/g, (digits) => `${digits.slice(0, 2)}***${digits.slice(-2)}`)
    .slice(0, ENTRY_LIMIT)
}

/**
 * Refusals on their way to the audit log. Whoever knocks a thousand times a second must not write a thousand lines:
 * one line a minute for each address and reason, and a bounded number of addresses.
 */
import { monotonic } from '#core/clock.ts'

const EVERY_MS = 60_000
const MOST = 256

export type Refuse = (address: string, code: string, text: string) => void

export function refusals(tell: Refuse): Refuse {
  const told = new Map<string, number>()
  return (address, code, text) => {
    const now = monotonic()
    for (const [key, at] of told) {
      if (now - at < EVERY_MS) break
      told.delete(key)
    }
    const key = `${code} ${address}`
    if (told.has(key) || told.size >= MOST) return
    told.set(key, now)
    tell(address, code, text)
  }
}

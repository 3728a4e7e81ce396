/**
 * How much page data may be written now, decided without I/O: enough that the modem always holds at least half a second
 * of it, never faster than a modem can stop us, and never so late that the modem pads a page with zeros unnoticed
 * (pitfall 11 of docs/fax.md).
 *
 * XOFF is obeyed to within two ticks of writing (a modem has some hundred bytes of room left when it sends XOFF; the
 * driver of the operating system is not asked to, see pitfall 2). What the modem holds is reckoned at the least: it
 * begins to use data as soon as its training is over and never pauses.
 */

/** How often the pump is asked. */
export const TICK_MS = 20
/** Times the line's rate: the first half second of data is at the modem within 125 ms. */
const PACE = 4
/** One tick that came late may make up for so much. */
const MOST_BURST_MS = 80
/** A tick later than this means that this program was held up, not the modem. */
const HELD_UP_MS = 100
/** Bytes that wait in this process for the device; more must not be added, they could not be called back. */
const MOST_BACKLOG = 256

export interface PumpState {
  /** Bytes a second that the modem sends. */
  readonly rate: number
  /** ms: when the modem begins to use data, at the earliest. */
  readonly from: number
  readonly total: number
  readonly written: number
  readonly asked: number
  readonly paused: boolean
}

/**
 * @param rate bit/s
 * @param training ms from CONNECT to the first bit of data
 * @param total bytes of data, without shielding
 */
export function startPump(rate: number, training: number, total: number, now: number): PumpState {
  const bytes = rate / 8
  // The first write is a whole burst: what a tick brings would be used up before a late one is known to be late.
  return { rate: bytes, from: now + training, total, written: 0, asked: now - MOST_BURST_MS, paused: false }
}

export type PumpStep = { write: number } | { write: 0; finished: true } | { write: 0; starved: true }

/**
 * @param backlog bytes written earlier that the device has not taken yet
 * @param live whether a modem that runs dry would have to pad the page
 */
export function stepPump(
  pump: PumpState,
  now: number,
  backlog: number,
  live: boolean,
): { pump: PumpState; step: PumpStep } {
  if (pump.written >= pump.total) return { pump, step: { write: 0, finished: true } }
  const late = now - pump.asked - TICK_MS
  const next = { ...pump, asked: now }
  if (live && late > HELD_UP_MS && reserve(pump, now) < 0)
    return { pump: next, step: { write: 0, starved: true } }
  if (pump.paused || backlog > MOST_BACKLOG) return { pump: next, step: { write: 0 } }
  // A tick that was late catches up, within what a modem that says XOFF can still take.
  const due = Math.min(Math.max(now - pump.asked, TICK_MS), MOST_BURST_MS)
  const write = Math.min(Math.ceil((pump.rate * PACE * due) / 1000), pump.total - pump.written)
  return { pump: { ...next, written: pump.written + write }, step: { write } }
}

/**
 * XOFF or XON came from the modem. With XON it says that it is not dry: whatever it used while it held us up was there,
 * so what it may lack counts from now on. An XON that is read late says nothing about now.
 */
export function flowPump(pump: PumpState, paused: boolean, now: number): PumpState {
  if (paused === pump.paused) return pump
  const fresh = !paused && now - pump.asked <= TICK_MS + HELD_UP_MS
  const from = fresh ? Math.max(pump.from, now - (pump.written * 1000) / pump.rate) : pump.from
  return { ...pump, from, paused }
}

/** Bytes that the modem still holds, at the least. Below zero it may have run dry. */
export const reserve = (pump: PumpState, now: number): number =>
  pump.written - Math.max(0, ((now - pump.from) * pump.rate) / 1000)

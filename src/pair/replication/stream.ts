/**
 * One log on its way to one member: what was sent, what is acknowledged, what may follow. Go-back-N with a window:
 * batches follow each other without waiting, and whatever goes wrong is cured by beginning again after the last
 * acknowledged entry, since merging what is known already changes nothing. Pure; the times are ms of a monotonic clock.
 *
 * `round` grows with each new beginning. A complaint of an older round is about batches that are under way again
 * already, so only complaints of the present round count; an acknowledgement counts whatever its round.
 */

/** At most so much is under way on one log; a batch that is larger alone goes alone. */
export const WINDOW_BATCHES = 32
const WINDOW_BYTES = 1_048_576
/** Silence after which the way is taken as lost, on top of what the bytes under way may need. */
const PATIENCE_MS = 2_000
const PATIENCE_BYTES_PER_MS = 512
const LONGEST_MS = 30_000

export interface Stream {
  readonly origin: string
  readonly incarnation: string
  /** On the member's disk. */
  readonly acked: number
  /** Sent in this round. */
  readonly sent: number
  readonly flight: readonly { upTo: number; bytes: number; at: number }[]
  readonly round: number
  /** The log is being read for it. */
  readonly reading: boolean
  /** One batch at a time until something is acknowledged. */
  readonly probing: boolean
  /** When something was last sent into silence, or acknowledged. */
  readonly heardAt: number
  /** Nothing is sent before that. */
  readonly pausedUntil: number
  /** Disappointments since the last acknowledgement. */
  readonly tries: number
  /** The member asked for it: it ends with the entries that are held here. */
  readonly asked: boolean
}

export const beginStream = (
  log: { origin: string; incarnation: string },
  acked: number,
  asked: boolean,
): Stream => ({
  origin: log.origin,
  incarnation: log.incarnation,
  acked,
  sent: acked,
  flight: [],
  round: 0,
  reading: false,
  probing: false,
  heardAt: 0,
  pausedUntil: 0,
  tries: 0,
  asked,
})

const flying = (stream: Stream): number => stream.flight.reduce((sum, { bytes }) => sum + bytes, 0)

/** Whether another batch may leave. */
export const hasRoom = (stream: Stream, now: number): boolean =>
  now >= stream.pausedUntil &&
  (stream.flight.length === 0 ||
    (!stream.probing && stream.flight.length < WINDOW_BATCHES && flying(stream) < WINDOW_BYTES))

export function sentOn(stream: Stream, upTo: number, bytes: number, now: number): Stream {
  return {
    ...stream,
    sent: upTo,
    reading: false,
    flight: [...stream.flight, { upTo, bytes, at: now }],
    heardAt: stream.flight.length === 0 ? now : stream.heardAt,
  }
}

/** @returns also how old the newest batch was that this acknowledges, ms; undefined when it acknowledges nothing new */
export function ackedOn(stream: Stream, sequence: number, now: number): { stream: Stream; age?: number } {
  const covered = stream.flight.filter(({ upTo }) => upTo <= sequence).at(-1)
  const after: Stream = {
    ...stream,
    acked: Math.max(stream.acked, sequence),
    sent: Math.max(stream.sent, sequence),
    flight: stream.flight.filter(({ upTo }) => upTo > sequence),
  }
  if (sequence <= stream.acked) return { stream: after }
  const moved = { ...after, probing: false, tries: 0, pausedUntil: 0, heardAt: now }
  return covered ? { stream: moved, age: now - covered.at } : { stream: moved }
}

/** Begins again after what is acknowledged. */
export const rewind = (stream: Stream): Stream => ({
  ...stream,
  sent: stream.acked,
  flight: [],
  reading: false,
  round: stream.round + 1,
})

/** Begins again, one batch at a time, after a pause that doubles with every disappointment. */
export function backOff(stream: Stream, firstMs: number, now: number): Stream {
  const pause = Math.min(LONGEST_MS, firstMs * 2 ** Math.min(stream.tries, 10))
  return { ...rewind(stream), probing: true, tries: stream.tries + 1, pausedUntil: now + pause }
}

/** When what is under way counts as lost; undefined when nothing is. */
export function lostAt(stream: Stream): number | undefined {
  if (stream.flight.length === 0) return undefined
  const patience = PATIENCE_MS * 2 ** Math.min(stream.tries, 4) + flying(stream) / PATIENCE_BYTES_PER_MS
  return stream.heardAt + patience
}

export const lost = (stream: Stream): Stream => ({
  ...rewind(stream),
  probing: true,
  tries: stream.tries + 1,
})

/**
 * The time that is left to confirm a change before the appliance takes it back by itself. Counted from the moment the
 * answer came, not from its time of day: the clock of the browser's machine may be wrong by hours. Pure.
 */

export interface Countdown {
  revision: string
  /** ms of the page's own monotonic clock at which it ends */
  ends: number
  /** ms that it had at its beginning */
  length: number
}

/** @param now ms of the monotonic clock @param left ms until the appliance goes back, by its own clock */
export const countdown = (revision: string, left: number, now: number): Countdown => ({
  revision,
  ends: now + left,
  length: left,
})

/** Whole seconds left, 0 at the end. */
export const secondsLeft = ({ ends }: Countdown, now: number): number =>
  Math.max(0, Math.ceil((ends - now) / 1_000))

/** From 1 to 0, for the bar. */
export const shareLeft = ({ ends, length }: Countdown, now: number): number =>
  length <= 0 ? 0 : Math.min(1, Math.max(0, (ends - now) / length))

/** `1:30`, or `9:59:00` where it is longer than an hour. */
export function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

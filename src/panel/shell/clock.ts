/**
 * The panel's time: the appliance's clock as far as the browser knows it, ticking once a second.
 * Rests on the Date header of every answer (RFC 9110 6.6.1), because a phone's clock may be minutes off.
 */
import { signal } from '@preact/signals'

/** How far the appliance's clock is ahead of this browser's, ms. */
let ahead = 0

const browserNow = (): number => Date.now()

/** ms since 1970, by the appliance's clock; components that read it are drawn again each second. */
export const now = signal(browserNow())

/** @param header the Date header of an answer; it counts whole seconds, so smaller differences say nothing */
export function learnTime(header: string | null): void {
  const told = header === null ? Number.NaN : Date.parse(header)
  if (Number.isNaN(told)) return
  const difference = told - browserNow()
  ahead = Math.abs(difference) < 2_000 ? 0 : difference
}

export function startClock(): void {
  setInterval(() => {
    now.value = browserNow() + ahead
  }, 1_000)
}

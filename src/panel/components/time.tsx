/** Points in time: <Time at={iso} /> in the stated zone, <Ago at={iso} /> as a distance that goes on counting. */
import { now } from '../shell/clock.ts'
import { dateTime, relative, shortTime, zoneName } from '../shell/words.ts'

const iso = (at: string | number): string => (typeof at === 'string' ? at : new Date(at).toISOString())

export function Time({ at, long }: { at: string | number; long?: boolean }) {
  const text = long ? `${dateTime(at)} ${zoneName(at)}` : shortTime(at, now.value)
  return (
    <time class="figures" dateTime={iso(at)} title={`${dateTime(at)} ${zoneName(at)}`}>
      {text}
    </time>
  )
}

export function Ago({ at }: { at: string | number }) {
  return (
    <time class="figures" dateTime={iso(at)} title={`${dateTime(at)} ${zoneName(at)}`}>
      {relative(at, now.value)}
    </time>
  )
}

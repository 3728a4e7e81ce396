/**
 * How something is: always a shape and a word, and only then a colour, so that nothing is told by colour alone.
 *
 *   <Status tone="ok">Ready</Status>      tones: ok ✓ circle · warn triangle · bad octagon · busy half disc · off ring
 *   <Bars dbm={-71} />                    signal of a line: five bars and the figure
 */
import type { ComponentChildren } from 'preact'
import { number } from '../shell/words.ts'
import { words } from './words.ts'

export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'off'

const shapes: Record<Tone, { body: string; mark?: string }> = {
  ok: { body: 'M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16z', mark: 'M6 10.400l2.700 2.700L14.200 7.500' },
  warn: { body: 'M10 2 19 17.500H1z', mark: 'M10 7.500v5M10 14.600v.6' },
  bad: { body: 'M6.500 2h7L18 6.500v7L13.500 18h-7L2 13.500v-7z', mark: 'M7 7l6 6M13 7l-6 6' },
  busy: { body: 'M10 2a8 8 0 1 0 0 16z', mark: 'M10 3a7 7 0 0 1 0 14' },
  off: { body: '', mark: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14z' },
}

export function StatusShape({ tone }: { tone: Tone }) {
  const { body, mark } = shapes[tone]
  return (
    <svg class={`shape shape-${tone}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {body === '' ? null : <path class="shape-body" d={body} />}
      {mark === undefined ? null : <path class="shape-mark" d={mark} />}
    </svg>
  )
}

export function Status({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`status status-${tone}`}>
      <StatusShape tone={tone} />
      <span>{children}</span>
    </span>
  )
}

/** How many of five bars a signal fills; −51 dBm and more is the best that +CSQ can tell, −113 the least. */
const barsOf = (dbm: number): number => [-107, -97, -87, -77, -67].filter((step) => dbm >= step).length

export function Bars({ dbm }: { dbm: number | undefined }) {
  if (dbm === undefined) return <span class="quiet">{words.t('noSignal')}</span>
  const filled = barsOf(dbm)
  return (
    <span class="bars">
      <svg viewBox="0 0 28 18" aria-hidden="true" focusable="false">
        {[0, 1, 2, 3, 4].map((n) => (
          <rect
            key={n}
            class={n < filled ? 'bar-on' : 'bar-off'}
            x={n * 6}
            y={14 - n * 3.5}
            width="4"
            height={4 + n * 3.5}
            rx="1"
          />
        ))}
      </svg>
      <span class="figures">{words.t('dbm', { value: number(dbm) })}</span>
      <span class="unseen">{words.t('barsOf', { filled, all: 5 })}</span>
    </span>
  )
}

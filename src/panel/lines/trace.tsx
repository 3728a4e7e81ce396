/** The dialogue with a modem as it happens: asked every 300 ms while it is looked at, bounded, secrets masked. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { LineTrace } from '#intake/http/line-schemas.ts'
import { Notice } from '../components/layout.tsx'
import { get } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import type { LineView } from '../shell/shapes.ts'
import { preciseTime } from '../shell/words.ts'
import { linePath } from './actions.ts'
import { words } from './words.ts'

const PAUSE_MS = 300
const KEPT = 500

type Entry = LineTrace['entries'][number]
const marks: Record<Entry['direction'], string> = { '>': '→', '<': '←', '-': '·' }

/** It scrolls, so the keyboard must get there. */
const byKeyboard = { tabIndex: 0 } as const

/** @param fromNow shows only what comes after the first look */
export function Trace({ line, fromNow }: { line: LineView; fromNow?: boolean }) {
  const entries = useSignal<readonly Entry[]>([])
  const problem = useSignal<string | undefined>(undefined)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let over = false
    let after: number | undefined
    const follow = async (): Promise<void> => {
      while (!over) {
        const answer = await get<LineTrace>(linePath(line, 'trace'), after === undefined ? {} : { after })
        if (over) return
        if (answer.ok) {
          const first = after === undefined
          after = answer.value.next
          problem.value = undefined
          if (answer.value.entries.length > 0 && !(first && fromNow))
            entries.value = [...entries.peek(), ...answer.value.entries].slice(-KEPT)
        } else {
          problem.value = problemText(answer.problem)
          if (answer.problem.status === 404) return
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    }
    void follow()
    return () => {
      over = true
    }
  }, [line.id, line.node])
  useEffect(() => {
    const element = box.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }, [entries.value])
  if (problem.value !== undefined) return <Notice tone="warn">{problem.value}</Notice>
  return (
    <section class="trace" ref={box} {...byKeyboard} aria-label={words.t('traceLabel', { line: line.id })}>
      {entries.value.length === 0 ? <p class="quiet">{words.t('traceEmpty')}</p> : null}
      {entries.value.map(({ n, at, direction, text }) => (
        <p key={n} class={direction === '>' ? 'trace-out' : undefined}>
          <span class="quiet">{preciseTime(at)}</span> <span>{marks[direction]}</span> {text}
        </p>
      ))}
    </section>
  )
}

/**
 * A change on trial: the time that is left, and the two ways on. It stays in sight on every page of the configuration,
 * and says what became of the change when the time is over.
 */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { StatusShape } from '../components/status.tsx'
import { type Countdown, clockText, secondsLeft, shareLeft } from './countdown.ts'
import { words } from './words.ts'

const TICK_MS = 250

/** What had the focus is gone from the page: whoever uses the keyboard goes on here, and not at the very beginning. */
function goOnAt(element: () => HTMLElement | null): void {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) element()?.focus({ preventScroll: true })
  })
}

export function TrialBar(props: {
  trial: Countdown
  confirm: () => Promise<void>
  revert: () => Promise<void>
  /** Called once when the time is over. */
  over: () => void
}) {
  const { trial } = props
  const now = useSignal(performance.now())
  const left = secondsLeft(trial, now.value)
  const ended = left === 0
  const section = useRef<HTMLElement>(null)
  useEffect(() => {
    goOnAt(() => section.current)
    return () => goOnAt(() => document.querySelector('h1'))
  }, [])
  useEffect(() => {
    if (ended) {
      props.over()
      return
    }
    const tick = setInterval(() => {
      now.value = performance.now()
    }, TICK_MS)
    return () => clearInterval(tick)
  }, [trial.revision, ended])
  return (
    <section class="trial" aria-label={words.t('trialTitle')} tabIndex={-1} ref={section}>
      <StatusShape tone="warn" />
      <div class="trial-text">
        <strong>{words.t('trialTitle')}</strong>
        <p>{ended ? words.t('trialOver') : words.t('trialText')}</p>
      </div>
      <p class="trial-clock figures" role="timer" aria-label={words.t('trialLeft', { seconds: left })}>
        {clockText(left)}
      </p>
      <div class="actions">
        <Button kind="primary" disabled={ended} onClick={props.confirm}>
          {words.t('confirm')}
        </Button>
        <Button disabled={ended} onClick={props.revert}>
          {words.t('revertNow')}
        </Button>
      </div>
      <progress class="trial-bar" max={1} value={shareLeft(trial, now.value)} aria-hidden="true" />
    </section>
  )
}

/**
 * Short news about what was just done: announce('Line gsm0 restarts'); announce(problemText(p), 'bad').
 * A polite live region reads them out; a refusal stays until it is closed, the rest goes after a while.
 */
import { signal } from '@preact/signals'
import { Icon } from './icons.tsx'
import { StatusShape, type Tone } from './status.tsx'
import { words } from './words.ts'

interface Toast {
  id: number
  text: string
  tone: Tone
}

const SHOWN_MS = 6_000
const AT_ONCE = 4
const toasts = signal<readonly Toast[]>([])
let count = 0

const dismiss = (id: number): void => {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id)
}

export function announce(text: string, tone: Tone = 'ok'): void {
  count += 1
  const id = count
  toasts.value = [...toasts.peek(), { id, text, tone }].slice(-AT_ONCE)
  if (tone !== 'bad') setTimeout(() => dismiss(id), SHOWN_MS)
}

export function ToastHost() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone }) => (
        <div class={`toast toast-${tone}`} key={id}>
          <StatusShape tone={tone} />
          <span>{text}</span>
          <button
            type="button"
            class="button button-quiet button-icon"
            aria-label={words.t('close')}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}

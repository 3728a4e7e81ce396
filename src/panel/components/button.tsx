/**
 * Buttons, and the question that comes before what cannot be taken back.
 *
 *   <Button kind="primary" onClick={…}>Send</Button>              kinds: primary · plain (default) · danger · quiet
 *   <Button confirm={{ title: 'Restart gsm0?', text: 'It sends nothing for about 20 s.', action: 'Restart' }} onClick={…}>
 *   if (await confirmed({ title, text, action, kind: 'danger', type: 'box-b' })) …
 *
 * `text` says what will happen, in whole sentences. `type` must be typed in before the button can be used. While a
 * promise that onClick returned is pending the button is busy and takes no second click.
 */
import { signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Dialog } from './dialog.tsx'
import { Icon, type IconName } from './icons.tsx'
import { words } from './words.ts'

export interface Question {
  title: string
  text: ComponentChildren
  /** The word on the button that does it. */
  action: string
  kind?: 'primary' | 'danger'
  /** What has to be typed in first. */
  type?: string
}

const asked = signal<{ question: Question; answer: (yes: boolean) => void } | undefined>(undefined)

export function confirmed(question: Question): Promise<boolean> {
  asked.peek()?.answer(false)
  return new Promise((resolve) => {
    asked.value = {
      question,
      answer(yes) {
        asked.value = undefined
        resolve(yes)
      },
    }
  })
}

/** Stands once, in the shell. */
export function ConfirmHost() {
  const typed = useSignal('')
  const open = asked.value
  if (open === undefined) {
    if (typed.peek() !== '') typed.value = ''
    return null
  }
  const { question, answer } = open
  const ready = question.type === undefined || typed.value.trim() === question.type
  return (
    <Dialog title={question.title} onClose={() => answer(false)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) answer(true)
        }}
      >
        <div class="stack">
          {typeof question.text === 'string' ? <p>{question.text}</p> : question.text}
          {question.type === undefined ? null : (
            <label class="field">
              <span class="field-label">{words.t('typeToConfirm', { text: question.type })}</span>
              <input
                class="input"
                autocomplete="off"
                value={typed.value}
                onInput={(event) => {
                  typed.value = event.currentTarget.value
                }}
              />
            </label>
          )}
          <div class="actions actions-end">
            <Button onClick={() => answer(false)}>{words.t('keep')}</Button>
            <Button kind={question.kind ?? 'primary'} type="submit" disabled={!ready}>
              {question.action}
            </Button>
          </div>
        </div>
      </form>
    </Dialog>
  )
}

export function Button(props: {
  children: ComponentChildren
  kind?: 'primary' | 'plain' | 'danger' | 'quiet'
  type?: 'button' | 'submit'
  icon?: IconName
  /** Says more than the word on it, for screen readers: `Restart line gsm0`. */
  label?: string
  disabled?: boolean
  busy?: boolean
  pressed?: boolean
  confirm?: Question
  onClick?: () => unknown
}) {
  const working = useSignal(false)
  const busy = working.value || props.busy === true
  const run = async (): Promise<void> => {
    if (props.confirm !== undefined && !(await confirmed(props.confirm))) return
    working.value = true
    try {
      await props.onClick?.()
    } finally {
      working.value = false
    }
  }
  return (
    <button
      class={`button button-${props.kind ?? 'plain'}`}
      type={props.type ?? 'button'}
      aria-label={props.label}
      aria-busy={busy ? 'true' : undefined}
      aria-disabled={busy ? 'true' : undefined}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={(event) => {
        if (busy) event.preventDefault()
        else if (props.onClick !== undefined) void run()
      }}
    >
      {props.icon === undefined ? null : <Icon name={props.icon} />}
      <span>{props.children}</span>
    </button>
  )
}

/**
 * A native modal <dialog>: the browser keeps the focus in it, closes it by Escape and gives the focus back.
 * Drawn only while it is open: {open && <Dialog title="…" onClose={() => …}> … </Dialog>}
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Icon } from './icons.tsx'
import { words } from './words.ts'

const FIRST = 'input:enabled, select:enabled, textarea:enabled, .actions > button:enabled'

export function Dialog(props: {
  title: string
  onClose: () => void
  wide?: boolean
  children: ComponentChildren
}) {
  const id = useId()
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    dialog?.showModal()
    // Not the cross, which comes first: where typing begins, or the way back that stands before the deed.
    dialog?.querySelector<HTMLElement>(`.dialog-body :is(${FIRST})`)?.focus()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class={props.wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
    >
      <header class="dialog-head">
        <h2 id={id}>{props.title}</h2>
        <button
          type="button"
          class="button button-quiet button-icon"
          aria-label={words.t('close')}
          onClick={props.onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  )
}

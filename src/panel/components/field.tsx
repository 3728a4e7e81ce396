/**
 * Forms: label above, help below it, the appliance's refusal beside the field it names.
 *
 *   const form = useForm()
 *   <Form form={form} submit={() => post('/messages', body())} done={(answer) => …}>
 *     <Field form={form} name="text" label="Text" help="…">
 *       {(bind) => <textarea {...bind} value={…} onInput={…} />}
 *     </Field>
 *     <FormEnd form={form} action="Send" />                       the button, and what no field could show
 *   </Form>
 *
 * A refusal names its field as the interface does (`to[3]`, `users.name`); it is shown at the Field whose name is that or a
 * beginning of it. form.refuse({ field, … }) shows a refusal that the page found by itself.
 */
import { type Signal, signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useMemo, useRef } from 'preact/hooks'
import type { Answer, Problem } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { Button } from './button.tsx'
import { Notice } from './layout.tsx'
import { words } from './words.ts'

export interface FormState {
  busy(): boolean
  /** The refusal that belongs to this field, if any. */
  problemAt(name: string): Problem | undefined
  /** A refusal that no field on the screen shows. */
  rest(): Problem | undefined
  refuse(problem: Problem | undefined): void
  setBusy(busy: boolean): void
  /** Fields tell that they are on the screen. @returns takes it back */
  enter(name: string): () => void
}

const covers = (name: string, field: string | undefined): boolean =>
  field !== undefined && (field === name || field.startsWith(`${name}[`) || field.startsWith(`${name}.`))

export function useForm(): FormState {
  return useMemo(() => {
    const problem = signal<Problem | undefined>(undefined)
    const busy = signal(false)
    const names = new Set<string>()
    return {
      busy: () => busy.value,
      problemAt: (name) => (covers(name, problem.value?.field) ? problem.value : undefined),
      rest() {
        const found = problem.value
        return [...names].some((name) => covers(name, found?.field)) ? undefined : found
      },
      refuse(found) {
        problem.value = found
      },
      setBusy(now) {
        busy.value = now
      },
      enter(name) {
        names.add(name)
        return () => names.delete(name)
      },
    }
  }, [])
}

export function Form<T>(props: {
  form: FormState
  submit: () => Promise<Answer<T>>
  done: (value: T) => unknown
  children: ComponentChildren
}) {
  const { form } = props
  const element = useRef<HTMLFormElement>(null)
  const run = async (): Promise<void> => {
    form.setBusy(true)
    form.refuse(undefined)
    const answer = await props.submit()
    form.setBusy(false)
    if (answer.ok) {
      await props.done(answer.value)
      return
    }
    form.refuse(answer.problem)
    requestAnimationFrame(() => {
      element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
    })
  }
  return (
    <form
      class="stack"
      ref={element}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!form.busy()) void run()
      }}
    >
      {props.children}
    </form>
  )
}

/** What a Field gives to the control inside it. */
export interface Bind {
  id: string
  name: string
  class: string
  'aria-describedby': string | undefined
  'aria-invalid': 'true' | undefined
}

export function Field(props: {
  name: string
  label: string
  help?: ComponentChildren
  form?: FormState
  /** A refusal found while typing; comes before the form's. */
  problem?: string | undefined
  optional?: boolean
  children: (bind: Bind) => ComponentChildren
}) {
  const id = useId()
  useEffect(() => props.form?.enter(props.name), [props.name])
  const refused = props.form?.problemAt(props.name)
  const error = props.problem ?? (refused === undefined ? undefined : problemText(refused))
  const described = [
    ...(props.help === undefined ? [] : [`${id}-help`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ].join(' ')
  return (
    <div class={error === undefined ? 'field' : 'field field-wrong'}>
      <label class="field-label" for={id}>
        {props.label}
        {props.optional ? <span class="quiet"> · {words.t('optional')}</span> : null}
      </label>
      {props.help === undefined ? null : (
        <p class="field-help" id={`${id}-help`}>
          {props.help}
        </p>
      )}
      {props.children({
        id,
        name: props.name,
        class: 'input',
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': error === undefined ? undefined : 'true',
      })}
      {error === undefined ? null : (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}

export function Checkbox(props: {
  label: string
  help?: string
  checked: boolean
  onChange: (checked: boolean) => void
}) {
  const id = useId()
  return (
    <div class="checkbox">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        aria-describedby={props.help === undefined ? undefined : `${id}-help`}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      {props.help === undefined ? null : (
        <p class="field-help" id={`${id}-help`}>
          {props.help}
        </p>
      )}
    </div>
  )
}

/** A password that can be looked at while it is typed. */
export function PasswordInput(props: {
  bind: Bind
  value: string
  isNew?: boolean
  disabled?: boolean
  onInput: (value: string) => void
}) {
  const shown = useSignal(false)
  const bound = {
    ...props.bind,
    disabled: props.disabled ?? false,
    autocomplete: props.isNew ? 'new-password' : 'current-password',
    value: props.value,
    onInput: (event: InputEvent & { currentTarget: HTMLInputElement }) =>
      props.onInput(event.currentTarget.value),
  }
  return (
    <div class="password">
      {shown.value ? (
        <input {...bound} type="text" spellcheck={false} />
      ) : (
        <input {...bound} type="password" />
      )}
      <Button
        kind="quiet"
        pressed={shown.value}
        onClick={() => {
          shown.value = !shown.value
        }}
      >
        {shown.value ? words.t('hide') : words.t('show')}
      </Button>
    </div>
  )
}

export function FormEnd(props: {
  form: FormState
  action: string
  kind?: 'primary' | 'danger'
  disabled?: boolean
  children?: ComponentChildren
}) {
  const rest = props.form.rest()
  return (
    <>
      {rest === undefined ? null : <Notice tone="bad">{problemText(rest)}</Notice>}
      <div class="actions">
        <Button
          type="submit"
          kind={props.kind ?? 'primary'}
          busy={props.form.busy()}
          disabled={props.disabled ?? false}
        >
          {props.action}
        </Button>
        {props.children}
      </div>
    </>
  )
}

/** The name of a user; `isNew` where it is being chosen for somebody else, so that the browser offers no own one. */
export function UserNameField(props: {
  form: FormState
  label: string
  help?: ComponentChildren
  isNew?: boolean
  value: Signal<string>
}) {
  const { value, isNew = false, ...field } = props
  return (
    <Field {...field} name="name">
      {(bind) => (
        <input
          {...bind}
          autocomplete={isNew ? 'off' : 'username'}
          autocapitalize="none"
          spellcheck={false}
          value={value.value}
          onInput={(event) => {
            value.value = event.currentTarget.value
          }}
        />
      )}
    </Field>
  )
}

/** A password of a form, with its label and what was refused about it; `isNew` where it is being chosen. */
export function PasswordField(props: {
  form: FormState
  name: string
  label: string
  help?: ComponentChildren
  isNew?: boolean
  value: Signal<string>
}) {
  const { value, isNew = false, ...field } = props
  return (
    <Field {...field}>
      {(bind) => (
        <PasswordInput
          bind={bind}
          isNew={isNew}
          value={value.value}
          onInput={(typed) => {
            value.value = typed
          }}
        />
      )}
    </Field>
  )
}

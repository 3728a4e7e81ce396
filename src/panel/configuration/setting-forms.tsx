/**
 * Forms made from the appliance's own description of its keys: the shared settings, and the own file of a member. What is
 * typed is checked by the appliance while it is typed; nothing is applied before the last look.
 */
import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import type { Answer, Problem } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { saidText } from '../shell/said.ts'
import { type Draft, type FieldProblem, isEmpty, strayProblems, withoutPath, withValue } from './draft.ts'
import { type AnyField, fieldPaths } from './field-model.ts'
import { useLeaveWarning } from './leave-warning.ts'
import type { FieldWords } from './plain-field.tsx'
import { Review } from './review.tsx'
import type { Checked } from './shapes.ts'
import { ValueField } from './value-field.tsx'
import { words } from './words.ts'

const CHECK_PAUSE_MS = 350

export interface FormPart {
  name: string
  title: string
  fields: readonly AnyField[]
  /** Stands above its fields. */
  intro?: ComponentChildren
}

/** What the forms hold: the value of a path as typed, or else as the appliance has it. */
export type ValueAt = (path: string) => unknown

interface Props<C extends Checked> {
  parts: readonly FormPart[]
  /** Names of the parts as links beside them, where there are many. */
  linked?: boolean
  /** Values as the appliance has them, by path. */
  held: ReadonlyMap<string, unknown>
  text: FieldWords
  disabled: boolean
  check: (changes: Draft) => Promise<Answer<C>>
  /** @returns why not */
  apply: (changes: Draft, confirmWithin: string | undefined) => Promise<Problem | undefined>
  /** Whether it may be applied for good at once. */
  mayKeep: boolean
  /** In the place of what was typed, where it begins something. */
  typed?: (path: string, value: unknown, valueAt: ValueAt) => unknown
  /** What the forms as typed mean, above them and at the last look; `brief` while there are changes. */
  outlook?: (
    valueAt: ValueAt,
    checked: C | undefined,
  ) => { whole: ComponentChildren; brief: ComponentChildren }
  /** What else happens when it is applied, such as a restart. */
  note?: ComponentChildren
  /** Where the value of a field comes from. */
  source?: (path: string) => string
}

export function SettingForms<C extends Checked>(props: Props<C>) {
  const { parts, held, text, disabled } = props
  const draft = useSignal<Draft>({})
  const checked = useSignal<C | undefined>(undefined)
  const reviewing = useSignal(false)
  const problems: FieldProblem[] = (checked.value?.problems ?? []).map(({ path, message }) => ({
    path,
    text: saidText(message),
  }))
  const valueAt: ValueAt = (path) => (path in draft.value ? (draft.value[path] ?? undefined) : held.get(path))
  const paths = parts.flatMap(({ fields }) =>
    fields.flatMap((field) => fieldPaths(field, valueAt(field.path), field.path)),
  )
  const look = props.outlook?.(valueAt, checked.value)
  useChecks(draft, checked, props.check)
  useLeaveWarning(!isEmpty(draft.value))

  function change(path: string, value: unknown): void {
    const begun = props.typed === undefined ? value : props.typed(path, value, valueAt)
    draft.value = withValue(draft.value, path, begun ?? null, held.get(path) ?? null)
  }

  async function review(): Promise<void> {
    const answer = await props.check(draft.value)
    if (!answer.ok) {
      announce(problemText(answer.problem), 'bad')
      return
    }
    checked.value = answer.value
    if (answer.value.problems.length === 0) reviewing.value = true
    else requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  }

  const cards = parts.map((part) => (
    <div key={part.name} id={part.name}>
      <Card title={part.title}>
        {part.intro}
        {part.fields.map((field) => (
          <div key={field.path} class={field.path in draft.value ? 'setting setting-changed' : 'setting'}>
            <ValueField
              field={field}
              at={field.path}
              value={valueAt(field.path)}
              onChange={(value) => change(field.path, value)}
              problems={problems}
              paths={paths}
              text={text}
              disabled={disabled}
            />
            {field.path in draft.value ? (
              <Changed
                name={text.name(field.path)}
                back={() => {
                  draft.value = withoutPath(draft.value, field.path)
                }}
              />
            ) : props.source === undefined ? null : (
              <p class="setting-state quiet">{props.source(field.path)}</p>
            )}
          </div>
        ))}
      </Card>
    </div>
  ))
  return (
    <>
      {look?.whole}
      {props.linked ? (
        <div class="settings">
          <nav class="settings-nav" aria-label={words.t('sections')}>
            {parts.map(({ name, title }) => (
              <a key={name} href={`#${name}`}>
                {title}
              </a>
            ))}
          </nav>
          <div class="stack">{cards}</div>
        </div>
      ) : (
        cards
      )}
      {isEmpty(draft.value) ? null : (
        <Pending
          count={Object.keys(draft.value).length}
          problems={problems}
          stray={strayProblems(problems, paths)}
          name={text.name}
          brief={look?.brief}
          discard={() => {
            draft.value = {}
          }}
          review={review}
        />
      )}
      {reviewing.value ? (
        <Review
          changes={checked.value?.diff ?? []}
          name={text.name}
          mayKeep={props.mayKeep}
          note={
            <>
              {props.note}
              {look?.whole}
            </>
          }
          apply={async (confirmWithin) => {
            const refused = await props.apply(draft.value, confirmWithin)
            if (refused !== undefined) return refused
            reviewing.value = false
            draft.value = {}
            return undefined
          }}
          close={() => {
            reviewing.value = false
          }}
        />
      ) : null}
    </>
  )
}

/** The way back from what was typed. */
function Changed({ name, back }: { name: string; back: () => void }) {
  return (
    <p class="setting-state">
      <strong>{words.t('changed')}</strong>{' '}
      <Button kind="quiet" label={words.t('undoLabel', { name })} onClick={back}>
        {words.t('undo')}
      </Button>
    </p>
  )
}

function Pending(props: {
  count: number
  problems: readonly FieldProblem[]
  stray: readonly FieldProblem[]
  name: (path: string) => string
  brief: ComponentChildren
  discard: () => void
  review: () => Promise<void>
}) {
  return (
    <section class="pending" aria-label={words.t('pending')}>
      <p>
        <strong>{words.t('pendingCount', { count: props.count })}</strong>{' '}
        {props.problems.length === 0 ? null : (
          <span class="field-error">{words.t('problemCount', { count: props.problems.length })}</span>
        )}
        {props.brief}
      </p>
      {props.stray.map((problem) => (
        <p key={problem.path} class="field-error pending-stray">
          {problem.path === '' ? '' : `${props.name(problem.path)}: `}
          {problem.text}
        </p>
      ))}
      <div class="actions">
        <Button kind="quiet" onClick={props.discard}>
          {words.t('discard')}
        </Button>
        <Button kind="primary" onClick={props.review}>
          {words.t('review')}
        </Button>
      </div>
    </section>
  )
}

/** The appliance looks at a draft while it is typed; the newest question wins. */
function useChecks<C extends Checked>(
  draft: Signal<Draft>,
  checked: Signal<C | undefined>,
  check: (changes: Draft) => Promise<Answer<C>>,
): void {
  const typed = draft.value
  useEffect(() => {
    if (isEmpty(typed)) {
      checked.value = undefined
      return
    }
    let over = false
    const soon = setTimeout(async () => {
      const answer = await check(typed)
      if (!over && answer.ok) checked.value = answer.value
    }, CHECK_PAUSE_MS)
    return () => {
      over = true
      clearTimeout(soon)
    }
  }, [typed])
}

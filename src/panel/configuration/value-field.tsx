/**
 * One setting as a form field, whatever its kind: a text, a choice, a list with one entry a line, or a table whose
 * entries are added, moved and removed. What the appliance says about it stands beside it.
 */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { type Bind, Checkbox, Field, PasswordInput } from '../components/field.tsx'
import { type FieldProblem, isRecord, isWithin, moved, problemsOf, withKey } from './draft.ts'
import {
  type AnyField,
  columnsOf,
  entriesOf,
  entryTitle,
  linesOf,
  newEntry,
  SECRET,
  textOf,
  typedValue,
  withColumn,
} from './field-model.ts'
import { words } from './words.ts'

/** Names and meanings of fields; the appliance's own words where a dictionary has none. */
export interface FieldWords {
  /** Of a whole path, as in a message. */
  name(path: string): string
  label(field: AnyField, at: string): string
  help(field: AnyField, at: string): ComponentChildren
}

interface Props {
  field: AnyField
  /** The whole path of the field. */
  at: string
  value: unknown
  onChange: (value: unknown) => void
  problems: readonly FieldProblem[]
  /** All paths on the screen. */
  paths: readonly string[]
  text: FieldWords
  disabled: boolean
}

export function ValueField(props: Props) {
  const { field } = props
  if (field.type === 'table') return <TableField {...props} />
  if (field.type === 'group') return <GroupField {...props} />
  if (field.type === 'choice' && field.columns !== undefined) return <ChoiceOrSection {...props} />
  return <PlainField {...props} />
}

const messages = ({ problems, at, paths }: Pick<Props, 'problems' | 'at' | 'paths'>): string | undefined => {
  const texts = problemsOf(problems, at, paths).map(({ path, text }) =>
    path === at ? text : `${path.slice(at.length)}: ${text}`,
  )
  return texts.length === 0 ? undefined : texts.join('\n')
}

function PlainField(props: Props) {
  const { field, at, value, onChange, text, disabled } = props
  return (
    <Field
      name={at}
      label={text.label(field, at)}
      help={text.help(field, at)}
      problem={messages(props)}
      optional={field.required !== true && field.type !== 'boolean' && field.type !== 'choice'}
    >
      {(bind) => {
        const shared = { ...bind, disabled }
        const typed = (event: { currentTarget: { value: string } }) =>
          onChange(typedValue(field, event.currentTarget.value))
        switch (field.type) {
          case 'boolean':
            return (
              <select
                {...shared}
                value={String(value ?? '')}
                onChange={(event) => onChange(flagOf(event.currentTarget.value))}
              >
                {value === undefined || field.required !== true ? (
                  <option value="">{words.t('byDefault', { value: yesNo(field.default) })}</option>
                ) : null}
                <option value="true">{words.t('yes')}</option>
                <option value="false">{words.t('no')}</option>
              </select>
            )
          case 'choice':
            return (
              <select {...shared} value={textOf(value)} onChange={typed}>
                {field.required === true && value !== undefined ? null : (
                  <option value="">
                    {field.default === undefined
                      ? words.t('notSet')
                      : words.t('byDefault', { value: textOf(field.default) })}
                  </option>
                )}
                {choicesWith(field.choices ?? [], value).map((choice) => (
                  <option key={choice} value={choice}>
                    {choice}
                  </option>
                ))}
              </select>
            )
          case 'list':
            return <ListInput {...props} bind={bind} />
          case 'secret':
            return <SecretInput {...props} bind={bind} />
          default:
            return (
              <input
                {...shared}
                inputMode={field.type === 'number' ? 'numeric' : 'text'}
                spellcheck={false}
                autocomplete="off"
                placeholder={
                  field.placeholder ?? (field.default === undefined ? undefined : textOf(field.default))
                }
                value={textOf(value)}
                onInput={typed}
              />
            )
        }
      }}
    </Field>
  )
}

/** One entry a line. Empty lines are no entries, but stay while somebody types. */
function ListInput({ field, value, onChange, disabled, bind }: Props & { bind: Bind }) {
  const shown = useSignal(linesOf(value))
  // What was discarded, or came from the appliance, is not what was typed.
  if (linesOf(typedValue(field, shown.value)) !== linesOf(value)) shown.value = linesOf(value)
  return (
    <textarea
      {...bind}
      disabled={disabled}
      rows={Math.min(8, Math.max(2, shown.value.split('\n').length + 1))}
      spellcheck={false}
      placeholder={field.placeholder}
      value={shown.value}
      onInput={(event) => {
        shown.value = event.currentTarget.value
        onChange(typedValue(field, shown.value))
      }}
    />
  )
}

/** A secret is replaced or taken out, and never shown. */
function SecretInput({ at, value, onChange, disabled, text, field, bind }: Props & { bind: Bind }) {
  if (value === SECRET)
    return (
      <div class="secret-kept">
        <input {...bind} readOnly disabled={disabled} value={words.t('secretKept')} />
        {disabled ? null : (
          <>
            <Button
              label={words.t('replaceSecretLabel', { name: text.label(field, at) })}
              onClick={() => onChange('')}
            >
              {words.t('replaceSecret')}
            </Button>
            {field.required === true ? null : (
              <Button
                kind="quiet"
                label={words.t('removeSecretLabel', { name: text.label(field, at) })}
                onClick={() => onChange(undefined)}
              >
                {words.t('removeEntry')}
              </Button>
            )}
          </>
        )}
      </div>
    )
  return (
    <PasswordInput
      bind={bind}
      value={textOf(value)}
      isNew
      disabled={disabled}
      onInput={(typed) => onChange(typed === '' && field.required !== true ? undefined : typed)}
    />
  )
}

const flagOf = (text: string): boolean | undefined => (text === '' ? undefined : text === 'true')

const yesNo = (value: unknown): string => (value === undefined ? '' : words.t(value === true ? 'yes' : 'no'))

/** A value that is none of the choices is shown all the same: it holds. */
const choicesWith = (choices: readonly string[], value: unknown): readonly string[] =>
  value === undefined || value === null || choices.includes(textOf(value))
    ? choices
    : [...choices, textOf(value)]

const BY_HAND = '#by-hand'

/** One of a few names, or all of its figures by hand. */
function ChoiceOrSection(props: Props) {
  const { field, at, value, onChange, disabled } = props
  const columns = field.columns ?? []
  const byHand = isRecord(value)
  return (
    <>
      <Field
        name={at}
        label={props.text.label(field, at)}
        help={props.text.help(field, at)}
        problem={messages(props)}
      >
        {(bind) => (
          <select
            {...bind}
            disabled={disabled}
            value={byHand ? BY_HAND : textOf(value)}
            onChange={(event) => {
              const chosen = event.currentTarget.value
              onChange(chosen === BY_HAND ? newEntry(columns) : typedValue(field, chosen))
            }}
          >
            <option value="">{words.t('byDefault', { value: textOf(field.default) })}</option>
            {(field.choices ?? []).map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
            <option value={BY_HAND}>{words.t('byHand')}</option>
          </select>
        )}
      </Field>
      {byHand
        ? columns.map((column) => (
            <ValueField
              {...props}
              key={column.path}
              field={column}
              at={`${at}.${column.path}`}
              value={value[column.path]}
              onChange={(inner) => onChange(withKey(value, column.path, inner))}
            />
          ))
        : null}
    </>
  )
}

/**
 * A section. One that turns something on by being there has a switch, so that nobody takes a default that is only shown
 * for a value that holds. The others are always open, and there while one of their keys is.
 */
function GroupField(props: Props) {
  const { field, at, value, onChange, text, disabled } = props
  const columns = field.columns ?? []
  const section = isRecord(value) ? value : {}
  const used = field.switched !== true || isRecord(value)
  const put = (next: Record<string, unknown>) =>
    onChange(
      field.switched === true || field.required === true || Object.keys(next).length > 0 ? next : undefined,
    )
  const own = messages(props)
  const id = useId()
  return (
    <fieldset
      class={own === undefined ? 'group-field' : 'group-field field-wrong'}
      aria-describedby={own === undefined ? undefined : id}
    >
      <legend>{text.label(field, at)}</legend>
      <p class="field-help">{text.help(field, at)}</p>
      {own === undefined ? null : (
        <p class="field-error" id={id}>
          {own}
        </p>
      )}
      {field.switched === true ? (
        <fieldset class="bare" disabled={disabled}>
          <Checkbox
            label={words.t('groupOn', { name: text.label(field, at) })}
            checked={used}
            onChange={(on) => onChange(on ? byDefault(columns) : undefined)}
          />
        </fieldset>
      ) : null}
      {used
        ? columns.map((column) => (
            <ValueField
              {...props}
              key={column.path}
              field={column}
              at={`${at}.${column.path}`}
              value={section[column.path]}
              onChange={(inner) => put(withKey(section, column.path, inner))}
            />
          ))
        : null}
    </fieldset>
  )
}

/** What a section begins with when it is turned on: what would hold anyway, so that it is seen. */
const byDefault = (columns: readonly AnyField[]): Record<string, unknown> => ({
  ...newEntry(columns),
  ...Object.fromEntries(
    columns.flatMap(({ path, default: value }) => (value === undefined ? [] : [[path, value]])),
  ),
})

function TableField(props: Props) {
  const { field, at, value, onChange, text, disabled } = props
  const columns = field.columns ?? []
  const entries = entriesOf(value)
  const own = messages(props)
  const id = useId()
  const change = (next: readonly Record<string, unknown>[]) => onChange(next.length === 0 ? undefined : next)
  return (
    <fieldset
      class={own === undefined ? 'table-field' : 'table-field field-wrong'}
      aria-describedby={own === undefined ? undefined : id}
    >
      <legend>
        {text.label(field, at)} <span class="quiet figures">{entries.length}</span>
      </legend>
      <p class="field-help">{text.help(field, at)}</p>
      {own === undefined ? null : (
        <p class="field-error" id={id}>
          {own}
        </p>
      )}
      {entries.map((entry, index) => (
        <Entry
          {...props}
          key={`${entries.length} ${index}`}
          entry={entry}
          index={index}
          last={index === entries.length - 1}
          change={(next) => change(entries.with(index, next))}
          move={(by) => change(moved(entries, index, by))}
          remove={() => change(entries.toSpliced(index, 1))}
        />
      ))}
      {entries.length === 0 ? <p class="quiet">{words.t('noEntries')}</p> : null}
      {disabled ? null : (
        <div class="actions">
          <Button icon="plus" onClick={() => change([...entries, newEntry(columns)])}>
            {words.t('addEntry')}
          </Button>
        </div>
      )}
    </fieldset>
  )
}

/** One entry of a table. It opens by itself when something is wrong with it, and closes only when somebody closes it. */
function Entry(
  props: Props & {
    entry: Record<string, unknown>
    index: number
    last: boolean
    change: (entry: Record<string, unknown>) => void
    move: (by: -1 | 1) => void
    remove: () => void
  },
) {
  const { entry, index, field, disabled } = props
  const columns = columnsOf(field, entry)
  const place = `${props.at}[${index}]`
  const number = index + 1
  const wrong = props.problems.some(({ path }) => isWithin(path, place))
  const title = entryTitle(columns, entry)
  const open = useSignal(wrong || title === '')
  useEffect(() => {
    if (wrong) open.value = true
  }, [wrong])
  return (
    <details
      class="entry"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open
      }}
    >
      <summary>
        <span class="figures quiet">{number}</span> {title === '' ? words.t('newEntry') : title}
        {wrong ? <strong class="entry-wrong"> · {words.t('entryWrong')}</strong> : null}
      </summary>
      <div class="stack">
        <EntryProblems {...props} at={place} />
        {columns.map((column) => (
          <ValueField
            {...props}
            key={column.path}
            field={column}
            at={`${place}.${column.path}`}
            value={entry[column.path]}
            onChange={(inner) => props.change(withColumn(field, entry, column.path, inner))}
          />
        ))}
        {disabled ? null : (
          <div class="actions">
            <Button
              kind="quiet"
              disabled={index === 0}
              label={words.t('upLabel', { number })}
              onClick={() => props.move(-1)}
            >
              {words.t('up')}
            </Button>
            <Button
              kind="quiet"
              disabled={props.last}
              label={words.t('downLabel', { number })}
              onClick={() => props.move(1)}
            >
              {words.t('down')}
            </Button>
            <Button kind="quiet" label={words.t('removeEntryLabel', { number })} onClick={props.remove}>
              {words.t('removeEntry')}
            </Button>
          </div>
        )}
      </div>
    </details>
  )
}

function EntryProblems(props: Pick<Props, 'problems' | 'at' | 'paths'>) {
  const own = messages(props)
  return own === undefined ? null : <p class="field-error">{own}</p>
}

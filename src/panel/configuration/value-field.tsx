/**
 * One setting as a form field, whatever its kind: a plain one (plain-field.tsx), a section with fields of its own, or a
 * table whose entries are added, moved and removed. What the appliance says about it stands beside it.
 */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Checkbox, Field } from '../components/field.tsx'
import { isRecord, isWithin, moved, withKey } from './draft.ts'
import {
  type AnyField,
  columnsOf,
  entriesOf,
  entryTitle,
  newEntry,
  textOf,
  typedValue,
  withColumn,
} from './field-model.ts'
import { messages, PlainField, type SettingProps } from './plain-field.tsx'
import { words } from './words.ts'

export function ValueField(props: SettingProps) {
  const { field } = props
  if (field.type === 'table') return <TableField {...props} />
  if (field.type === 'group') return <GroupField {...props} />
  if (field.type === 'choice' && field.columns !== undefined) return <ChoiceOrSection {...props} />
  return <PlainField {...props} />
}

const BY_HAND = '#by-hand'

/** One of a few names, or all of its figures by hand. */
function ChoiceOrSection(props: SettingProps) {
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
      {byHand ? (
        <Columns
          {...props}
          columns={columns}
          values={value}
          put={(path, inner) => onChange(withKey(value, path, inner))}
        />
      ) : null}
    </>
  )
}

/** The fields of a section, or of an entry of a table. */
function Columns({
  columns,
  values,
  put,
  ...props
}: Omit<SettingProps, 'field' | 'value' | 'onChange'> & {
  columns: readonly AnyField[]
  values: Record<string, unknown>
  put: (path: string, value: unknown) => void
}) {
  return columns.map((column) => (
    <ValueField
      {...props}
      key={column.path}
      field={column}
      at={`${props.at}.${column.path}`}
      value={values[column.path]}
      onChange={(value) => put(column.path, value)}
    />
  ))
}

/** What stands around the fields of a section or a table: its name and meaning, and what is wrong with it as a whole. */
function Frame(
  props: SettingProps & {
    kind: 'group-field' | 'table-field'
    entries?: number
    children: ComponentChildren
  },
) {
  const { field, at, text, kind, entries, children } = props
  const own = messages(props)
  const id = useId()
  return (
    <fieldset
      class={own === undefined ? kind : `${kind} field-wrong`}
      aria-describedby={own === undefined ? undefined : id}
    >
      <legend>
        {text.label(field, at)}
        {entries === undefined ? null : <span class="quiet figures"> {entries}</span>}
      </legend>
      <p class="field-help">{text.help(field, at)}</p>
      {own === undefined ? null : (
        <p class="field-error" id={id}>
          {own}
        </p>
      )}
      {children}
    </fieldset>
  )
}

/**
 * A section. One that turns something on by being there has a switch, so that nobody takes a default that is only shown
 * for a value that holds. The others are always open, and there while one of their keys is.
 */
function GroupField(props: SettingProps) {
  const { field, at, value, onChange, text, disabled } = props
  const columns = field.columns ?? []
  const section = isRecord(value) ? value : {}
  const used = field.switched !== true || isRecord(value)
  const put = (next: Record<string, unknown>) =>
    onChange(
      field.switched === true || field.required === true || Object.keys(next).length > 0 ? next : undefined,
    )
  return (
    <Frame {...props} kind="group-field">
      {field.switched === true ? (
        <fieldset class="bare" disabled={disabled}>
          <Checkbox
            label={words.t('groupOn', { name: text.label(field, at) })}
            checked={used}
            onChange={(on) => onChange(on ? byDefault(columns) : undefined)}
          />
        </fieldset>
      ) : null}
      {used ? (
        <Columns
          {...props}
          columns={columns}
          values={section}
          put={(path, inner) => put(withKey(section, path, inner))}
        />
      ) : null}
    </Frame>
  )
}

/** What a section begins with when it is turned on: what would hold anyway, so that it is seen. */
const byDefault = (columns: readonly AnyField[]): Record<string, unknown> => ({
  ...newEntry(columns),
  ...Object.fromEntries(
    columns.flatMap(({ path, default: value }) => (value === undefined ? [] : [[path, value]])),
  ),
})

function TableField(props: SettingProps) {
  const { field, value, onChange, disabled } = props
  const columns = field.columns ?? []
  const entries = entriesOf(value)
  const change = (next: readonly Record<string, unknown>[]) => onChange(next.length === 0 ? undefined : next)
  return (
    <Frame {...props} kind="table-field" entries={entries.length}>
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
    </Frame>
  )
}

/** One entry of a table. It opens by itself when something is wrong with it, and closes only when somebody closes it. */
function Entry(
  props: SettingProps & {
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
        <Columns
          {...props}
          at={place}
          columns={columns}
          values={entry}
          put={(path, inner) => props.change(withColumn(field, entry, path, inner))}
        />
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

function EntryProblems(props: Pick<SettingProps, 'problems' | 'at' | 'paths'>) {
  const own = messages(props)
  return own === undefined ? null : <p class="field-error">{own}</p>
}

/**
 * A setting that has one value, as a form field: a text, a number, a choice, yes or no, a list with one entry a line, a
 * secret. What the appliance says about it stands beside it.
 */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Button } from '../components/button.tsx'
import { type Bind, Field, PasswordInput } from '../components/field.tsx'
import { type FieldProblem, problemsOf } from './draft.ts'
import { type AnyField, linesOf, SECRET, textOf, typedValue } from './field-model.ts'
import { words } from './words.ts'

/** Names and meanings of fields; the appliance's own words where a dictionary has none. */
export interface FieldWords {
  /** Of a whole path, as in a message. */
  name(path: string): string
  label(field: AnyField, at: string): string
  help(field: AnyField, at: string): ComponentChildren
}

export interface SettingProps {
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

/** What the appliance says about it, and about what lies below it and has no field of its own. */
export const messages = ({
  problems,
  at,
  paths,
}: Pick<SettingProps, 'problems' | 'at' | 'paths'>): string | undefined => {
  const texts = problemsOf(problems, at, paths).map(({ path, text }) =>
    path === at ? text : `${path.slice(at.length)}: ${text}`,
  )
  return texts.length === 0 ? undefined : texts.join('\n')
}

export function PlainField(props: SettingProps) {
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
function ListInput({ field, value, onChange, disabled, bind }: SettingProps & { bind: Bind }) {
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
function SecretInput({ at, value, onChange, disabled, text, field, bind }: SettingProps & { bind: Bind }) {
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

/** The id of a contact or a group that is new: what is wrong with it stands beside it as it is typed. */
import type { Signal } from '@preact/signals'
import { Field, type FormState } from '../components/field.tsx'
import type { IdSlip } from './book-model.ts'
import { words } from './words.ts'

export function IdField({
  form,
  id,
  slip,
}: {
  form: FormState
  id: Signal<string>
  slip: IdSlip | undefined
}) {
  return (
    <Field
      form={form}
      name="id"
      label={words.t('id')}
      help={words.t('idHelp')}
      problem={slip === undefined || id.value === '' ? undefined : words.t(`slip.${slip}`)}
    >
      {(bind) => (
        <input
          {...bind}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={id.value}
          onInput={(event) => {
            id.value = event.currentTarget.value.trim()
          }}
        />
      )}
    </Field>
  )
}

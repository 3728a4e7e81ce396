/** Whose file it is to be: in a pair one is chosen, and the member that answers fetches it. Alone there is no choice. */
import type { Signal } from '@preact/signals'
import { Field, type FormState } from '../components/field.tsx'
import { memberName, session } from '../shell/session.ts'
import { words } from './words.ts'

/** Stands for every member, as in the interface. */
export const EVERY = '*'

export const membersOfPair = () => session.value?.pair?.members ?? []

/** @param every offers all of them in one file */
export function MemberField({
  form,
  chosen,
  every = false,
}: {
  form: FormState
  chosen: Signal<string>
  every?: boolean
}) {
  const members = membersOfPair()
  if (members.length < 2) return null
  return (
    <Field form={form} name="node" label={words.t('ofMember')}>
      {(bind) => (
        <select
          {...bind}
          value={chosen.value}
          onChange={(event) => {
            chosen.value = event.currentTarget.value
          }}
        >
          {every ? <option value={EVERY}>{words.t('ofEvery')}</option> : null}
          {members.map(({ node }) => (
            <option key={node} value={node}>
              {memberName(node)}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

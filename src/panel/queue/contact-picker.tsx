/** Contacts and groups to choose from, found by typing; what is chosen stands above and can be taken out again. */
import { useSignal } from '@preact/signals'
import type { contactList, groupList } from '#intake/http/contact-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { Icon } from '../components/icons.tsx'
import { useRemote } from '../shell/remote.ts'
import { words } from './words.ts'

type Contacts = Shape<typeof contactList>
type Groups = Shape<typeof groupList>

interface Entry {
  id: string
  name: string
  hint: string
}

const SHOWN = 8

/** What a contact has no number for it cannot be sent: of those only the ones that can are offered. */
function entriesOf(contacts: Contacts | undefined, groups: Groups | undefined, kind: 'sms' | 'fax'): Entry[] {
  return [
    ...(groups?.items ?? []).map(({ id = '', name, members }) => ({
      id,
      name: name ?? id,
      hint: words.t('groupOf', { count: members.length }),
    })),
    ...(contacts?.items ?? []).flatMap(({ id = '', name, [kind]: hint }) =>
      hint === undefined ? [] : [{ id, name: name ?? id, hint }],
    ),
  ]
}

export function ContactPicker(props: {
  /** What is sent: contacts are shown with their number for it. */
  kind: 'sms' | 'fax'
  chosen: readonly string[]
  change: (chosen: readonly string[]) => void
}) {
  const contacts = useRemote<Contacts>('/contacts')
  const groups = useRemote<Groups>('/groups')
  const search = useSignal('')
  const entries = entriesOf(contacts.data.value, groups.data.value, props.kind)
  const { chosen, change } = props
  if (entries.length === 0 && chosen.length === 0) return null
  const wanted = search.value.trim().toLowerCase()
  const found = entries.filter(
    ({ id, name, hint }) =>
      !chosen.includes(id) && (wanted === '' || `${id} ${name} ${hint}`.toLowerCase().includes(wanted)),
  )
  return (
    <fieldset class="picker">
      <legend class="field-label">{words.t('contacts')}</legend>
      {chosen.length === 0 ? null : (
        <ul class="chips">
          {chosen.map((id) => (
            <li key={id}>
              <button
                type="button"
                class="chip"
                aria-label={words.t('takeOut', { name: id })}
                onClick={() => change(chosen.filter((one) => one !== id))}
              >
                <span>{entries.find((entry) => entry.id === id)?.name ?? id}</span>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <label>
        <span class="unseen">{words.t('findContact')}</span>
        <input
          class="input"
          type="search"
          placeholder={words.t('findContact')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value
          }}
        />
      </label>
      <ul class="picker-found">
        {found.slice(0, SHOWN).map(({ id, name, hint }) => (
          <li key={id}>
            <button type="button" class="picker-entry" onClick={() => change([...chosen, id])}>
              <Icon name="plus" />
              <span class="two">
                <span>{name}</span>
                <span class="quiet">{hint}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN ? (
        <p class="quiet">{words.t('moreFound', { count: found.length - SHOWN })}</p>
      ) : null}
    </fieldset>
  )
}

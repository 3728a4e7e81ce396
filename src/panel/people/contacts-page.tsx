/** /people: contacts, found by any part of them, edited one by one. There may be 10,000, so only so many are drawn. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { EmptyState, Notice, Page, Waiting } from '../components/layout.tsx'
import { type Column, Table } from '../components/table.tsx'
import { announce } from '../components/toast.tsx'
import { type Answer, put, remove } from '../shell/api.ts'
import { foundHere, problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import { may } from '../shell/session.ts'
import { idSlip, matching } from './book-model.ts'
import { IdField } from './id-field.tsx'
import { PeopleTabs } from './people-tabs.tsx'
import type { ContactList, ContactView, GroupList } from './shapes.ts'
import { words } from './words.ts'

const SHOWN = 100

function View() {
  const contacts = useRemote<ContactList>('/contacts', { refresh: ['configuration'] })
  const groups = useRemote<GroupList>('/groups', { refresh: ['configuration'] })
  const editing = useSignal<ContactView | 'new' | undefined>(undefined)
  const search = place.value.query.get('search') ?? ''
  const items = contacts.data.value?.items ?? []
  const found = matching(items, search)
  const imported = items.filter(({ source }) => source === 'ldap').length
  const columns: Column<ContactView>[] = [
    { title: words.t('id'), kind: 'lead', cell: ({ id }) => id },
    { title: words.t('contactName'), kind: 'name', cell: ({ name, id }) => (name === id ? '' : name) },
    {
      title: words.t('sms'),
      cell: ({ sms }) => (sms === undefined ? null : <span class="figures">{sms}</span>),
    },
    {
      title: words.t('fax'),
      cell: ({ fax }) => (fax === undefined ? null : <span class="figures">{fax}</span>),
    },
    { title: words.t('mail'), kind: 'name', cell: ({ mail }) => mail ?? '' },
    {
      title: words.t('inGroups'),
      cell: ({ id, source }) => (
        <span>
          {groupsOf(groups.data.value, id ?? '').join(', ')}
          {source === 'ldap' ? <span class="badge">{words.t('fromLdap')}</span> : null}
        </span>
      ),
    },
    ...(may('admin')
      ? [
          {
            title: words.t('actions'),
            silent: true,
            cell: (contact: ContactView) => (
              <Actions
                contact={contact}
                edit={() => {
                  editing.value = contact
                }}
                changed={() => contacts.reload()}
              />
            ),
          },
        ]
      : []),
  ]
  return (
    <Page
      title={words.t('title')}
      intro={words.t('contactsIntro')}
      actions={
        may('admin') ? (
          <>
            <a class="button" href="/people/import">
              {words.t('importLink')}
            </a>
            <Button
              kind="primary"
              icon="plus"
              onClick={() => {
                editing.value = 'new'
              }}
            >
              {words.t('newContact')}
            </Button>
          </>
        ) : undefined
      }
    >
      <PeopleTabs />
      {imported === 0 ? null : (
        <Notice tone="info">
          {words.t('ldapText', { count: imported })}{' '}
          <a href="/people/directory">{words.t('directoryTitle')}</a>
        </Notice>
      )}
      <label class="field filter">
        <span class="field-label">{words.t('search')}</span>
        <input
          class="input"
          type="search"
          value={search}
          onInput={(event) => setQuery({ search: event.currentTarget.value })}
        />
      </label>
      {contacts.data.value === undefined ? (
        <Waiting of={contacts} rows={8} />
      ) : found.length === 0 ? (
        <EmptyState title={words.t(items.length === 0 ? 'noContacts' : 'noneFound')}>
          {items.length === 0 ? words.t('noContactsText') : undefined}
        </EmptyState>
      ) : (
        <>
          <p class="quiet" role="status">
            {words.t('shownOf', { shown: Math.min(SHOWN, found.length), all: items.length })}
          </p>
          <Table
            label={words.t('tab.contacts')}
            columns={columns}
            rows={found.slice(0, SHOWN)}
            rowKey={({ id = '' }) => id}
          />
        </>
      )}
      {editing.value === undefined ? null : (
        <Dialog
          title={
            editing.value === 'new'
              ? words.t('newContact')
              : words.t('editTitle', { name: editing.value.id ?? '' })
          }
          onClose={() => {
            editing.value = undefined
          }}
        >
          <ContactForm
            contact={editing.value === 'new' ? undefined : editing.value}
            taken={items.map(({ id = '' }) => id)}
            done={(id) => {
              editing.value = undefined
              announce(words.t('saved', { name: id }))
              contacts.reload()
            }}
          />
        </Dialog>
      )}
    </Page>
  )
}

export const page = {
  words: [words, ...problemDictionaries],
  view: View,
}

const groupsOf = (groups: GroupList | undefined, id: string): string[] =>
  (groups?.items ?? []).flatMap((group) =>
    group.members.some((member) => member.toLowerCase() === id.toLowerCase()) ? [group.id ?? ''] : [],
  )

function Actions({
  contact,
  edit,
  changed,
}: {
  contact: ContactView
  edit: () => void
  changed: () => void
}) {
  const { id = '', name = id } = contact
  return (
    <div class="actions">
      <Button kind="quiet" label={words.t('editLabel', { name })} onClick={edit}>
        {words.t('edit')}
      </Button>
      <Button
        kind="quiet"
        label={words.t('removeLabel', { name })}
        confirm={{
          title: words.t('removeContactTitle', { name }),
          text: words.t('removeContactText'),
          action: words.t('remove'),
          kind: 'danger',
        }}
        onClick={async () => {
          const answer = await remove(`/contacts/${encodeURIComponent(id)}`)
          if (answer.ok) announce(words.t('removed', { name }))
          else announce(problemText(answer.problem), 'bad')
          changed()
        }}
      >
        {words.t('remove')}
      </Button>
    </div>
  )
}

/**
 * Where an entry is written. What somebody else removed meanwhile is not made anew, and what somebody else made is not
 * replaced.
 * @param edited as it was when its form was opened; undefined of a new one
 */
export const entryPath = (list: 'contacts' | 'groups', id: string, edited: object | undefined): string =>
  `/${list}/${encodeURIComponent(id)}?only=${edited === undefined ? 'new' : 'existing'}`

/** What the appliance says of `contacts/ops.sms` belongs to the field `sms`. */
export function atField<T>(answer: Answer<T>): Answer<T> {
  if (answer.ok || answer.problem.field === undefined) return answer
  const field = answer.problem.field.replace(/^(contacts|groups)\/[^.[]*\.?/, '')
  const { field: _, ...rest } = answer.problem
  // Without the path before it, the sentence reads as it stands beside the field.
  const detail = rest.detail
    .split('\n')
    .map((line) => line.replace(/^(contacts|groups)\/[^:]*: /, ''))
    .join('\n')
  return { ok: false, problem: { ...rest, detail, ...(field === '' ? {} : { field }) } }
}

function ContactForm({
  contact,
  taken,
  done,
}: {
  contact: ContactView | undefined
  taken: readonly string[]
  done: (id: string) => void
}) {
  const form = useForm()
  const id = useSignal(contact?.id ?? '')
  const fields = {
    name: useSignal(contact?.name ?? ''),
    sms: useSignal(contact?.sms ?? ''),
    fax: useSignal(contact?.fax ?? ''),
    mail: useSignal(contact?.mail ?? ''),
  }
  const slip = contact === undefined ? idSlip(id.value, taken) : undefined
  return (
    <Form
      form={form}
      submit={async () => {
        if (slip !== undefined || id.value === '') return foundHere('id', words.t(`slip.${slip ?? 'empty'}`))
        const given = Object.entries(fields).flatMap(([key, { value }]) =>
          value.trim() === '' ? [] : [[key, value.trim()]],
        )
        return atField(await put(entryPath('contacts', id.value, contact), Object.fromEntries(given)))
      }}
      done={() => done(id.value)}
    >
      {contact?.source === 'ldap' ? <Notice tone="warn">{words.t('ldapEdit')}</Notice> : null}
      {contact === undefined ? <IdField form={form} id={id} slip={slip} /> : null}
      {(['name', 'sms', 'fax', 'mail'] as const).map((key) => (
        <Field
          key={key}
          form={form}
          name={key}
          label={words.t(key === 'name' ? 'contactName' : key)}
          help={words.t(`${key}Help`)}
          optional
        >
          {(bind) => (
            <input
              {...bind}
              autocomplete="off"
              inputMode={key === 'sms' || key === 'fax' ? 'tel' : key === 'mail' ? 'email' : 'text'}
              value={fields[key].value}
              onInput={(event) => {
                fields[key].value = event.currentTarget.value
              }}
            />
          )}
        </Field>
      ))}
      <FormEnd form={form} action={words.t('save')} />
    </Form>
  )
}

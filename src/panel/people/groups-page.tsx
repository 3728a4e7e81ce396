/** /people/groups: groups of contacts and of other groups. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { EmptyState, Page, Waiting } from '../components/layout.tsx'
import { type Column, Table } from '../components/table.tsx'
import { announce } from '../components/toast.tsx'
import { put, remove } from '../shell/api.ts'
import { foundHere, problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { may } from '../shell/session.ts'
import { number } from '../shell/words.ts'
import { idSlip } from './book-model.ts'
import { atField, entryPath } from './contacts-page.tsx'
import { IdField } from './id-field.tsx'
import { PeopleTabs } from './people-tabs.tsx'
import type { ContactList, GroupList, GroupView } from './shapes.ts'
import { words } from './words.ts'

const TOLD_MEMBERS = 12

function View() {
  const groups = useRemote<GroupList>('/groups', { refresh: ['configuration'] })
  const contacts = useRemote<ContactList>('/contacts', { refresh: ['configuration'] })
  const editing = useSignal<GroupView | 'new' | undefined>(undefined)
  const items = groups.data.value?.items ?? []
  const ids = [...items, ...(contacts.data.value?.items ?? [])].map(({ id = '' }) => id)
  const columns: Column<GroupView>[] = [
    { title: words.t('id'), kind: 'lead', cell: ({ id }) => id },
    { title: words.t('groupName'), cell: ({ name }) => name ?? '' },
    { title: words.t('memberCount'), kind: 'figures', cell: ({ members }) => number(members.length) },
    {
      title: words.t('members'),
      cell: ({ members }) =>
        members.length > TOLD_MEMBERS
          ? words.t('andMore', {
              list: members.slice(0, TOLD_MEMBERS).join(', '),
              count: members.length - TOLD_MEMBERS,
            })
          : members.join(', '),
    },
    ...(may('admin')
      ? [
          {
            title: words.t('actions'),
            silent: true,
            cell: (group: GroupView) => (
              <div class="actions">
                <Button
                  kind="quiet"
                  label={words.t('editLabel', { name: group.id ?? '' })}
                  onClick={() => {
                    editing.value = group
                  }}
                >
                  {words.t('edit')}
                </Button>
                <Button
                  kind="quiet"
                  label={words.t('removeLabel', { name: group.id ?? '' })}
                  confirm={{
                    title: words.t('removeGroupTitle', { name: group.id ?? '' }),
                    text: words.t('removeGroupText'),
                    action: words.t('remove'),
                    kind: 'danger',
                  }}
                  onClick={async () => {
                    const answer = await remove(`/groups/${encodeURIComponent(group.id ?? '')}`)
                    if (answer.ok) announce(words.t('removed', { name: group.id ?? '' }))
                    else announce(problemText(answer.problem), 'bad')
                    groups.reload()
                  }}
                >
                  {words.t('remove')}
                </Button>
              </div>
            ),
          },
        ]
      : []),
  ]
  return (
    <Page
      title={words.t('groupsTitle')}
      intro={words.t('groupsIntro')}
      back={{ to: '/people', text: words.t('title') }}
      actions={
        may('admin') ? (
          <Button
            kind="primary"
            icon="plus"
            onClick={() => {
              editing.value = 'new'
            }}
          >
            {words.t('newGroup')}
          </Button>
        ) : undefined
      }
    >
      <PeopleTabs />
      {groups.data.value === undefined ? (
        <Waiting of={groups} />
      ) : items.length === 0 ? (
        <EmptyState title={words.t('noGroups')}>{words.t('noGroupsText')}</EmptyState>
      ) : (
        <Table label={words.t('groupsTitle')} columns={columns} rows={items} rowKey={({ id = '' }) => id} />
      )}
      {editing.value === undefined ? null : (
        <Dialog
          title={
            editing.value === 'new'
              ? words.t('newGroup')
              : words.t('editTitle', { name: editing.value.id ?? '' })
          }
          onClose={() => {
            editing.value = undefined
          }}
        >
          <GroupForm
            group={editing.value === 'new' ? undefined : editing.value}
            ids={ids}
            done={(id) => {
              editing.value = undefined
              announce(words.t('saved', { name: id }))
              groups.reload()
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

const lines = (text: string): string[] =>
  text
    .split(/[\n,;]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')

function GroupForm({
  group,
  ids,
  done,
}: {
  group: GroupView | undefined
  ids: readonly string[]
  done: (id: string) => void
}) {
  const form = useForm()
  const id = useSignal(group?.id ?? '')
  const name = useSignal(group?.name ?? '')
  const members = useSignal((group?.members ?? []).join('\n'))
  const slip = group === undefined ? idSlip(id.value, ids) : undefined
  const known = new Set(ids.map((one) => one.toLowerCase()))
  const strangers = lines(members.value).filter((member) => !known.has(member.toLowerCase()))
  return (
    <Form
      form={form}
      submit={async () => {
        if (slip !== undefined) return foundHere('id', words.t(`slip.${slip}`))
        return atField(
          await put(entryPath('groups', id.value, group), {
            ...(name.value.trim() === '' ? {} : { name: name.value.trim() }),
            members: lines(members.value),
          }),
        )
      }}
      done={() => done(id.value)}
    >
      {group === undefined ? <IdField form={form} id={id} slip={slip} /> : null}
      <Field form={form} name="name" label={words.t('groupName')} optional>
        {(bind) => (
          <input
            {...bind}
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value
            }}
          />
        )}
      </Field>
      <Field
        form={form}
        name="members"
        label={words.t('members')}
        help={words.t('membersHelp')}
        problem={
          strangers.length === 0
            ? undefined
            : words.t('strangers', { list: strangers.slice(0, 5).join(', ') })
        }
      >
        {(bind) => (
          <textarea
            {...bind}
            rows={8}
            spellcheck={false}
            value={members.value}
            onInput={(event) => {
              members.value = event.currentTarget.value
            }}
          />
        )}
      </Field>
      <FormEnd form={form} action={words.t('save')} />
    </Form>
  )
}

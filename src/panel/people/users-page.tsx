/** /people/users: who may log in, with which role; made, changed and removed on whichever member answers. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import {
  Field,
  Form,
  FormEnd,
  PasswordField,
  PasswordInput,
  UserNameField,
  useForm,
} from '../components/field.tsx'
import { Card, Notice, Page, Waiting } from '../components/layout.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Ago, Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { words as shell } from '../components/words.ts'
import { authorText } from '../configuration/author.ts'
import { words as configWords } from '../configuration/words.ts'
import { patch, post, remove } from '../shell/api.ts'
import { foundHere, problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { session } from '../shell/session.ts'
import { tooShort } from './password-length.ts'
import { PeopleTabs } from './people-tabs.tsx'
import { RoleChoice } from './role-choice.tsx'
import type { NewUser, User, UserChange, UserList } from './shapes.ts'
import { words } from './words.ts'

function View() {
  const users = useRemote<UserList>('/users', { refresh: ['audit'] })
  const making = useSignal(false)
  const editing = useSignal<User | undefined>(undefined)
  const own = session.value?.user?.name
  const columns: Column<User>[] = [
    {
      title: words.t('name'),
      kind: 'lead',
      cell: ({ name }) => (
        <>
          {name}
          {name === own ? <span class="quiet"> · {words.t('you')}</span> : null}
        </>
      ),
    },
    { title: words.t('role'), cell: ({ role }) => shell.maybe(`user.${role}`) ?? role },
    {
      title: words.t('lastSeen'),
      cell: ({ lastSeen }) =>
        lastSeen === undefined ? <span class="quiet">{words.t('notLoggedIn')}</span> : <Ago at={lastSeen} />,
    },
    { title: words.t('sessions'), kind: 'figures', cell: ({ sessions }) => sessions },
    {
      title: words.t('createdAt'),
      cell: ({ createdAt, createdBy }) => (
        <span>
          <Time at={createdAt} />
          {createdBy === undefined ? null : <span class="quiet"> · {authorText(createdBy)}</span>}
        </span>
      ),
    },
    {
      title: words.t('actions'),
      silent: true,
      cell: (user) => (
        <div class="actions">
          <Button
            kind="quiet"
            label={words.t('editLabel', { name: user.name })}
            onClick={() => {
              editing.value = user
            }}
          >
            {words.t('edit')}
          </Button>
          {user.name === own ? null : (
            <Button
              kind="quiet"
              label={words.t('removeLabel', { name: user.name })}
              confirm={{
                title: words.t('removeUserTitle', { name: user.name }),
                text: words.t('removeUserText'),
                action: words.t('remove'),
                kind: 'danger',
              }}
              onClick={async () => {
                const answer = await remove(`/users/${encodeURIComponent(user.name)}`)
                if (answer.ok) announce(words.t('removed', { name: user.name }))
                else announce(problemText(answer.problem), 'bad')
                users.reload()
              }}
            >
              {words.t('remove')}
            </Button>
          )}
        </div>
      ),
    },
  ]
  return (
    <Page
      title={words.t('usersTitle')}
      intro={words.t('usersIntro')}
      back={{ to: '/people', text: words.t('title') }}
      actions={
        <Button
          kind="primary"
          icon="plus"
          onClick={() => {
            making.value = true
          }}
        >
          {words.t('newUser')}
        </Button>
      }
    >
      <PeopleTabs />
      {users.data.value === undefined ? (
        <Waiting of={users} />
      ) : (
        <Table
          label={words.t('usersTitle')}
          columns={columns}
          rows={users.data.value.items}
          rowKey={({ name }) => name}
        />
      )}
      <Card title={words.t('rolesTitle')}>
        <ul class="plain-list">
          {(['viewer', 'operator', 'admin'] as const).map((role) => (
            <li key={role}>
              <strong>{shell.t(`user.${role}`)}</strong>: {words.t(`role.${role}`)}
            </li>
          ))}
        </ul>
      </Card>
      {making.value ? (
        <Dialog
          title={words.t('newUser')}
          onClose={() => {
            making.value = false
          }}
        >
          <NewUserForm
            done={(name) => {
              making.value = false
              announce(words.t('userMade', { name }))
              users.reload()
            }}
          />
        </Dialog>
      ) : null}
      {editing.value === undefined ? null : (
        <Dialog
          title={words.t('editTitle', { name: editing.value.name })}
          onClose={() => {
            editing.value = undefined
          }}
        >
          <EditUserForm
            user={editing.value}
            own={editing.value.name === own}
            done={(name) => {
              editing.value = undefined
              announce(words.t('saved', { name }))
              users.reload()
            }}
          />
        </Dialog>
      )}
    </Page>
  )
}

export const page = {
  words: [words, configWords, ...problemDictionaries],
  view: View,
}

function NewUserForm({ done }: { done: (name: string) => void }) {
  const form = useForm()
  const name = useSignal('')
  const password = useSignal('')
  const role = useSignal<NewUser['role']>('operator')
  return (
    <Form
      form={form}
      submit={async () => {
        if (name.value.trim() === '') return foundHere('name', words.t('nameMissing'))
        return (
          tooShort('password', password.value) ??
          post<User>('/users', { name: name.value.trim(), password: password.value, role: role.value })
        )
      }}
      done={(user) => done(user.name)}
    >
      <UserNameField
        form={form}
        label={words.t('userName')}
        help={words.t('userNameHelp')}
        isNew
        value={name}
      />
      <PasswordField
        form={form}
        name="password"
        label={words.t('password')}
        help={words.t('passwordHelp')}
        isNew
        value={password}
      />
      <RoleChoice role={role} />
      <FormEnd form={form} action={words.t('makeUser')} />
    </Form>
  )
}

function EditUserForm({ user, own, done }: { user: User; own: boolean; done: (name: string) => void }) {
  const form = useForm()
  const role = useSignal<NewUser['role']>(user.role)
  const password = useSignal('')
  return (
    <Form
      form={form}
      submit={async () => {
        const short = password.value === '' ? undefined : tooShort('password', password.value)
        if (short !== undefined) return short
        const change: UserChange = {
          ...(role.value === user.role ? {} : { role: role.value }),
          ...(password.value === '' ? {} : { password: password.value }),
        }
        return patch<User>(`/users/${encodeURIComponent(user.name)}`, change)
      }}
      done={() => done(user.name)}
    >
      {own ? <Notice tone="info">{words.t('ownRole')}</Notice> : null}
      <RoleChoice role={role} />
      {own ? (
        <p>
          <a href="/people/me">{words.t('ownPasswordLink')}</a>
        </p>
      ) : (
        <Field
          form={form}
          name="password"
          label={words.t('newPassword')}
          help={words.t('newPasswordHelp')}
          optional
        >
          {(bind) => (
            <PasswordInput
              bind={bind}
              isNew
              value={password.value}
              onInput={(value) => {
                password.value = value
              }}
            />
          )}
        </Field>
      )}
      <FormEnd form={form} action={words.t('save')} />
    </Form>
  )
}

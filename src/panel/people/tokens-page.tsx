/** /people/tokens: what programs use instead of a password. A token is shown once, when it is made. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Checkbox, Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { EmptyState, Notice, Page, Waiting } from '../components/layout.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Ago, Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { authorText } from '../configuration/author.ts'
import { words as configWords } from '../configuration/words.ts'
import { post, remove } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { PeopleTabs } from './people-tabs.tsx'
import type { CreatedToken, TokenList, TokenView } from './shapes.ts'
import { words } from './words.ts'

/** That a token was used is written nowhere but beside it. */
const USED_MS = 10_000

const scopes = ['send', 'read', 'operate', 'admin'] as const satisfies readonly TokenView['scopes'][number][]

function View() {
  const tokens = useRemote<TokenList>('/tokens', { refresh: ['audit'], every: USED_MS })
  const making = useSignal(false)
  const made = useSignal<CreatedToken | undefined>(undefined)
  const columns: Column<TokenView>[] = [
    { title: words.t('name'), kind: 'lead', cell: ({ name }) => name },
    {
      title: words.t('scopes'),
      cell: ({ scopes: given }) => given.map((scope) => words.t(`scope.${scope}`)).join(', '),
    },
    {
      title: words.t('lastUse'),
      cell: ({ lastUsedAt }) =>
        lastUsedAt === undefined ? (
          <span class="quiet">{words.t('neverUsed')}</span>
        ) : (
          <Ago at={lastUsedAt} />
        ),
    },
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
      cell: ({ id, name }) => (
        <Button
          kind="quiet"
          label={words.t('revokeLabel', { name })}
          confirm={{
            title: words.t('revokeTitle', { name }),
            text: words.t('revokeText'),
            action: words.t('revoke'),
            kind: 'danger',
          }}
          onClick={async () => {
            const answer = await remove(`/tokens/${encodeURIComponent(id)}`)
            if (answer.ok) announce(words.t('revoked', { name }))
            else announce(problemText(answer.problem), 'bad')
            tokens.reload()
          }}
        >
          {words.t('revoke')}
        </Button>
      ),
    },
  ]
  return (
    <Page
      title={words.t('tokensTitle')}
      intro={words.t('tokensIntro')}
      back={{ to: '/people', text: words.t('title') }}
      actions={
        <Button
          kind="primary"
          icon="plus"
          onClick={() => {
            making.value = true
          }}
        >
          {words.t('newToken')}
        </Button>
      }
    >
      <PeopleTabs />
      {made.value === undefined ? null : (
        <Made
          token={made.value}
          close={() => {
            made.value = undefined
          }}
        />
      )}
      {tokens.data.value === undefined ? (
        <Waiting of={tokens} />
      ) : tokens.data.value.items.length === 0 ? (
        <EmptyState title={words.t('noTokens')}>{words.t('noTokensText')}</EmptyState>
      ) : (
        <Table
          label={words.t('tokensTitle')}
          columns={columns}
          rows={tokens.data.value.items}
          rowKey={({ id }) => id}
        />
      )}
      {making.value ? (
        <Dialog
          title={words.t('newToken')}
          onClose={() => {
            making.value = false
          }}
        >
          <NewTokenForm
            done={(token) => {
              making.value = false
              made.value = token
              tokens.reload()
            }}
          />
        </Dialog>
      ) : null}
    </Page>
  )
}

export const page = {
  words: [words, configWords, ...problemDictionaries],
  view: View,
}

/** The one time that the token can be seen. */
function Made({ token, close }: { token: CreatedToken; close: () => void }) {
  return (
    <Notice tone="ok" title={words.t('tokenMade', { name: token.name })}>
      <div class="stack">
        <p>{words.t('tokenOnce')}</p>
        <p class="token mono" translate={false}>
          {token.token}
        </p>
        <div class="actions">
          {navigator.clipboard === undefined ? null : (
            <Button
              onClick={async () => {
                await navigator.clipboard.writeText(token.token)
                announce(words.t('copied'))
              }}
            >
              {words.t('copyToken')}
            </Button>
          )}
          <Button kind="primary" onClick={close}>
            {words.t('tokenKept')}
          </Button>
        </div>
      </div>
    </Notice>
  )
}

function NewTokenForm({ done }: { done: (token: CreatedToken) => void }) {
  const form = useForm()
  const name = useSignal('')
  const chosen = useSignal<readonly string[]>(['send', 'read'])
  return (
    <Form
      form={form}
      submit={() => post<CreatedToken>('/tokens', { name: name.value.trim(), scopes: chosen.value })}
      done={done}
    >
      <Field form={form} name="name" label={words.t('tokenName')} help={words.t('tokenNameHelp')}>
        {(bind) => (
          <input
            {...bind}
            autocomplete="off"
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value
            }}
          />
        )}
      </Field>
      <fieldset class="choices choices-tall">
        <legend class="field-label">{words.t('scopes')}</legend>
        {scopes.map((scope) => (
          <Checkbox
            key={scope}
            label={words.t(`scope.${scope}`)}
            help={words.t(`scope.${scope}.help`)}
            checked={chosen.value.includes(scope)}
            onChange={(checked) => {
              chosen.value = checked ? [...chosen.value, scope] : chosen.value.filter((one) => one !== scope)
            }}
          />
        ))}
        {form.problemAt('scopes') === undefined ? null : (
          <p class="field-error">{words.t('scopesMissing')}</p>
        )}
      </fieldset>
      <FormEnd form={form} action={words.t('makeToken')} />
    </Form>
  )
}

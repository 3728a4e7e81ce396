/** /configuration/backup: an encrypted copy of everything on this member, and the way back to one. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Checkbox, Field, Form, FormEnd, PasswordField, useForm } from '../components/field.tsx'
import { Card, Notice, Page, Progress } from '../components/layout.tsx'
import { Time } from '../components/time.tsx'
import { announce } from '../components/toast.tsx'
import { download, post, withQuery } from '../shell/api.ts'
import { foundHere, problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { session } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { MemberField } from './member-field.tsx'
import type { Restored, RestoreState } from './shapes.ts'
import { words } from './words.ts'

function View() {
  const state = useRemote<RestoreState>('/restore', { refresh: ['status'] })
  return (
    <Page
      title={words.t('backupTitle')}
      intro={words.t('backupIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs />
      {state.data.value?.held ? <Held state={state.data.value} released={() => state.reload()} /> : null}
      <div class="cards">
        <BackupCard />
        <RestoreCard />
      </div>
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

/** A restored appliance sends nothing of what its backup had queued before somebody says what was sent meanwhile. */
function Held({ state, released }: { state: RestoreState; released: () => void }) {
  const release = async (deliveries: 'send' | 'cancel'): Promise<void> => {
    const answer = await post('/restore/release', { deliveries })
    if (answer.ok) announce(words.t('released'))
    else announce(problemText(answer.problem), 'bad')
    released()
  }
  return (
    <Notice tone="warn" title={words.t('heldTitle', { count: state.deliveries })}>
      <div class="stack">
        <p>
          {words.t('heldText')} {state.backupAt === undefined ? null : <Time at={state.backupAt} long />}
        </p>
        <div class="actions">
          <Button
            confirm={{
              title: words.t('sendHeldTitle'),
              text: words.t('sendHeldText'),
              action: words.t('sendHeld'),
            }}
            onClick={() => release('send')}
          >
            {words.t('sendHeld')}
          </Button>
          <Button
            confirm={{
              title: words.t('cancelHeldTitle'),
              text: words.t('cancelHeldText'),
              action: words.t('cancelHeld'),
              kind: 'danger',
            }}
            onClick={() => release('cancel')}
          >
            {words.t('cancelHeld')}
          </Button>
        </div>
      </div>
    </Notice>
  )
}

const SHORTEST = 10

function BackupCard() {
  const form = useForm()
  const passphrase = useSignal('')
  const again = useSignal('')
  const node = useSignal(session.value?.appliance.node ?? 'appliance')
  return (
    <Card title={words.t('makeBackup')}>
      <p>{words.t('makeBackupText')}</p>
      <Form
        form={form}
        submit={async () => {
          if (passphrase.value.length < SHORTEST)
            return foundHere('passphrase', words.t('passphraseShort', { count: SHORTEST }))
          if (passphrase.value !== again.value) return foundHere('again', words.t('passphraseDiffers'))
          return download(
            'POST',
            withQuery('/backup', { node: node.value }),
            `twinline-${node.value}.backup`,
            { passphrase: passphrase.value },
          )
        }}
        done={() => {
          passphrase.value = ''
          again.value = ''
          announce(words.t('backupDone'))
        }}
      >
        <MemberField form={form} chosen={node} />
        <PasswordField
          form={form}
          name="passphrase"
          label={words.t('passphrase')}
          help={words.t('passphraseHelp', { count: SHORTEST })}
          isNew
          value={passphrase}
        />
        <PasswordField form={form} name="again" label={words.t('passphraseAgain')} isNew value={again} />
        {form.busy() ? <Progress label={words.t('backupBusy')} /> : null}
        <FormEnd form={form} action={words.t('downloadBackup')} />
      </Form>
    </Card>
  )
}

function RestoreCard() {
  const form = useForm()
  const file = useSignal<File | undefined>(undefined)
  const passphrase = useSignal('')
  const configuration = useSignal(false)
  const restored = useSignal<Restored | undefined>(undefined)
  if (restored.value !== undefined)
    return (
      <Card title={words.t('restore')}>
        <Notice tone="ok" title={words.t('restoredTitle', { node: restored.value.node })}>
          <p>
            {words.t('restoredText')} <Time at={restored.value.at} long />
          </p>
          <p>{words.t('restoredNext')}</p>
        </Notice>
      </Card>
    )
  return (
    <Card title={words.t('restore')}>
      <p>{words.t('restoreText')}</p>
      <Form
        form={form}
        submit={async () => {
          if (file.value === undefined) return foundHere('backup', words.t('fileMissing'))
          if (passphrase.value === '') return foundHere('passphrase', words.t('passphraseMissing'))
          const body = new FormData()
          body.set('passphrase', passphrase.value)
          body.set('configuration', configuration.value ? 'yes' : 'no')
          body.set('backup', file.value)
          return post<Restored>('/restore', body)
        }}
        done={(value) => {
          restored.value = value
        }}
      >
        <Field form={form} name="backup" label={words.t('backupFile')}>
          {(bind) => (
            <input
              {...bind}
              type="file"
              onChange={(event) => {
                file.value = event.currentTarget.files?.[0]
              }}
            />
          )}
        </Field>
        <PasswordField
          form={form}
          name="passphrase"
          label={words.t('passphrase')}
          help={words.t('passphraseOfBackup')}
          value={passphrase}
        />
        <Checkbox
          label={words.t('withFile')}
          help={words.t('withFileHelp')}
          checked={configuration.value}
          onChange={(checked) => {
            configuration.value = checked
          }}
        />
        <Notice tone="warn">{words.t('restoreWarning')}</Notice>
        {form.busy() ? <Progress label={words.t('restoring')} /> : null}
        <FormEnd form={form} action={words.t('restoreAction')} kind="danger" />
      </Form>
    </Card>
  )
}

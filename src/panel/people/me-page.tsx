/** /people/me: the own password and language. */
import { useSignal } from '@preact/signals'
import { Field, Form, FormEnd, PasswordField, useForm } from '../components/field.tsx'
import { Card, Facts, Page } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { words as shell } from '../components/words.ts'
import { patch } from '../shell/api.ts'
import { foundHere, problemDictionaries } from '../shell/problems.ts'
import { loadSession, session } from '../shell/session.ts'
import { language, setLanguage } from '../shell/words.ts'
import { tooShort } from './password-length.ts'
import { PeopleTabs } from './people-tabs.tsx'
import { words } from './words.ts'

function View() {
  const user = session.value?.user
  return (
    <Page title={words.t('meTitle')} back={{ to: '/people', text: words.t('title') }}>
      <PeopleTabs />
      <Card title={user?.name ?? ''}>
        <Facts
          rows={[
            [words.t('role'), shell.maybe(`user.${user?.role ?? ''}`)],
            [words.t('mayDo'), words.maybe(`mayDo.${user?.role ?? ''}`)],
          ]}
        />
      </Card>
      <div class="halves">
        <PasswordCard />
        <LanguageCard />
      </div>
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

function PasswordCard() {
  const form = useForm()
  const before = useSignal('')
  const next = useSignal('')
  const again = useSignal('')
  return (
    <Card title={words.t('ownPassword')}>
      <p>{words.t('ownPasswordText')}</p>
      <Form
        form={form}
        submit={async () => {
          if (next.value !== again.value) return foundHere('again', words.t('passwordsDiffer'))
          return (
            tooShort('password.new', next.value) ??
            patch('/session', { password: { old: before.value, new: next.value } })
          )
        }}
        done={() => {
          before.value = ''
          next.value = ''
          again.value = ''
          announce(words.t('passwordChanged'))
        }}
      >
        <PasswordField form={form} name="password.old" label={words.t('oldPassword')} value={before} />
        <PasswordField
          form={form}
          name="password.new"
          label={words.t('newPassword')}
          help={words.t('passwordHelp')}
          isNew
          value={next}
        />
        <PasswordField form={form} name="again" label={words.t('passwordAgain')} isNew value={again} />
        <FormEnd form={form} action={words.t('changePassword')} />
      </Form>
    </Card>
  )
}

function LanguageCard() {
  const form = useForm()
  const chosen = useSignal(language.value as string)
  return (
    <Card title={words.t('ownLanguage')}>
      <p>{words.t('ownLanguageText')}</p>
      <Form
        form={form}
        submit={() => patch('/session', { language: chosen.value })}
        done={async () => {
          await setLanguage(chosen.value)
          await loadSession()
          announce(words.t('languageSaved'))
        }}
      >
        <Field form={form} name="language" label={words.t('language')}>
          {(bind) => (
            <select
              {...bind}
              value={chosen.value}
              onChange={(event) => {
                chosen.value = event.currentTarget.value
              }}
            >
              <option value="en" lang="en">
                English
              </option>
              <option value="de" lang="de">
                Deutsch
              </option>
            </select>
          )}
        </Field>
        <FormEnd form={form} action={words.t('save')} />
      </Form>
    </Card>
  )
}

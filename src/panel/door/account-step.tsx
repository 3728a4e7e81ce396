/** First run, step 1: the setup code, the first administrator, the appliance's name for people. */
import { useSignal } from '@preact/signals'
import type { Setup } from '#intake/http/panel-schemas.ts'
import { Field, Form, FormEnd, PasswordField, UserNameField, useForm } from '../components/field.tsx'
import { Card } from '../components/layout.tsx'
import { type Answer, post } from '../shell/api.ts'
import { foundHere } from '../shell/problems.ts'
import { loadSession, session } from '../shell/session.ts'
import { language } from '../shell/words.ts'
import { words } from './words.ts'

const SHORTEST_PASSWORD = 10

export function AccountStep({ done }: { done: () => void }) {
  const form = useForm()
  const code = useSignal('')
  const name = useSignal('admin')
  const password = useSignal('')
  const again = useSignal('')
  const appliance = useSignal(session.value?.appliance.name ?? '')

  const submit = async (): Promise<Answer<unknown>> => {
    if (code.value.trim() === '') return foundHere('code', words.t('codeMissing'))
    if (password.value.length < SHORTEST_PASSWORD) return foundHere('password', words.t('passwordShort'))
    if (password.value !== again.value) return foundHere('again', words.t('passwordsDiffer'))
    const body: Setup = {
      code: code.value.trim(),
      name: name.value.trim(),
      password: password.value,
      language: language.value,
      ...(appliance.value.trim() === '' ? {} : { appliance: appliance.value.trim() }),
    }
    return post('/setup', body)
  }

  return (
    <Card title={words.t('accountTitle')}>
      <Form
        form={form}
        submit={submit}
        done={async () => {
          done()
          await loadSession()
        }}
      >
        <Field form={form} name="code" label={words.t('code')} help={words.t('codeHelp')}>
          {(bind) => (
            <input
              {...bind}
              class="input input-code"
              autocomplete="one-time-code"
              autocapitalize="characters"
              spellcheck={false}
              placeholder="XXXX-XXXX"
              value={code.value}
              onInput={(event) => {
                code.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        <UserNameField form={form} label={words.t('user')} help={words.t('userHelp')} value={name} />
        <PasswordField
          form={form}
          name="password"
          label={words.t('password')}
          help={words.t('passwordHelp')}
          isNew
          value={password}
        />
        <PasswordField form={form} name="again" label={words.t('passwordAgain')} isNew value={again} />
        <Field form={form} name="appliance" label={words.t('applianceName')} help={words.t('applianceHelp')}>
          {(bind) => (
            <input
              {...bind}
              value={appliance.value}
              onInput={(event) => {
                appliance.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        <FormEnd form={form} action={words.t('begin')} />
      </Form>
    </Card>
  )
}

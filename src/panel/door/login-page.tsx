/** Login. Where somebody wanted to go stands in `back`; the shell goes there once the session is known. */
import { useSignal } from '@preact/signals'
import { Field, Form, FormEnd, PasswordField, useForm } from '../components/field.tsx'
import { Card, Page } from '../components/layout.tsx'
import { post } from '../shell/api.ts'
import type { PageModule } from '../shell/router.ts'
import { loadSession, session } from '../shell/session.ts'
import { words } from './words.ts'

function LoginPage() {
  const form = useForm()
  const name = useSignal('')
  const password = useSignal('')
  return (
    <Page
      title={words.t('loginTitle')}
      intro={words.t('loginIntro', { name: session.value?.appliance.name ?? '' })}
    >
      <Card>
        <Form
          form={form}
          submit={() => post('/session', { name: name.value.trim(), password: password.value })}
          done={loadSession}
        >
          <Field form={form} name="name" label={words.t('user')}>
            {(bind) => (
              <input
                {...bind}
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                value={name.value}
                onInput={(event) => {
                  name.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
          <PasswordField form={form} name="password" label={words.t('password')} value={password} />
          <FormEnd form={form} action={words.t('logIn')} />
        </Form>
      </Card>
      <p class="quiet">{words.t('forgotten')}</p>
    </Page>
  )
}

export const page: PageModule = { words: [words], view: LoginPage }

/** Name and password, as the login page and the login over a page ask for them. */
import { useSignal } from '@preact/signals'
import { Field, Form, FormEnd, PasswordField, useForm } from '../components/field.tsx'
import { post } from '../shell/api.ts'
import { loadSession } from '../shell/session.ts'
import { words } from './words.ts'

/** @param user who was logged in, when that is known */
export function LoginForm({ user = '' }: { user?: string }) {
  const form = useForm()
  const name = useSignal(user)
  const password = useSignal('')
  return (
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
  )
}

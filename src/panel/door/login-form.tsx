/** Name and password, as the login page and the login over a page ask for them. */
import { useSignal } from '@preact/signals'
import { Form, FormEnd, PasswordField, UserNameField, useForm } from '../components/field.tsx'
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
      <UserNameField form={form} label={words.t('user')} value={name} />
      <PasswordField form={form} name="password" label={words.t('password')} value={password} />
      <FormEnd form={form} action={words.t('logIn')} />
    </Form>
  )
}

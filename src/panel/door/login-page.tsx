/** Login. Where somebody wanted to go stands in `back`; the shell goes there once the session is known. */
import { Card, Page } from '../components/layout.tsx'
import type { PageModule } from '../shell/router.ts'
import { session } from '../shell/session.ts'
import { LoginForm } from './login-form.tsx'
import { words } from './words.ts'

function LoginPage() {
  return (
    <Page
      title={words.t('loginTitle')}
      intro={words.t('loginIntro', { name: session.value?.appliance.name ?? '' })}
    >
      <Card>
        <LoginForm />
      </Card>
      <p class="quiet">{words.t('forgotten')}</p>
    </Page>
  )
}

export const page: PageModule = { words: [words], view: LoginPage }

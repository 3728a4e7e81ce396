/** Login over the page on which the session ended, so that what was typed there is not lost. Closed, it leads to the login page. */
import { Dialog } from '../components/dialog.tsx'
import type { PageModule } from '../shell/router.ts'
import { leave, session } from '../shell/session.ts'
import { LoginForm } from './login-form.tsx'
import { words } from './words.ts'

function LoginDialog() {
  return (
    <Dialog title={words.t('expiredTitle')} onClose={() => void leave()}>
      <p>{words.t('expiredText')}</p>
      <LoginForm user={session.value?.user?.name ?? ''} />
    </Dialog>
  )
}

export const page: PageModule = { words: [words], view: LoginDialog }

/** First run, step 3: pair now or later, or take up where an appliance that is gone left off. */
import { Card } from '../components/layout.tsx'
import { words } from './words.ts'

export function PairStep() {
  return (
    <>
      <Card title={words.t('pairTitle')}>
        <p>{words.t('pairText')}</p>
        <div class="actions">
          <a class="button button-primary" href="/pair">
            {words.t('pairNow')}
          </a>
          <a class="button button-plain" href="/">
            {words.t('pairLater')}
          </a>
        </div>
      </Card>
      <Card title={words.t('restoreTitle')}>
        <p>{words.t('restoreText')}</p>
        <p>
          <a href="/configuration/backup">{words.t('restore')}</a>
        </p>
      </Card>
    </>
  )
}

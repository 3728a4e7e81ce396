/**
 * The first run. Nobody is known yet, so whoever can read the appliance's console makes the first administrator with the
 * code shown there; logged in by that, the same page leads on: lines found, a test message, the pair, an old backup.
 */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Page } from '../components/layout.tsx'
import { findWords } from '../lines/find-modems.tsx'
import { words as lineWords } from '../lines/words.ts'
import { words as queueWords } from '../queue/words.ts'
import { reasonWords } from '../shell/problems.ts'
import { go, type PageModule } from '../shell/router.ts'
import { may, session } from '../shell/session.ts'
import { AccountStep } from './account-step.tsx'
import { LinesStep } from './lines-step.tsx'
import { PairStep } from './pair-step.tsx'
import { words } from './words.ts'

const steps = ['account', 'lines', 'pair'] as const
type Step = (typeof steps)[number]

/** Kept while the page is taken down and put up again, as it is when somebody is logged in. */
const reached = signal<Step>('account')

function SetupPage() {
  const others = session.value?.user != null && !may('admin')
  useEffect(() => {
    if (others) go('/', 'replace')
  }, [others])
  if (others) return null
  const step = session.value?.user == null ? 'account' : reached.value === 'account' ? 'lines' : reached.value
  return (
    <Page
      title={words.t('setupTitle')}
      intro={words.t('setupIntro', { name: session.value?.appliance.name ?? '' })}
    >
      <ol class="steps">
        {steps.map((name, n) => (
          <li
            key={name}
            class={n < steps.indexOf(step) ? 'step step-done' : 'step'}
            aria-current={name === step ? 'step' : undefined}
          >
            <span class="step-number">{n < steps.indexOf(step) ? '✓' : n + 1}</span>
            <span>{words.t(`step.${name}`)}</span>
          </li>
        ))}
      </ol>
      {step === 'account' ? (
        <AccountStep
          done={() => {
            reached.value = 'lines'
          }}
        />
      ) : step === 'lines' ? (
        <LinesStep
          done={() => {
            reached.value = 'pair'
          }}
        />
      ) : (
        <PairStep />
      )}
    </Page>
  )
}

export const page: PageModule = {
  words: [words, lineWords, queueWords, reasonWords, ...findWords],
  view: SetupPage,
}

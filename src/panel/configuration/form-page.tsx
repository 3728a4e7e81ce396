/** /configuration: the settings that all members share, as forms, and the change of them that is on trial. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Notice, Page, Waiting } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { download, type Problem, post } from '../shell/api.ts'
import { now } from '../shell/clock.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { type Remote, useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { may } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { type Countdown, countdown } from './countdown.ts'
import type { Draft } from './draft.ts'
import { SettingForms } from './setting-forms.tsx'
import { settingSection, settingText, settingWords } from './setting-words.ts'
import type { Applied, Checked, ConflictsView, SettingsForm, SettingsView, Trial } from './shapes.ts'
import { TrialBar } from './trial-bar.tsx'
import { words } from './words.ts'

/** Has pages of its own, with room for thousands of entries. */
const PEOPLE = 'people'

function View() {
  const form = useRemote<SettingsForm>('/config/schema')
  const settings = useRemote<SettingsView>('/config', { refresh: ['configuration'] })
  const conflicts = useRemote<ConflictsView>('/config/conflicts', { refresh: ['configuration'] })
  return (
    <Page
      title={words.t('title')}
      intro={words.t('intro')}
      actions={
        <Button
          icon="download"
          onClick={async () => {
            const answer = await download('GET', '/config/export', 'twinline-settings.yaml')
            if (!answer.ok) announce(problemText(answer.problem), 'bad')
          }}
        >
          {words.t('export')}
        </Button>
      }
    >
      <ConfigTabs conflicts={conflicts.data.value?.items.length ?? 0} />
      {form.data.value === undefined || settings.data.value === undefined ? (
        <Waiting of={form.data.value === undefined ? form : settings} rows={8} />
      ) : (
        <Forms form={form.data.value} settings={settings} />
      )}
    </Page>
  )
}

export const page = {
  words: [words, settingWords, ...problemDictionaries],
  view: View,
}

const PeopleLink = () => (
  <p>
    {settingWords.t('peopleText')} <a href="/people">{settingWords.t('peopleLink')}</a>
  </p>
)

function Forms({ form, settings }: { form: SettingsForm; settings: Remote<SettingsView> }) {
  const running = useTrial(settings)
  const items = settings.data.value?.items ?? []
  const sources = new Map(items.map(({ path, source }) => [path, source]))

  async function apply(changes: Draft, confirmWithin: string | undefined): Promise<Problem | undefined> {
    const answer = await post<Applied>('/config/apply', {
      changes,
      ...(confirmWithin === undefined ? {} : { confirmWithin }),
    })
    if (!answer.ok) return answer.problem
    running.begin(answer.value)
    if (answer.value.confirmBy === undefined)
      announce(words.t(answer.value.revision === undefined ? 'unchanged' : 'applied'))
    settings.reload()
    return undefined
  }

  return (
    <>
      <Trials running={running} />
      {may('admin') ? null : <Notice tone="info">{words.t('readOnly')}</Notice>}
      {settings.data.value?.problems.map(({ path, text }) => (
        <Notice key={`${path} ${text}`} tone="warn" title={settingText.name(path)}>
          {saidText(text)}
        </Notice>
      ))}
      <SettingForms<Checked>
        linked
        parts={form.sections.map(({ name, fields }) => ({
          name,
          title: settingSection(name),
          fields: name === PEOPLE ? [] : fields,
          intro: name === PEOPLE ? <PeopleLink /> : undefined,
        }))}
        held={new Map(items.map(({ path, value }) => [path, value]))}
        text={settingText}
        disabled={!may('admin') || running.trial.value !== undefined}
        check={(changes) => post('/config/check', { changes })}
        apply={apply}
        mayKeep
        source={(path) => words.maybe(`source.${sources.get(path) ?? 'default'}`) ?? ''}
      />
    </>
  )
}

interface Running {
  trial: Signal<Countdown | undefined>
  begin: (applied: Applied) => void
  end: () => void
}

/** The change on trial, of this page or of anybody else. */
function useTrial(settings: Remote<SettingsView>): Running {
  const trial = useSignal<Countdown | undefined>(undefined)
  const pending: Trial | undefined = settings.data.value?.trial
  const start = (revision: string, confirmBy: string) => {
    trial.value = countdown(revision, Date.parse(confirmBy) - now.peek(), performance.now())
  }
  useEffect(() => {
    if (pending === undefined) trial.value = undefined
    else if (trial.peek()?.revision !== pending.revision) start(pending.revision, pending.confirmBy)
  }, [pending?.revision, pending?.confirmBy])
  return {
    trial,
    begin: ({ revision, confirmBy }) => {
      if (revision !== undefined && confirmBy !== undefined) start(revision, confirmBy)
    },
    end: () => {
      trial.value = undefined
      settings.reload()
    },
  }
}

function Trials({ running }: { running: Running }) {
  const trial = running.trial.value
  if (trial === undefined) return null
  const settle = async (path: '/config/confirm' | '/config/revert', done: string): Promise<void> => {
    const answer = await post(path, { revision: trial.revision })
    if (answer.ok) announce(done)
    else announce(problemText(answer.problem), 'bad')
    running.end()
  }
  return (
    <TrialBar
      trial={trial}
      confirm={() => settle('/config/confirm', words.t('confirmed'))}
      revert={() => settle('/config/revert', words.t('reverted'))}
      over={() => {
        announce(words.t('wentBack'), 'warn')
        running.end()
      }}
    />
  )
}

/**
 * /configuration: the settings that all members share, as forms made from the appliance's own description of them.
 * What is typed is checked by the appliance while it is typed; nothing is applied before the last look.
 */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, Notice, Page, Waiting } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { type Answer, download, type Problem, post } from '../shell/api.ts'
import { now } from '../shell/clock.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { type Remote, useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { may } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { type Countdown, countdown } from './countdown.ts'
import { type Draft, type FieldProblem, isEmpty, strayProblems, withoutPath, withValue } from './draft.ts'
import { fieldPaths } from './field-model.ts'
import { useLeaveWarning } from './leave-warning.ts'
import { Review } from './review.tsx'
import { fieldName, sectionName, settingText } from './setting-text.ts'
import type { Applied, Checked, ConflictsView, Field, SettingsForm, SettingsView, Trial } from './shapes.ts'
import { TrialBar } from './trial-bar.tsx'
import { ValueField } from './value-field.tsx'
import { settingWords, words } from './words.ts'

const CHECK_PAUSE_MS = 350
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
  asks: () => ['/config/schema', '/config', '/config/conflicts'],
  view: View,
}

const PeopleLink = () => (
  <p>
    {settingWords.t('peopleText')} <a href="/people">{settingWords.t('peopleLink')}</a>
  </p>
)

function Forms({ form: whole, settings }: { form: SettingsForm; settings: Remote<SettingsView> }) {
  const sections = whole.sections.map((section) =>
    section.name === PEOPLE ? { ...section, fields: [] } : section,
  )
  const draft = useSignal<Draft>({})
  const checked = useSignal<{ problems: readonly FieldProblem[]; diff: Checked['diff'] }>({
    problems: [],
    diff: [],
  })
  const reviewing = useSignal(false)
  const running = useTrial(settings)
  const held = new Map(settings.data.value?.items.map(({ path, value }) => [path, value]))
  const sources = new Map(settings.data.value?.items.map((item) => [item.path, item.source]))
  const valueAt = (path: string): unknown =>
    path in draft.value ? (draft.value[path] ?? undefined) : held.get(path)
  const paths = sections.flatMap(({ fields }) =>
    fields.flatMap((field) => fieldPaths(field, valueAt(field.path), field.path)),
  )
  const stray = strayProblems(checked.value.problems, paths)
  const disabled = !may('admin') || running.trial.value !== undefined
  const dirty = !isEmpty(draft.value)
  useChecks(draft, checked)
  useLeaveWarning(dirty)

  async function review(): Promise<void> {
    const answer = await post<Checked>('/config/check', { changes: draft.value })
    if (!answer.ok) {
      announce(problemText(answer.problem), 'bad')
      return
    }
    checked.value = withTexts(answer.value)
    if (answer.value.problems.length === 0) reviewing.value = true
    else requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  }

  async function apply(confirmWithin: string | undefined): Promise<Problem | undefined> {
    const answer = await post<Applied>('/config/apply', {
      changes: draft.value,
      ...(confirmWithin === undefined ? {} : { confirmWithin }),
    })
    if (!answer.ok) return answer.problem
    reviewing.value = false
    draft.value = {}
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
        <Notice key={`${path} ${text}`} tone="warn" title={fieldName(path)}>
          {saidText(text)}
        </Notice>
      ))}
      <div class="settings">
        <nav class="settings-nav" aria-label={words.t('sections')}>
          {sections.map(({ name, label }) => (
            <a key={name} href={`#${name}`}>
              {sectionName(label, name)}
            </a>
          ))}
        </nav>
        <div class="stack">
          {sections.map(({ name, label, fields }) => (
            <div key={name} id={name}>
              <Card title={sectionName(label, name)}>
                {name === PEOPLE ? <PeopleLink /> : null}
                {fields.map((field) => (
                  <div
                    key={field.path}
                    class={field.path in draft.value ? 'setting setting-changed' : 'setting'}
                  >
                    <ValueField
                      field={field}
                      at={field.path}
                      value={valueAt(field.path)}
                      onChange={(value) => {
                        draft.value = withValue(
                          draft.value,
                          field.path,
                          value ?? null,
                          held.get(field.path) ?? null,
                        )
                      }}
                      problems={checked.value.problems}
                      paths={paths}
                      text={settingText}
                      disabled={disabled}
                    />
                    <SettingState
                      field={field}
                      source={sources.get(field.path)}
                      changed={field.path in draft.value}
                      back={() => {
                        draft.value = withoutPath(draft.value, field.path)
                      }}
                    />
                  </div>
                ))}
              </Card>
            </div>
          ))}
        </div>
      </div>
      {dirty ? (
        <section class="pending" aria-label={words.t('pending')}>
          <p>
            <strong>{words.t('pendingCount', { count: Object.keys(draft.value).length })}</strong>{' '}
            {checked.value.problems.length === 0 ? null : (
              <span class="field-error">
                {words.t('problemCount', { count: checked.value.problems.length })}
              </span>
            )}
          </p>
          {stray.map(({ path, text }) => (
            <p key={path} class="field-error">
              {fieldName(path)}: {text}
            </p>
          ))}
          <div class="actions">
            <Button
              kind="quiet"
              onClick={() => {
                draft.value = {}
              }}
            >
              {words.t('discard')}
            </Button>
            <Button kind="primary" onClick={review}>
              {words.t('review')}
            </Button>
          </div>
        </section>
      ) : null}
      {reviewing.value ? (
        <Review
          changes={checked.value.diff}
          name={fieldName}
          mayKeep
          apply={apply}
          close={() => {
            reviewing.value = false
          }}
        />
      ) : null}
    </>
  )
}

const withTexts = ({ problems, diff }: Checked) => ({
  problems: problems.map(({ path, message }) => ({ path, text: saidText(message) })),
  diff,
})

/** Where a value comes from, and the way back from what was typed. */
function SettingState(props: {
  field: Field
  source: string | undefined
  changed: boolean
  back: () => void
}) {
  if (props.changed)
    return (
      <p class="setting-state">
        <strong>{words.t('changed')}</strong>{' '}
        <Button
          kind="quiet"
          label={words.t('undoLabel', { name: fieldName(props.field.path) })}
          onClick={props.back}
        >
          {words.t('undo')}
        </Button>
      </p>
    )
  return <p class="setting-state quiet">{words.maybe(`source.${props.source ?? 'default'}`) ?? ''}</p>
}

/** The appliance looks at a draft while it is typed; the newest question wins. */
function useChecks(
  draft: Signal<Draft>,
  checked: Signal<{ problems: readonly FieldProblem[]; diff: Checked['diff'] }>,
): void {
  const typed = draft.value
  useEffect(() => {
    if (isEmpty(typed)) {
      checked.value = { problems: [], diff: [] }
      return
    }
    let over = false
    const soon = setTimeout(async () => {
      const answer: Answer<Checked> = await post('/config/check', { changes: typed })
      if (!over && answer.ok) checked.value = withTexts(answer.value)
    }, CHECK_PAUSE_MS)
    return () => {
      over = true
      clearTimeout(soon)
    }
  }, [typed])
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

/**
 * /pair/settings: every key of `pair` of the member that answers, with its meaning, default and limits. The expected
 * failover time and the rule about restarts are shown while somebody types; what the appliance says comes right after.
 */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, Facts, Notice, Page, Progress, Waiting } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { announce } from '../components/toast.tsx'
import {
  type Draft,
  type FieldProblem,
  isEmpty,
  isRecord,
  strayProblems,
  withValue,
} from '../configuration/draft.ts'
import { type AnyField, fieldPaths } from '../configuration/field-model.ts'
import { useLeaveWarning } from '../configuration/leave-warning.ts'
import { useOwnTrial } from '../configuration/own-trial.ts'
import { Review } from '../configuration/review.tsx'
import { limits } from '../configuration/setting-text.ts'
import { TrialBar } from '../configuration/trial-bar.tsx'
import { type FieldWords, ValueField } from '../configuration/value-field.tsx'
import { words as configWords, settingWords } from '../configuration/words.ts'
import { post, withQuery } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { may, memberName, session } from '../shell/session.ts'
import { PairTabs } from './pair-tabs.tsx'
import { byHand, driverOf, grouped, type Outlook, outlook } from './settings-model.ts'
import type { OwnChecked, OwnConfiguration, PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { keyWords, words } from './words.ts'

const CHECK_PAUSE_MS = 350

/** `pair.advertise[1]` is `pair.advertise`. */
const keyOf = (at: string) => at.replaceAll(/\[\d+\]/g, '')

const name = (path: string): string => keyWords.maybe(keyOf(path)) ?? path

const text: FieldWords = {
  label: (field, at) => keyWords.maybe(keyOf(at)) ?? field.path,
  help(field, at) {
    const known = keyWords.maybe(`${keyOf(at)}.known`)
    const more = limits(field)
    return (
      <>
        {keyWords.maybe(`${keyOf(at)}.help`) ?? field.help}
        {more === '' ? '' : ` ${more}.`}
        {known === undefined ? null : <span class="known"> {keyWords.t('known', { name: known })}.</span>}
      </>
    )
  },
}

/** Whose file is looked at: the address says it; otherwise that of the member that answers. */
const nodeHere = (): string => place.value.query.get('node') ?? session.value?.appliance.node ?? ''

function View() {
  const here = session.value?.appliance.node ?? ''
  const node = nodeHere()
  return (
    <Page
      title={words.t('settingsTitle')}
      intro={words.t('settingsIntro', { member: memberName(node) })}
      back={{ to: '/pair', text: words.t('title') }}
    >
      <PairTabs />
      <Whose node={node} here={here} />
      <OfMember key={node} node={node} />
    </Page>
  )
}

/** Every member has its own file, and each can be changed from here. */
function Whose({ node, here }: { node: string; here: string }) {
  const members = session.value?.pair?.members ?? []
  if (members.length < 2) return null
  return (
    <label class="field filter">
      <span class="field-label">{words.t('settingsOf')}</span>
      <select
        class="input"
        value={node}
        onChange={(event) => {
          const chosen = event.currentTarget.value
          setQuery({ node: chosen === here ? undefined : chosen })
        }}
      >
        {members.map((member) => (
          <option key={member.node} value={member.node}>
            {memberName(member.node)}
          </option>
        ))}
      </select>
    </label>
  )
}

function OfMember({ node }: { node: string }) {
  const own = useRemote<OwnConfiguration>(withQuery('/own-configuration', { node }))
  const trial = useOwnTrial(own, node)
  const view = own.data.value
  return (
    <>
      {trial.trial.value === undefined || trial.restarting.value ? null : (
        <TrialBar trial={trial.trial.value} confirm={trial.confirm} revert={trial.revert} over={trial.over} />
      )}
      {trial.restarting.value ? (
        <Notice tone="info">
          <Progress label={configWords.t('restarting')} />
        </Notice>
      ) : view === undefined ? (
        <Waiting of={own} rows={8} />
      ) : (
        <Forms own={view} trial={trial} />
      )}
    </>
  )
}

export const page = {
  words: [words, keyWords, configWords, settingWords, ...problemDictionaries],
  asks: () => ['/own-configuration', '/pair'].map((path) => withQuery(path, { node: nodeHere() })),
  view: View,
}

function Forms({ own, trial }: { own: OwnConfiguration; trial: ReturnType<typeof useOwnTrial> }) {
  const draft = useSignal<Draft>({})
  const checked = useSignal<OwnChecked>({ problems: [], diff: [] })
  const reviewing = useSignal(false)
  const ofPair = own.sections.find(({ name }) => name === 'pair')?.fields ?? []
  const fields: readonly AnyField[] = ofPair
  const held = new Map(ofPair.map(({ path, value }) => [path, value]))
  const valueAt = (path: string): unknown =>
    path in draft.value ? (draft.value[path] ?? undefined) : held.get(path)
  const paths = fields.flatMap((field) => fieldPaths(field, valueAt(field.path), field.path))
  const problems: FieldProblem[] = checked.value.problems.map(({ path, message }) => ({
    path,
    text: saidText(message),
  }))
  const stray = strayProblems(problems, paths)
  const disabled = !may('admin') || !own.writable || trial.trial.value !== undefined
  const dirty = !isEmpty(draft.value)
  const pair = useRemote<PairView>(withQuery('/pair', { node: own.node }))
  const start = checked.value.failover?.start ?? pair.data.value?.failover?.start ?? 0
  const look = outlook(valueAt, start, (session.value?.pair?.members.length ?? 0) > 2)
  useLeaveWarning(dirty)

  const typed = draft.value
  useEffect(() => {
    if (isEmpty(typed)) {
      checked.value = { problems: [], diff: [] }
      return
    }
    let over = false
    const soon = setTimeout(async () => {
      const answer = await post<OwnChecked>(withQuery('/own-configuration/check', { node: own.node }), {
        changes: typed,
      })
      if (!over && answer.ok) checked.value = answer.value
    }, CHECK_PAUSE_MS)
    return () => {
      over = true
      clearTimeout(soon)
    }
  }, [typed])

  async function review(): Promise<void> {
    const answer = await post<OwnChecked>(withQuery('/own-configuration/check', { node: own.node }), {
      changes: draft.value,
    })
    if (!answer.ok) {
      announce(problemText(answer.problem), 'bad')
      return
    }
    checked.value = answer.value
    if (answer.value.problems.length === 0) reviewing.value = true
    else requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  }

  return (
    <>
      {may('admin') ? null : <Notice tone="info">{configWords.t('readOnly')}</Notice>}
      {own.writable ? null : <Notice tone="warn">{words.t('notWritable')}</Notice>}
      <OutlookCard look={look} promises={checked.value.promises} />
      {grouped(fields).map((group) => (
        <Card key={group.name} title={keyWords.maybe(`group.${group.name}`) ?? group.name}>
          {group.fields.map((field) => (
            <div key={field.path} class={field.path in draft.value ? 'setting setting-changed' : 'setting'}>
              <ValueField
                field={field}
                at={field.path}
                value={valueAt(field.path)}
                onChange={(typed) => {
                  const before = valueAt(field.path)
                  const begun = field.path === 'pair.profile' && isRecord(typed) && !isRecord(before)
                  const value = begun ? byHand(before, driverOf(valueAt)) : typed
                  draft.value = withValue(
                    draft.value,
                    field.path,
                    value ?? null,
                    held.get(field.path) ?? null,
                  )
                }}
                problems={problems}
                paths={paths}
                text={text}
                disabled={disabled}
              />
            </div>
          ))}
        </Card>
      ))}
      {dirty ? (
        <section class="pending" aria-label={configWords.t('pending')}>
          <p>
            <strong>{configWords.t('pendingCount', { count: Object.keys(draft.value).length })}</strong>{' '}
            {problems.length === 0 ? null : (
              <span class="field-error">{configWords.t('problemCount', { count: problems.length })}</span>
            )}
            {look === undefined ? null : (
              <span> {words.t('servedAfter', { span: spanText(look.served) })}</span>
            )}
          </p>
          {stray.map((problem) => (
            <p key={problem.path} class="field-error">
              {problem.path === '' ? '' : `${name(problem.path)}: `}
              {problem.text}
            </p>
          ))}
          <div class="actions">
            <Button
              kind="quiet"
              onClick={() => {
                draft.value = {}
              }}
            >
              {configWords.t('discard')}
            </Button>
            <Button kind="primary" onClick={review}>
              {configWords.t('review')}
            </Button>
          </div>
        </section>
      ) : null}
      {reviewing.value ? (
        <Review
          changes={checked.value.diff}
          name={name}
          mayKeep={false}
          note={
            <>
              <Notice tone="warn">{words.t('settingsRestart')}</Notice>
              <OutlookCard look={look} promises={checked.value.promises} />
            </>
          }
          apply={async (confirmWithin) => {
            const refused = await trial.apply(draft.value, confirmWithin ?? '90s')
            if (refused !== undefined) return refused
            reviewing.value = false
            draft.value = {}
            return undefined
          }}
          close={() => {
            reviewing.value = false
          }}
        />
      ) : null}
    </>
  )
}

/** What the settings as typed mean: the figure that an operator will be asked for. */
function OutlookCard({ look, promises }: { look: Outlook | undefined; promises: OwnChecked['promises'] }) {
  if (look === undefined) return <Notice tone="warn">{words.t('outlookUnread')}</Notice>
  const { beats, restart } = look
  const split = promises?.find(({ fault }) => fault === 'split')
  return (
    <Card title={words.t('expected')} class="outlook">
      <p class="figure-big figures" aria-live="polite">
        {spanText(look.served)}
      </p>
      <Facts
        rows={[
          [
            words.t('silence'),
            <span class="figures">
              {beats.misses} × {spanText(beats.interval)}
              {beats.timeout > 0 ? ` + ${spanText(beats.timeout)}` : ''} = {spanText(look.silence)}
            </span>,
          ],
          [words.t('leaseEnds'), spanText(look.lease)],
          [words.t('lineStart'), spanText(look.lines)],
          [words.t('firstMessage'), spanText(look.sending)],
          [
            words.t('restartRule'),
            restart === undefined ? (
              words.t('restartOpen', {
                sum: `(${beats.misses} − 1) × ${spanText(beats.interval)} = ${spanText(look.patience)}`,
              })
            ) : (
              <Status tone={restart.kept ? 'ok' : 'bad'}>
                {words.t(restart.kept ? 'restartKept' : 'restartBroken', {
                  sum: `(${beats.misses} − 1) × ${spanText(beats.interval)} = ${spanText(look.patience)}`,
                  restart: spanText(restart.takes),
                  enough: restart.enough,
                })}
              </Status>
            ),
          ],
          [
            words.t('splitBrain'),
            split === undefined ? undefined : (
              <Status tone={split.bothServe ? 'warn' : 'ok'}>
                {words.t(split.bothServe ? 'splitBoth' : 'splitOne')}
              </Status>
            ),
          ],
        ]}
      />
    </Card>
  )
}

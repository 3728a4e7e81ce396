/**
 * Modems that are plugged in and no line yet: found on a click, shown with signal and SIM, and made a line of the member
 * by a change of its own file, on trial. Stands on the page of the lines and in the first run.
 */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Facts, Notice, ProblemNotice, Progress } from '../components/layout.tsx'
import { Bars, Status, type Tone } from '../components/status.tsx'
import type { OwnConfiguration } from '../configuration/own-shapes.ts'
import { useOwnTrial } from '../configuration/own-trial.ts'
import { TrialBar } from '../configuration/trial-bar.tsx'
import { words as configWords } from '../configuration/words.ts'
import { type Problem, post, withQuery } from '../shell/api.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { memberName, session } from '../shell/session.ts'
import {
  type FoundPortView,
  idsIn,
  lineOf,
  type ModemSearchView,
  type Standing,
  standingOf,
  titleOf,
} from './found-model.ts'
import { words } from './modem-words.ts'
import { UseDialog } from './use-dialog.tsx'

/** What a page that shows this has to load. */
export const findWords = [words, configWords, ...problemDictionaries]

interface FindProps {
  /** Asks for the lines again. */
  reload: () => void
  /** Told whether a change of the file waits for somebody to keep it. */
  waits?: (pending: boolean) => void
}

/** For administrators: the search and the file are theirs alone. */
export function FindModems(props: FindProps) {
  const here = session.value?.appliance.node ?? ''
  const chosen = useSignal(here)
  const members = session.value?.pair?.members ?? []
  return (
    <Card title={words.t('title')}>
      <p class="quiet">{words.t('intro')}</p>
      {members.length < 2 ? null : (
        <label class="field filter">
          <span class="field-label">{words.t('where')}</span>
          <select
            class="input"
            value={chosen.value}
            onChange={(event) => {
              chosen.value = event.currentTarget.value
            }}
          >
            {members.map(({ node }) => (
              <option key={node} value={node}>
                {memberName(node)}
              </option>
            ))}
          </select>
        </label>
      )}
      <AtMember key={chosen.value} node={chosen.value} {...props} />
    </Card>
  )
}

function AtMember({ node, reload, waits }: FindProps & { node: string }) {
  const own = useRemote<OwnConfiguration>(withQuery('/own-configuration', { node }))
  const trial = useOwnTrial(own, node)
  const found = useSignal<readonly FoundPortView[] | undefined>(undefined)
  const problem = useSignal<Problem | undefined>(undefined)
  const looking = useSignal(false)
  const using = useSignal<FoundPortView | undefined>(undefined)

  async function look(): Promise<void> {
    looking.value = true
    problem.value = undefined
    const answer = await post<ModemSearchView>(withQuery('/modems/search', { node }), {})
    looking.value = false
    if (answer.ok) found.value = answer.value.items
    else problem.value = answer.problem
  }

  const view = own.data.value
  const pending = trial.trial.value !== undefined
  useEffect(() => waits?.(pending), [pending])
  if (trial.restarting.value) {
    return (
      <Notice tone="info">
        <Progress label={configWords.t('restarting')} />
      </Notice>
    )
  }
  return (
    <div class="stack">
      {trial.trial.value === undefined ? null : (
        <TrialBar trial={trial.trial.value} confirm={trial.confirm} revert={trial.revert} over={trial.over} />
      )}
      {own.problem.value === undefined ? null : (
        <ProblemNotice problem={own.problem.value} again={own.reload} />
      )}
      <p>
        <Button icon="search" busy={looking.value} onClick={look}>
          {words.t(found.value === undefined ? 'find' : 'findAgain')}
        </Button>
      </p>
      <div class="stack" aria-live="polite">
        {looking.value ? <Progress label={words.t('looking')} /> : null}
        {problem.value === undefined ? null : <ProblemNotice problem={problem.value} />}
        {found.value === undefined || looking.value ? null : <Summary found={found.value} />}
      </div>
      {looking.value || found.value === undefined || found.value.length === 0 ? null : (
        <ul class="line-rows">
          {found.value.map((port) => (
            <li key={port.device} class="setup-line">
              <Found port={port} />
              {standingOf(port) !== 'usable' || view === undefined ? null : view.writable ? (
                <p>
                  <Button
                    kind="primary"
                    disabled={pending}
                    label={words.t('useOf', { modem: titleOf(port) })}
                    onClick={() => {
                      using.value = port
                    }}
                  >
                    {words.t('use')}
                  </Button>
                  {pending ? <span class="quiet"> {words.t('trialFirst')}</span> : null}
                </p>
              ) : (
                <ByHand port={port} />
              )}
            </li>
          ))}
        </ul>
      )}
      {using.value === undefined || view === undefined ? null : (
        <UseDialog
          port={using.value}
          member={memberName(node)}
          taken={idsIn(view.keys)}
          apply={trial.apply}
          close={() => {
            using.value = undefined
          }}
          added={() => {
            using.value = undefined
            found.value = undefined
            reload()
          }}
        />
      )}
    </div>
  )
}

function Summary({ found }: { found: readonly FoundPortView[] }) {
  const usable = found.filter((port) => standingOf(port) === 'usable').length
  if (usable > 0) return <p>{words.t('found', { count: usable })}</p>
  return (
    <EmptyState title={words.t('none')}>
      <p>{words.t('noneText')}</p>
      <ul>
        {(['helpCable', 'helpGroup', 'helpOther', 'helpStick'] as const).map((key) => (
          <li key={key}>{words.t(key)}</li>
        ))}
      </ul>
    </EmptyState>
  )
}

const tones: Record<Standing, Tone> = {
  usable: 'ok',
  line: 'off',
  other: 'off',
  silent: 'off',
  denied: 'bad',
  'in-use': 'warn',
  failed: 'bad',
  'not-asked': 'warn',
}

function Found({ port }: { port: FoundPortView }) {
  const { modem, line = '', why = '', name, device, also } = port
  const standing = standingOf(port)
  const reason = words.maybe(`why.${standing}`, { text: why === '' ? '' : saidText(why) })
  const sim = modem?.sim
  const abilities = (['voice', 'callerId'] as const)
    .filter((ability) => modem?.[ability] === true)
    .map((ability) => words.t(`can.${ability}`))
  return (
    <>
      <div class="member-head">
        <strong>{titleOf(port)}</strong>
        <Status tone={tones[standing]}>{words.t(`result.${standing}`, { line })}</Status>
      </div>
      {reason === undefined ? null : <p class="quiet">{reason}</p>}
      <Facts
        rows={[
          [words.t('signal'), modem?.kind === 'gsm' ? <Bars dbm={modem.signal} /> : undefined],
          [words.t('sim'), sim === undefined ? undefined : (words.maybe(`sim.${sim.toLowerCase()}`) ?? sim)],
          [words.t('operator'), modem?.operator],
          [words.t('classes'), modem?.classes?.join(', ')],
          [words.t('also.can'), abilities.length === 0 ? undefined : abilities.join(', ')],
          [words.t('imei'), modem?.imei],
          [words.t('profile'), modem?.profile],
          [words.t('port'), <span class="mono">{name === device ? device : `${device} · ${name}`}</span>],
          [words.t('also'), also?.join(', ')],
        ]}
      />
    </>
  )
}

/** For a file that the program may not change. */
function ByHand({ port: { entry } }: { port: FoundPortView }) {
  if (entry === undefined) return null
  const line = lineOf(entry, { id: `${entry.kind}0`, pin: '', station: '' })
  return (
    <>
      <p>{words.t('notWritable')}</p>
      <pre class="value" translate={false}>
        {JSON.stringify(line)}
      </pre>
    </>
  )
}

/** First run, step 2: the lines with signal and SIM, a test message over any of them, and modems that are no line yet. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Facts, Waiting } from '../components/layout.tsx'
import { Bars } from '../components/status.tsx'
import { FindModems } from '../lines/find-modems.tsx'
import { words as modemWords } from '../lines/modem-words.ts'
import { LineStatus } from '../lines/summary.tsx'
import { TestDialog } from '../lines/tools.tsx'
import { words as lineWords } from '../lines/words.ts'
import { reasonText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { LineListView, LineView } from '../shell/shapes.ts'
import { words } from './words.ts'

export function LinesStep({ done }: { done: () => void }) {
  const lines = useRemote<LineListView>('/lines', { refresh: ['status'], every: 2_000 })
  const testing = useSignal<LineView | undefined>(undefined)
  /** Whoever went on now would lose the line that was just added. */
  const onTrial = useSignal(false)
  const found = lines.data.value?.items
  return (
    <>
      <Card title={words.t('step.lines')}>
        <p>{words.t('linesText')}</p>
        <Waiting of={lines} rows={2} />
        {found?.length === 0 ? (
          <EmptyState title={words.t('noLines')}>{words.t('noLinesText')}</EmptyState>
        ) : null}
        <ul class="line-rows">
          {found?.map((line) => (
            <li key={line.id} class="setup-line">
              <div class="member-head">
                <strong>{line.id}</strong>
                <LineStatus line={line} />
              </div>
              <Facts
                rows={[
                  [words.t('modem'), [line.modem?.manufacturer, line.modem?.model].filter(Boolean).join(' ')],
                  [words.t('signal'), line.kind === 'gsm' ? <Bars dbm={line.signal} /> : undefined],
                  [words.t('sim'), line.sim?.state === undefined ? undefined : simWord(line.sim.state)],
                  [words.t('operator'), line.network?.operator],
                  [words.t('reason'), line.reason === undefined ? undefined : reasonText(line.reason)],
                ]}
              />
              <p>
                <Button
                  icon="send"
                  label={words.t('testOf', { line: line.id })}
                  onClick={() => {
                    testing.value = line
                  }}
                >
                  {words.t('test')}
                </Button>
              </p>
            </li>
          ))}
        </ul>
      </Card>
      <FindModems
        reload={lines.reload}
        waits={(pending) => {
          onTrial.value = pending
        }}
      />
      <div class="actions actions-end">
        {onTrial.value ? <span class="quiet">{modemWords.t('trialFirst')}</span> : null}
        <Button kind="primary" disabled={onTrial.value} onClick={done}>
          {words.t('goOn')}
        </Button>
      </div>
      {testing.value === undefined ? null : (
        <TestDialog
          line={testing.value}
          reload={lines.reload}
          close={() => {
            testing.value = undefined
          }}
        />
      )}
    </>
  )
}

const simWord = (state: string): string => lineWords.maybe(`sim.${state.toLowerCase()}`) ?? state

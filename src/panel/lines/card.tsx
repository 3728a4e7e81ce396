/** One line as a card: how it is, its signal, SIM and network, what went well and wrong last, and what can be done. */
import { Button } from '../components/button.tsx'
import { Card, Facts } from '../components/layout.tsx'
import { Bars } from '../components/status.tsx'
import { Ago, Time } from '../components/time.tsx'
import { now } from '../shell/clock.ts'
import { reasonText } from '../shell/problems.ts'
import { saidText } from '../shell/said.ts'
import { may } from '../shell/session.ts'
import type { LineView } from '../shell/shapes.ts'
import { number, relative } from '../shell/words.ts'
import { act } from './actions.ts'
import { LineStatus } from './summary.tsx'
import { words } from './words.ts'

export type LineTool = 'test' | 'mute' | 'trace'

const simText = (sim: NonNullable<LineView['sim']>): string =>
  [
    words.maybe(`sim.${sim.state?.toLowerCase()}`) ?? sim.state,
    sim.iccid === undefined || sim.iccid === '' ? '' : `… ${sim.iccid.slice(-6)}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')

const networkText = ({ registered, registration, technology }: NonNullable<LineView['network']>): string =>
  [
    words.maybe(`registration.${registration}`) ??
      registration ??
      words.t(registered ? 'registered' : 'notRegistered'),
    technology ?? '',
  ]
    .filter((part) => part !== '')
    .join(', ')

function modemText({ modem }: LineView): string | undefined {
  const text = [modem?.manufacturer, modem?.model]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
  return text === '' ? undefined : text
}

export function LineCard(props: { line: LineView; reload: () => void; open: (tool: LineTool) => void }) {
  const { line } = props
  const { fax } = line
  return (
    <Card
      title={line.id}
      aside={<LineStatus line={line} />}
      class="line-card"
      foot={may('operator') && line.state !== 'passive' ? <Tools {...props} /> : undefined}
    >
      {line.reason === undefined || line.state === 'ready' ? null : (
        <p class="line-reason">
          {reasonText(line.reason)}
          {line.nextTry === undefined ? null : (
            <>
              {' '}
              <strong>
                {words.t('nextTry', {
                  when: relative(line.nextTry, Math.min(now.value, Date.parse(line.nextTry))),
                })}
              </strong>
            </>
          )}
        </p>
      )}
      {fax?.progress === undefined ? null : <p class="line-reason">{saidText(fax.progress)}</p>}
      <Facts
        rows={[
          [words.t('mutedUntil'), line.muted === undefined ? undefined : <Time at={line.muted} />],
          [words.t('signal'), line.kind === 'gsm' ? <Bars dbm={line.signal} /> : undefined],
          [words.t('operator'), line.network?.operator],
          [words.t('network'), line.network === undefined ? undefined : networkText(line.network)],
          [words.t('sim'), line.sim === undefined ? undefined : simText(line.sim)],
          [words.t('faxClass'), fax?.class],
          [
            words.t('faxRate'),
            fax?.rate === undefined ? undefined : words.t('bitRate', { rate: number(fax.rate) }),
          ],
          [
            words.t('lastCall'),
            fax?.lastCall === undefined ? undefined : (
              <>
                {fax.lastCall.from === '' ? words.t('callerUnknown') : fax.lastCall.from},{' '}
                {words.t(`call.${fax.lastCall.result}`)}{' '}
                <span class="quiet">
                  (<Ago at={fax.lastCall.at} />)
                </span>
              </>
            ),
          ],
          [
            words.t('lastSuccess'),
            line.lastSuccess === undefined ? words.t('none') : <Ago at={line.lastSuccess} />,
          ],
          [
            words.t('lastError'),
            line.lastError === undefined ? undefined : (
              <>
                {reasonText(line.lastError.reason)}{' '}
                <span class="quiet">
                  (<Ago at={line.lastError.at} />)
                </span>
              </>
            ),
          ],
          [words.t('recoveries'), line.recoveries === 0 ? undefined : number(line.recoveries)],
          [words.t('modem'), modemText(line)],
          [words.t('port'), <span class="mono">{line.port}</span>],
        ]}
      />
    </Card>
  )
}

function Tools({
  line,
  reload,
  open,
}: {
  line: LineView
  reload: () => void
  open: (tool: LineTool) => void
}) {
  const { id } = line
  const off = line.state === 'disabled'
  return (
    <>
      {off ? null : (
        <Button icon="send" label={words.t('testOf', { line: id })} onClick={() => open('test')}>
          {words.t('test')}
        </Button>
      )}
      {off ? null : line.muted === undefined ? (
        <Button icon="mute" label={words.t('muteOf', { line: id })} onClick={() => open('mute')}>
          {words.t('mute')}
        </Button>
      ) : (
        <Button label={words.t('unmuteOf', { line: id })} onClick={() => act(line, 'unmute', reload)}>
          {words.t('unmute')}
        </Button>
      )}
      {off ? null : (
        <Button
          icon="restart"
          label={words.t('restartOf', { line: id })}
          confirm={{
            title: words.t('restartTitle', { line: id }),
            text: words.t('restartText'),
            action: words.t('restart'),
          }}
          onClick={() => act(line, 'restart', reload)}
        >
          {words.t('restart')}
        </Button>
      )}
      {off ? (
        <Button
          kind="primary"
          label={words.t('enableOf', { line: id })}
          onClick={() => act(line, 'enable', reload)}
        >
          {words.t('enable')}
        </Button>
      ) : (
        <Button
          label={words.t('disableOf', { line: id })}
          confirm={{
            title: words.t('disableTitle', { line: id }),
            text: words.t('disableText'),
            action: words.t('disable'),
            kind: 'danger',
          }}
          onClick={() => act(line, 'disable', reload)}
        >
          {words.t('disable')}
        </Button>
      )}
      <Button kind="quiet" label={words.t('traceOf', { line: id })} onClick={() => open('trace')}>
        {words.t('trace')}
      </Button>
    </>
  )
}

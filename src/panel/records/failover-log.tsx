/**
 * The failover log of one day, with the lines of every member to the millisecond: which day, a search, and the file as
 * operators of such systems know it. New lines come by themselves while the day of today is open.
 */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Card, EmptyState, Waiting } from '../components/layout.tsx'
import { StatusShape, type Tone } from '../components/status.tsx'
import { saveFile } from '../shell/api.ts'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import { saidText } from '../shell/said.ts'
import { memberName } from '../shell/session.ts'
import { date, zone } from '../shell/words.ts'
import { linesWith, type Weight } from './failover-lines.ts'
import type { FailoverDay } from './shapes.ts'
import { words } from './words.ts'

const tones: Record<Weight, Tone> = { switch: 'warn', fault: 'bad', good: 'ok', plain: 'off' }

/** Rows drawn at once; a day of a quarrel may have thousands. */
const SHOWN = 500

export function FailoverLog() {
  const day = place.value.query.get('day') ?? ''
  const search = useSignal('')
  const all = useSignal(false)
  const log = useRemote<FailoverDay>(`/pair/failover${day === '' ? '' : `?day=${encodeURIComponent(day)}`}`, {
    // The latter for what was missed while nothing was heard.
    refresh: ['failover', 'audit'],
  })
  const view = log.data.value
  const lines = linesWith(view?.lines ?? [], search.value, saidText)
  const shown = all.value ? lines : lines.slice(-SHOWN)
  return (
    <Card
      title={words.t('failoverTitle')}
      aside={
        view === undefined ? undefined : <span class="quiet figures">{date(`${view.day}T12:00:00Z`)}</span>
      }
    >
      <p class="quiet">{words.t('failoverText', { zone: zone.value })}</p>
      <div class="filters">
        <label class="field">
          <span class="field-label">{words.t('day')}</span>
          <select
            class="input"
            value={day}
            onChange={(event) => setQuery({ day: event.currentTarget.value })}
          >
            <option value="">{words.t('today')}</option>
            {(view?.days ?? []).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="field-label">{words.t('search')}</span>
          <input
            class="input"
            type="search"
            value={search.value}
            onInput={(event) => {
              search.value = event.currentTarget.value
            }}
          />
        </label>
        <Button icon="download" disabled={(view?.lines.length ?? 0) === 0} onClick={() => save(view)}>
          {words.t('saveDay')}
        </Button>
      </div>
      <Waiting of={log} rows={8} />
      {view !== undefined && lines.length === 0 ? (
        <EmptyState title={words.t(search.value === '' ? 'noLines' : 'noMatches')} />
      ) : null}
      {lines.length > shown.length ? (
        <p>
          {words.t('olderLines', { count: lines.length - shown.length })}{' '}
          <Button
            kind="quiet"
            onClick={() => {
              all.value = true
            }}
          >
            {words.t('showAll')}
          </Button>
        </p>
      ) : null}
      <ol class="log" aria-label={words.t('failoverTitle')}>
        {shown.map(({ time, node, text, weight }, index) => (
          <li key={`${time} ${index}`} class={`log-${weight}`}>
            <StatusShape tone={tones[weight]} />
            <span class="figures log-time">{time}</span>
            <span class="log-node">{memberName(node)}</span>
            <span>{saidText(text)}</span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

/** As the appliance names its own file of the day. */
function save(view: FailoverDay | undefined): void {
  if (view === undefined) return
  const content = new Blob([`${view.lines.join('\r\n')}\r\n`], { type: 'text/plain;charset=utf-8' })
  saveFile(content, `FT_REPORT_${view.day.slice(2).replaceAll('-', '')}.txt`)
}

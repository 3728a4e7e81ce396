/** A line in one row: what it is, how it is, its signal. */
import { Bars, Status, type Tone } from '../components/status.tsx'
import { reasonText } from '../shell/problems.ts'
import type { LineView } from '../shell/shapes.ts'
import { words } from './words.ts'

const tones: Record<LineView['state'], Tone> = {
  starting: 'busy',
  ready: 'ok',
  recovering: 'warn',
  absent: 'bad',
  blocked: 'bad',
  disabled: 'off',
  passive: 'off',
  stopped: 'off',
}

export function LineStatus({ line }: { line: Pick<LineView, 'state' | 'busy' | 'muted'> }) {
  if (line.muted !== undefined) return <Status tone="off">{words.t('state.muted')}</Status>
  if (line.state === 'ready' && line.busy) return <Status tone="ok">{words.t('state.busy')}</Status>
  return <Status tone={tones[line.state]}>{words.t(`state.${line.state}`)}</Status>
}

export function LineSummary({ line }: { line: LineView }) {
  return (
    <li class="line-row">
      <div>
        <strong>{line.id}</strong>
        <span class="quiet">
          {' '}
          · {line.network?.operator || words.maybe(`kind.${line.kind}`) || line.kind}
        </span>
        {line.reason === undefined || line.state === 'ready' ? null : (
          <p class="quiet line-row-reason">{reasonText(line.reason)}</p>
        )}
      </div>
      <div class="line-row-end">
        {line.signal === undefined ? null : <Bars dbm={line.signal} />}
        <LineStatus line={line} />
      </div>
    </li>
  )
}

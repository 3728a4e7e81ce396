/**
 * What happened, oldest first, each with its time, place and reason.
 *   <Timeline entries={[{ at, tone: 'ok', title: 'Sent', where: 'gsm0 · box-a', text: '…' }]} />
 */
import type { ComponentChildren } from 'preact'
import { date, dateTime, preciseTime, zoneName } from '../shell/words.ts'
import { StatusShape, type Tone } from './status.tsx'

export interface TimelineItem {
  at: string | number
  tone: Tone
  title: ComponentChildren
  where?: string
  text?: ComponentChildren
}

export function Timeline({ entries }: { entries: readonly TimelineItem[] }) {
  return (
    <ol class="timeline">
      {entries.map((entry, n) => {
        const before = entries[n - 1]
        const newDay = before === undefined || date(before.at) !== date(entry.at)
        return (
          <li key={n} class="timeline-entry">
            <StatusShape tone={entry.tone} />
            <div>
              <p class="timeline-title">
                <strong>{entry.title}</strong>
                {entry.where === undefined ? null : <span class="quiet"> · {entry.where}</span>}
              </p>
              {entry.text === undefined ? null : <p>{entry.text}</p>}
              <p class="quiet figures">
                <time
                  dateTime={new Date(entry.at).toISOString()}
                  title={`${dateTime(entry.at)} ${zoneName(entry.at)}`}
                >
                  {newDay ? `${date(entry.at)}, ` : ''}
                  {preciseTime(entry.at)}
                </time>
              </p>
            </div>
          </li>
        )
      })}
    </ol>
  )
}

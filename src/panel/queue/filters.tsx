/** What part of the messages is seen: search, state with counts, channel, line, span of time. All of it is in the address. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { MessageCounts } from '#intake/http/queue-schemas.ts'
import { Button } from '../components/button.tsx'
import { Icon } from '../components/icons.tsx'
import { StatusShape } from '../components/status.tsx'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import type { LineListView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { type State, stateTones, stateWord } from './states.tsx'
import { words } from './words.ts'

/** As styles/pages.css has it; there the filters are folded away until they are wanted. */
const narrow = window.matchMedia('(max-width: 45rem)').matches

const filterNames = ['search', 'state', 'channel', 'line', 'to', 'since'] as const

/** @returns the filters of the address as the appliance takes them */
export function filters(): Record<string, string> {
  const { query } = place.value
  return Object.fromEntries(
    filterNames.flatMap((name) => {
      const value = query.get(name)
      return value === null || value === '' ? [] : [[name, value]]
    }),
  )
}

const TYPING_PAUSE_MS = 250

/** A text of the filter, put into the address when typing pauses. */
function TextFilter({ name, label }: { name: 'search' | 'to'; label: string }) {
  const text = useSignal(place.peek().query.get(name) ?? '')
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const given = place.value.query.get(name) ?? ''
  useEffect(() => {
    if (given === '') text.value = ''
  }, [given])
  useEffect(() => () => clearTimeout(pending.current), [])
  return (
    <label class="filter filter-text">
      <span class="field-label">{label}</span>
      <span class="filter-input">
        <Icon name="search" />
        <input
          class="input"
          type="search"
          value={text.value}
          onInput={(event) => {
            const { value } = event.currentTarget
            text.value = value
            clearTimeout(pending.current)
            pending.current = setTimeout(() => setQuery({ [name]: value.trim() }), TYPING_PAUSE_MS)
          }}
        />
      </span>
    </label>
  )
}

function Choice(props: {
  name: 'channel' | 'line' | 'since'
  label: string
  choices: readonly (readonly [string, string])[]
}) {
  return (
    <label class="filter">
      <span class="field-label">{props.label}</span>
      <select
        class="input"
        value={place.value.query.get(props.name) ?? ''}
        onChange={(event) => setQuery({ [props.name]: event.currentTarget.value })}
      >
        <option value="">{words.t('any')}</option>
        {props.choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

const states: readonly Exclude<State, 'claimed'>[] = [
  'queued',
  'submitting',
  'sent',
  'delivered',
  'acknowledged',
  'unknown',
  'failed',
  'expired',
  'cancelled',
]

export function StateFilter({ counts }: { counts: MessageCounts | undefined }) {
  const chosen = (place.value.query.get('state') ?? '').split(',').filter(Boolean)
  return (
    <fieldset class="chips" aria-label={words.t('state')}>
      {states.map((state) => (
        <button
          key={state}
          type="button"
          class={counts?.states[state] === 0 ? 'chip chip-none' : 'chip'}
          aria-pressed={chosen.includes(state)}
          onClick={() => {
            const next = chosen.includes(state) ? chosen.filter((one) => one !== state) : [...chosen, state]
            setQuery({ state: next.join(',') })
          }}
        >
          <StatusShape tone={stateTones[state]} />
          <span>{stateWord(state)}</span>
          {counts === undefined ? null : (
            <span class="figures quiet">{number(counts.states[state] ?? 0)}</span>
          )}
        </button>
      ))}
    </fieldset>
  )
}

export function Filters() {
  const lines = useRemote<LineListView>('/lines?node=*').data.value?.items ?? []
  const ids = [...new Set(lines.map(({ id }) => id))].sort()
  const any = Object.keys(filters()).length > 0
  return (
    <details class="filters-fold" open={!narrow || any}>
      <summary>{words.t('filter')}</summary>
      <div class="queue-filters">
        <TextFilter name="search" label={words.t('search')} />
        <TextFilter name="to" label={words.t('recipient')} />
        <Choice name="line" label={words.t('line')} choices={ids.map((id) => [id, id] as const)} />
        <Choice
          name="channel"
          label={words.t('channel')}
          choices={(['sms', 'fax', 'voice'] as const).map(
            (name) => [name, words.t(`channel.${name}`)] as const,
          )}
        />
        <Choice
          name="since"
          label={words.t('since')}
          choices={(['1h', '24h', '7d', '30d'] as const).map(
            (name) => [name, words.t(`since.${name}`)] as const,
          )}
        />
        {any ? (
          <Button
            kind="quiet"
            onClick={() => setQuery(Object.fromEntries(filterNames.map((name) => [name, undefined])))}
          >
            {words.t('clear')}
          </Button>
        ) : null}
      </div>
    </details>
  )
}

/** What rules and words have brought about for received messages: of one message, and what was given up of all. */
import type { ActionList, DeadPage } from '#intake/http/inbound-schemas.ts'
import { Button } from '../components/button.tsx'
import { Card, ProblemNotice, Skeleton } from '../components/layout.tsx'
import { Status, type Tone } from '../components/status.tsx'
import { type Column, Table } from '../components/table.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText, reasonText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { may } from '../shell/session.ts'
import { words } from './words.ts'

type Action = ActionList['items'][number]

/** An action is tried again after pauses that nobody tells of. */
const LOOK_MS = 3_000
/** As the page asks for them ahead (shell/routes.ts). */
const GIVEN_UP = '/inbound/dead?limit=20'

const tones: Record<Action['state'], Tone> = { open: 'busy', done: 'ok', dead: 'bad' }

async function tryAgain(path: string, reload: () => void): Promise<void> {
  const answer = await post(`/inbound/dead/${path}`)
  if (answer.ok) announce(words.t('triedAgain'))
  else announce(problemText(answer.problem), 'bad')
  reload()
}

/** What is done, where to, and by which rule. */
const named = ({ action, to, rule }: Action) => (
  <span class="two">
    <span>{[words.maybe(`action.${action}`) ?? action, ...(to ?? [])].join(' ')}</span>
    <span class="quiet">
      {words.t('rule')} {rule}
    </span>
  </span>
)
const why = ({ reason }: Action) => (reason === undefined ? '' : reasonText(reason))

function columns<T extends Action>(reload: () => void): Column<T>[] {
  const again: Column<T> = {
    title: words.t('tryAgain'),
    kind: 'tight',
    silent: true,
    cell: ({ id, state }) =>
      state === 'dead' ? (
        <Button onClick={() => tryAgain(`${id}/replay`, reload)}>{words.t('tryAgain')}</Button>
      ) : null,
  }
  return [
    { title: words.t('action'), kind: 'name', cell: named },
    { title: words.t('reason'), cell: why },
    ...(may('operator') ? [again] : []),
  ]
}

const state = (): Column<Action> => ({
  title: words.t('state'),
  kind: 'tight',
  cell: (row) => <Status tone={tones[row.state]}>{words.t(`actionState.${row.state}`)}</Status>,
})

/** @param id of the received message */
export function ReceivedActions({ id }: { id: string }) {
  const plan = useRemote<ActionList>(`/inbox/${id}/actions`, { refresh: ['audit'], every: LOOK_MS })
  const known = plan.data.value
  const problem = plan.problem.value
  return (
    <section class="stack">
      <h3>{words.t('inboxDone')}</h3>
      {known === undefined ? (
        problem === undefined ? (
          <Skeleton rows={1} />
        ) : problem.code === 'plan-unknown' ? (
          <p class="quiet">{words.t('inboxNoPlan')}</p>
        ) : (
          <ProblemNotice problem={problem} again={plan.reload} />
        )
      ) : known.items.length === 0 ? (
        <p class="quiet">{words.t(known.skipped === undefined ? 'inboxNoRule' : 'inboxSkipped')}</p>
      ) : (
        <Table
          label={words.t('inboxDone')}
          columns={[state(), ...columns<Action>(plan.reload)]}
          rows={known.items}
          rowKey={(row) => row.id}
        />
      )}
    </section>
  )
}

/** What was given up, of all received messages; nothing while there is none. */
export function GivenUp() {
  const dead = useRemote<DeadPage>(GIVEN_UP, { refresh: ['audit'] })
  const items = dead.data.value?.items ?? []
  if (items.length === 0) return null
  type Row = (typeof items)[number]
  return (
    <Card
      title={words.t('givenUp')}
      foot={
        may('operator') ? (
          <Button onClick={() => tryAgain('replay', dead.reload)}>{words.t('tryAllAgain')}</Button>
        ) : undefined
      }
    >
      <p>{words.t('givenUpText')}</p>
      <Table
        label={words.t('givenUp')}
        columns={[
          { title: words.t('from'), kind: 'tight', cell: ({ from }) => <strong>{from}</strong> },
          ...columns<Row>(dead.reload),
        ]}
        rows={items}
        rowKey={(row) => row.id}
      />
    </Card>
  )
}

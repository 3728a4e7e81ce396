/** Asks which line messages shall move to. */
import { useSignal } from '@preact/signals'
import { Dialog } from '../components/dialog.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Waiting } from '../components/layout.tsx'
import { LineStatus } from '../lines/summary.tsx'
import { withQuery } from '../shell/api.ts'
import { status } from '../shell/live.ts'
import { foundHere } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { LineListView } from '../shell/shapes.ts'
import { actOn } from './actions.ts'
import { words } from './words.ts'

export function MoveDialog(props: { ids: readonly string[]; close: () => void; done: () => void }) {
  const form = useForm()
  // Whoever transmits does it, on lines of its own; where several do, that is the member that answers.
  const active = status.peek()?.members.find(({ role }) => role === 'active')
  const node = active === undefined || active.here ? undefined : active.node
  const lines = useRemote<LineListView>(withQuery('/lines', { node }))
  const line = useSignal('')
  return (
    <Dialog title={words.t('ask.move', { count: props.ids.length })} onClose={props.close}>
      <Waiting of={lines} rows={2} />
      {lines.data.value === undefined ? null : (
        <Form
          form={form}
          submit={async () => {
            if (line.value === '') return foundHere('line', words.t('moveChoose'))
            return { ok: true, value: await actOn('move', props.ids, line.value), status: 200 }
          }}
          done={(moved) => {
            if (moved) props.done()
            props.close()
          }}
        >
          <p>{words.t('ask.moveText')}</p>
          <Field form={form} name="line" label={words.t('moveTo')}>
            {({ class: _, ...bind }) => (
              <div class="radio-rows" role="radiogroup" aria-label={words.t('moveTo')} {...bind}>
                {lines.data.value?.items.map((one) => (
                  <label key={one.id} class="choice choice-row">
                    <input
                      type="radio"
                      name="move-line"
                      checked={line.value === one.id}
                      onChange={() => {
                        line.value = one.id
                      }}
                    />
                    <span>{one.id}</span>
                    <LineStatus line={one} />
                  </label>
                ))}
              </div>
            )}
          </Field>
          <FormEnd form={form} action={words.t('move')} />
        </Form>
      )}
    </Dialog>
  )
}

/** The dialogs of a line: a test with the live dialogue of the modem, muting for a period, the dialogue alone. */
import { useSignal } from '@preact/signals'
import { Dialog } from '../components/dialog.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Facts } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { DeliveryStatus } from '../queue/states.tsx'
import { post } from '../shell/api.ts'
import { reasonText } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import type { AcceptedView, LineView, MessageDetail } from '../shell/shapes.ts'
import { linePath } from './actions.ts'
import { Trace } from './trace.tsx'
import { words } from './words.ts'

interface ToolProps {
  line: LineView
  close: () => void
  reload: () => void
}

export function TestDialog({ line, close }: ToolProps) {
  const form = useForm()
  const to = useSignal('')
  const text = useSignal(words.t('testMessage', { line: line.id }))
  const sent = useSignal<string | undefined>(undefined)
  return (
    <Dialog title={words.t('testTitle', { line: line.id })} wide onClose={close}>
      <div class="stack">
        {sent.value === undefined ? (
          <Form
            form={form}
            submit={() =>
              post<AcceptedView>(linePath(line, 'test'), { to: to.value.trim(), text: text.value })
            }
            done={({ id }) => {
              sent.value = id
            }}
          >
            <p>{words.t('testIntro')}</p>
            <Field form={form} name="to" label={words.t('testTo')} help={words.t('testToHelp')}>
              {(bind) => (
                <input
                  {...bind}
                  inputMode="tel"
                  autocomplete="off"
                  value={to.value}
                  onInput={(event) => {
                    to.value = event.currentTarget.value
                  }}
                />
              )}
            </Field>
            <Field form={form} name="text" label={words.t('testText')}>
              {(bind) => (
                <input
                  {...bind}
                  value={text.value}
                  onInput={(event) => {
                    text.value = event.currentTarget.value
                  }}
                />
              )}
            </Field>
            <FormEnd form={form} action={words.t('test')} />
          </Form>
        ) : (
          <TestResult id={sent.value} />
        )}
        <h3>{words.t('traceLabel', { line: line.id })}</h3>
        <Trace line={line} fromNow />
      </div>
    </Dialog>
  )
}

function TestResult({ id }: { id: string }) {
  const message = useRemote<MessageDetail>(`/messages/${id}`, { refresh: ['message'], every: 1_000 })
  const delivery = message.data.value?.deliveries[0]
  if (delivery === undefined) return <p>{words.t('testAccepted')}</p>
  return (
    <div aria-live="polite">
      <Facts
        rows={[
          [words.t('testState'), <DeliveryStatus state={delivery.state} />],
          [words.t('testReason'), delivery.reason === undefined ? undefined : reasonText(delivery.reason)],
          [words.t('testRecord'), <a href={`/queue/${id}`}>{words.t('testTimeline')}</a>],
        ]}
      />
    </div>
  )
}

const periods = ['15m', '1h', '4h', '12h', '24h', '7d'] as const

export function MuteDialog({ line, close, reload }: ToolProps) {
  const form = useForm()
  const period = useSignal<string>('1h')
  return (
    <Dialog title={words.t('muteTitle', { line: line.id })} onClose={close}>
      <Form
        form={form}
        submit={() => post(linePath(line, 'mute'), { for: period.value })}
        done={() => {
          announce(words.t('done.mute', { line: line.id }))
          reload()
          close()
        }}
      >
        <p>{words.t('muteText')}</p>
        <Field form={form} name="for" label={words.t('muteFor')}>
          {(bind) => (
            <select
              {...bind}
              value={period.value}
              onChange={(event) => {
                period.value = event.currentTarget.value
              }}
            >
              {periods.map((name) => (
                <option key={name} value={name}>
                  {words.t(`period.${name}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <FormEnd form={form} action={words.t('mute')} />
      </Form>
    </Dialog>
  )
}

export function TraceDialog({ line, close }: ToolProps) {
  return (
    <Dialog title={words.t('traceLabel', { line: line.id })} wide onClose={close}>
      <div class="stack">
        <p class="quiet">{words.t('traceText')}</p>
        <Trace line={line} />
      </div>
    </Dialog>
  )
}

/** The question before a found modem becomes a line: its name, the PIN of a SIM that wants one, the number of a fax. */
import { useSignal } from '@preact/signals'
import { Dialog } from '../components/dialog.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { announce } from '../components/toast.tsx'
import type { OwnTrial } from '../configuration/own-trial.ts'
import type { Answer } from '../shell/api.ts'
import { foundHere } from '../shell/problems.ts'
import { type FoundPortView, freeId, lineOf, titleOf, wrongWith } from './found-model.ts'
import { words } from './modem-words.ts'

/** As the words of the dialog say. */
const CONFIRM_WITHIN = '90s'

export function UseDialog(props: {
  port: FoundPortView
  /** Whose file it is, for people. */
  member: string
  /** Ids of the lines in the file, in its order. */
  taken: readonly string[]
  apply: OwnTrial['apply']
  close: () => void
  added: () => void
}) {
  const { port, taken } = props
  const { entry, modem } = port
  const form = useForm()
  const id = useSignal(freeId(entry?.kind ?? '', taken))
  const pin = useSignal('')
  const station = useSignal('')
  /** Where the line will stand; refusals name its keys by that. */
  const at = `lines[${taken.length}]`

  async function submit(): Promise<Answer<unknown>> {
    const wanted = { id: id.value.trim(), pin: pin.value.trim(), station: station.value.trim() }
    const wrong = wrongWith(wanted, taken)
    if (wrong !== undefined) return foundHere(`${at}.${wrong[0]}`, words.t(wrong[1], { id: wanted.id }))
    if (entry === undefined) return foundHere(at, words.t('why.other'))
    const problem = await props.apply({ changes: { [at]: lineOf(entry, wanted) } }, CONFIRM_WITHIN)
    return problem === undefined ? { ok: true, value: undefined, status: 202 } : { ok: false, problem }
  }

  return (
    <Dialog title={words.t('useTitle', { modem: titleOf(port) })} onClose={props.close}>
      <Form
        form={form}
        submit={submit}
        done={() => {
          announce(words.t('added', { line: id.value.trim() }))
          props.added()
        }}
      >
        <p>{words.t('useText', { member: props.member })}</p>
        <Field form={form} name={`${at}.id`} label={words.t('id')} help={words.t('idHelp')}>
          {(bind) => (
            <input
              {...bind}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              value={id.value}
              onInput={(event) => {
                id.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        {modem?.sim !== 'SIM PIN' ? null : (
          <Field form={form} name={`${at}.pin`} label={words.t('pin')} help={words.t('pinHelp')}>
            {(bind) => (
              <input
                {...bind}
                type="password"
                inputMode="numeric"
                autocomplete="off"
                value={pin.value}
                onInput={(event) => {
                  pin.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
        )}
        {entry?.kind !== 'fax' ? null : (
          <Field
            form={form}
            name={`${at}.station`}
            label={words.t('station')}
            help={words.t('stationHelp')}
            optional
          >
            {(bind) => (
              <input
                {...bind}
                inputMode="tel"
                autocomplete="off"
                value={station.value}
                onInput={(event) => {
                  station.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
        )}
        <FormEnd form={form} action={words.t('add')} />
      </Form>
    </Dialog>
  )
}

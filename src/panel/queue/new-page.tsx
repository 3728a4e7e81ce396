/** Sending a message: recipients typed or taken from the contacts, a text, or a document where the channel is fax. */
import { useComputed, useSignal } from '@preact/signals'
import { Checkbox, Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Card, Page } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { words as shell } from '../components/words.ts'
import { type Answer, type Problem, post } from '../shell/api.ts'
import { foundHere, problemText } from '../shell/problems.ts'
import { go, type PageModule } from '../shell/router.ts'
import type { AcceptedView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { ContactPicker } from './contact-picker.tsx'
import { asDocument, sendDocument } from './document.ts'
import { recipientsIn } from './recipients.ts'
import { words } from './words.ts'

const validities = ['', '10m', '30m', '2h', '24h', '7d'] as const
const channels = ['', 'sms', 'fax'] as const

/** Not crypto.randomUUID(), which browsers offer over https only. */
const freshKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** The appliance names the place in the list (`to[3]`); a person wants to see what stands there. */
function refusedRecipient(problem: Problem | undefined, to: readonly string[]): string | undefined {
  const place = /^to\[(\d+)\]/.exec(problem?.field ?? '')?.[1]
  const recipient = place === undefined ? undefined : to[Number(place)]
  if (problem === undefined || recipient === undefined) return undefined
  return words.maybe(`refused.${problem.code}`, { recipient }) ?? `${recipient}: ${problemText(problem)}`
}

function NewMessagePage() {
  const form = useForm()
  const typed = useSignal('')
  const chosen = useSignal<readonly string[]>([])
  const text = useSignal('')
  const channel = useSignal<string>('')
  const priority = useSignal('2')
  const validity = useSignal('')
  const flash = useSignal(false)
  const document = useSignal<File | undefined>(undefined)
  /** The same for every try of this form, so that pressing twice, or again after a lost answer, sends once. */
  const key = useSignal(freshKey())
  const to = useComputed(() => [...new Set([...chosen.value, ...recipientsIn(typed.value)])])

  const submit = (): Promise<Answer<AcceptedView>> => {
    const headers = { 'idempotency-key': key.value }
    const given = {
      to: to.value,
      ...(validity.value === '' ? {} : { validity: validity.value }),
    }
    if (channel.value === 'fax') {
      const file = document.value
      if (file === undefined && text.value.trim() === '')
        return Promise.resolve(foundHere('document', words.t('nothingToFax')))
      const fields = {
        ...given,
        channel: 'fax',
        ...(priority.value === '2' ? {} : { priority: priority.value }),
      }
      return file === undefined
        ? sendDocument(asDocument(text.value), fields, headers)
        : sendDocument(file, { ...fields, text: text.value }, headers)
    }
    const body = {
      ...given,
      text: text.value,
      ...(priority.value === '2' ? {} : { priority: Number(priority.value) }),
      ...(channel.value === '' ? {} : { channel: channel.value }),
      ...(flash.value ? { flash: true } : {}),
    }
    return post<AcceptedView>('/messages', body, headers)
  }

  return (
    <Page title={words.t('newTitle')} back={{ to: '/queue', text: shell.t('queue') }}>
      <Card class="narrow-card">
        <Form
          form={form}
          submit={submit}
          done={({ id, deliveries }) => {
            announce(words.t('accepted.done', { count: deliveries.length }))
            go(`/queue/${id}`)
          }}
        >
          <Field
            form={form}
            name="to"
            label={words.t('recipient')}
            help={words.t('toHelp')}
            problem={refusedRecipient(form.problemAt('to'), to.value)}
          >
            {(bind) => (
              <textarea
                {...bind}
                class="input input-short"
                rows={2}
                value={typed.value}
                onInput={(event) => {
                  typed.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
          <ContactPicker
            kind={channel.value === 'fax' ? 'fax' : 'sms'}
            chosen={chosen.value}
            change={(next) => {
              chosen.value = next
            }}
          />
          <p class="quiet" role="status">
            {words.t('recipientCount', { count: to.value.length })}
          </p>
          <Field form={form} name="channel" label={words.t('channel')}>
            {(bind) => (
              <select
                {...bind}
                value={channel.value}
                onChange={(event) => {
                  channel.value = event.currentTarget.value
                }}
              >
                {channels.map((name) => (
                  <option key={name} value={name}>
                    {name === '' ? words.t('channelAuto') : words.t(`channel.${name}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {channel.value === 'fax' ? (
            <Field
              form={form}
              name="document"
              label={words.t('document')}
              help={words.t('documentHelp')}
              optional
            >
              {(bind) => (
                <input
                  {...bind}
                  type="file"
                  accept=".pdf,.tif,.tiff,.png,.jpg,.jpeg,.txt"
                  onChange={(event) => {
                    document.value = event.currentTarget.files?.[0]
                  }}
                />
              )}
            </Field>
          ) : null}
          <Field
            form={form}
            name="text"
            label={words.t('text')}
            help={channel.value === 'fax' ? words.t('textFaxHelp') : undefined}
          >
            {(bind) => (
              <textarea
                {...bind}
                rows={5}
                value={text.value}
                onInput={(event) => {
                  text.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
          <p class="quiet figures">{words.t('characters', { count: [...text.value].length })}</p>
          <details class="more">
            <summary>{words.t('more')}</summary>
            <div class="stack">
              <Field form={form} name="priority" label={words.t('priority')}>
                {(bind) => (
                  <select
                    {...bind}
                    value={priority.value}
                    onChange={(event) => {
                      priority.value = event.currentTarget.value
                    }}
                  >
                    {(['0', '1', '2', '3'] as const).map((name) => (
                      <option key={name} value={name}>
                        {words.t(`priority.${name}`)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field form={form} name="validity" label={words.t('validity')} help={words.t('validityHelp')}>
                {(bind) => (
                  <select
                    {...bind}
                    value={validity.value}
                    onChange={(event) => {
                      validity.value = event.currentTarget.value
                    }}
                  >
                    {validities.map((name) => (
                      <option key={name} value={name}>
                        {words.t(name === '' ? 'validity.usual' : `validity.${name}`)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              {channel.value === 'fax' ? null : (
                <Checkbox
                  label={words.t('flash')}
                  help={words.t('flashHelp')}
                  checked={flash.value}
                  onChange={(on) => {
                    flash.value = on
                  }}
                />
              )}
            </div>
          </details>
          <FormEnd
            form={form}
            action={
              to.value.length === 0
                ? words.t('send')
                : words.t('sendTo', { count: to.value.length, shown: number(to.value.length) })
            }
          />
        </Form>
      </Card>
    </Page>
  )
}

export const page: PageModule = { words: [words], view: NewMessagePage }

/** /configuration/appliance: what belongs to the member that answers alone: its name for people, and its own file. */
import { useSignal } from '@preact/signals'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Card, Page, Waiting } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { put } from '../shell/api.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { loadSession, may, session } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import type { OwnConfiguration } from './own-shapes.ts'
import { words } from './words.ts'

function View() {
  const own = useRemote<OwnConfiguration>('/own-configuration')
  const view = own.data.value
  return (
    <Page
      title={words.t('applianceTitle')}
      intro={words.t('applianceIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs />
      {may('admin') ? <NameCard /> : null}
      <Waiting of={own} />
      {view === undefined ? null : (
        <Card title={words.t('fileTitle')} aside={<a href="/pair/settings">{words.t('toPairSettings')}</a>}>
          {view.text === undefined ? (
            <p>{words.t('fileNone')}</p>
          ) : (
            <>
              <p>{words.t('fileText', { file: view.file ?? '' })}</p>
              <pre class="value" translate={false}>
                {view.text}
              </pre>
            </>
          )}
        </Card>
      )}
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

function NameCard() {
  const form = useForm()
  const appliance = session.value?.appliance
  const name = useSignal(appliance?.name ?? '')
  return (
    <Card title={words.t('nameTitle')}>
      <Form
        form={form}
        submit={() => put('/appliance', { name: name.value.trim() })}
        done={async () => {
          await loadSession()
          announce(words.t('nameSaved'))
        }}
      >
        <Field
          form={form}
          name="name"
          label={words.t('nameLabel')}
          help={words.t('nameHelp', { node: appliance?.node ?? '' })}
        >
          {(bind) => (
            <input
              {...bind}
              autocomplete="off"
              value={name.value}
              onInput={(event) => {
                name.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        <FormEnd form={form} action={words.t('save')} />
      </Form>
    </Card>
  )
}

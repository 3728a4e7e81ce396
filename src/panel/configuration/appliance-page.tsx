/** /configuration/appliance: what belongs to one member alone: its name for people, and every key of its own file. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Card, Page } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { put, saveFile } from '../shell/api.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { loadSession, may, session } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { OwnHistoryCard } from './own-history.tsx'
import { memberWanted, OwnFile, OwnForms, ofMember, ownDisabled, WhoseFile } from './own-member.tsx'
import type { OwnConfiguration } from './own-shapes.ts'
import { ownSection, ownWords, pairWords } from './own-words.ts'
import type { FormPart } from './setting-forms.tsx'
import { words } from './words.ts'

/** Has a page of its own, which says what its keys mean for a failover. */
const PAIR = 'pair'

function View() {
  const node = memberWanted()
  return (
    <Page
      title={words.t('applianceTitle')}
      intro={words.t('applianceIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs />
      <WhoseFile node={node} />
      {may('admin') && node === session.value?.appliance.node ? <NameCard /> : null}
      <OwnFile key={node} node={node}>
        {(own, trial) =>
          own.text === undefined || own.file === undefined ? (
            <p>{words.t('fileNone')}</p>
          ) : (
            <>
              <OwnForms linked own={own} trial={trial} parts={partsOf(own)} />
              <OwnHistoryCard node={node} trial={trial} disabled={ownDisabled(own, trial)} />
              <Card
                title={words.t('fileTitle')}
                aside={
                  <Button
                    icon="download"
                    onClick={() => {
                      const content = new Blob([own.text ?? ''], { type: 'text/yaml;charset=utf-8' })
                      saveFile(content, `twinline-${node}.yaml`)
                    }}
                  >
                    {words.t('export')}
                  </Button>
                }
              >
                <p>{words.t('fileText', { file: own.file })}</p>
                <details>
                  <summary>{words.t('fileShow')}</summary>
                  <pre class="value" translate={false}>
                    {own.text}
                  </pre>
                </details>
              </Card>
            </>
          )
        }
      </OwnFile>
    </Page>
  )
}

const partsOf = (own: OwnConfiguration): FormPart[] =>
  own.sections.map(({ name, fields }) => ({
    name,
    title: ownSection(name),
    fields: name === PAIR ? [] : fields,
    intro:
      name === PAIR ? (
        <p>
          {words.t('pairElsewhere')}{' '}
          <a href={ofMember('/pair/settings', own.node)}>{words.t('toPairSettings')}</a>
        </p>
      ) : undefined,
  }))

export const page = {
  words: [words, ownWords, pairWords, ...problemDictionaries],
  asks: () =>
    ['/own-configuration', '/own-configuration/history'].map((path) => ofMember(path, memberWanted())),
  view: View,
}

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

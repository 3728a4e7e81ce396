/** /configuration/support: one click that packs what somebody needs who is asked for help, without secrets. */
import { useSignal } from '@preact/signals'
import { Form, FormEnd, useForm } from '../components/field.tsx'
import { Card, Facts, Page, Progress } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { download, withQuery } from '../shell/api.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { may, session } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
import { EVERY, MemberField, membersOfPair } from './member-field.tsx'
import { words } from './words.ts'

function View() {
  const appliance = session.value?.appliance
  return (
    <Page
      title={words.t('supportTitle')}
      intro={words.t('supportIntro')}
      back={{ to: '/configuration', text: words.t('title') }}
    >
      <ConfigTabs />
      <Card title={words.t('bundle')}>
        <p>{words.t('bundleText')}</p>
        <ul>
          <li>{words.t('bundle.has')}</li>
          <li>{words.t('bundle.masked')}</li>
          <li>{words.t('bundle.not')}</li>
        </ul>
        {may('admin') ? <BundleForm /> : <p class="quiet">{words.t('adminOnly')}</p>}
        <p class="quiet">{words.t('bundleCommand')}</p>
      </Card>
      <Card title={words.t('thisAppliance')}>
        <Facts
          rows={[
            [words.t('node'), appliance?.node],
            [words.t('version'), appliance?.version],
            [words.t('address'), appliance?.address],
            [words.t('zone'), appliance?.zone],
          ]}
        />
        <p>
          <a href="/docs">{words.t('apiDocs')}</a>
        </p>
      </Card>
    </Page>
  )
}

/** In a pair all of them at first: whoever helps wants to see both sides. */
function BundleForm() {
  const form = useForm()
  const here = session.value?.appliance.node ?? 'appliance'
  const node = useSignal(membersOfPair().length < 2 ? here : EVERY)
  return (
    <Form
      form={form}
      submit={() =>
        download('GET', withQuery('/support', { node: node.value }), `twinline-${here}-support.zip`)
      }
      done={() => announce(words.t('bundleDone'))}
    >
      <MemberField form={form} chosen={node} every />
      {form.busy() ? <Progress label={words.t('bundleBusy')} /> : null}
      <FormEnd form={form} action={words.t('bundleAction')} />
    </Form>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

/** /configuration/support: one click that packs what somebody needs who is asked for help, without secrets. */
import { Button } from '../components/button.tsx'
import { Card, Facts, Page } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { download } from '../shell/api.ts'
import { problemDictionaries, problemText } from '../shell/problems.ts'
import { may, session } from '../shell/session.ts'
import { ConfigTabs } from './config-tabs.tsx'
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
        {may('admin') ? (
          <div class="actions">
            <Button
              kind="primary"
              icon="download"
              onClick={async () => {
                const answer = await download(
                  'GET',
                  '/support',
                  `twinline-${appliance?.node ?? 'appliance'}-support.zip`,
                )
                if (answer.ok) announce(words.t('bundleDone'))
                else announce(problemText(answer.problem), 'bad')
              }}
            >
              {words.t('bundleAction')}
            </Button>
          </div>
        ) : (
          <p class="quiet">{words.t('adminOnly')}</p>
        )}
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

export const page = { words: [words, ...problemDictionaries], view: View }

/**
 * /pair/settings: every key of `pair` of a member, with its meaning, default and limits. The expected failover time and
 * the rule about restarts are shown while somebody types; what the appliance says comes right after.
 */
import { Card, Facts, Notice, Page } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { isRecord } from '../configuration/draft.ts'
import { memberWanted, OwnFile, OwnForms, ofMember, WhoseFile } from '../configuration/own-member.tsx'
import type { OwnChecked, OwnConfiguration } from '../configuration/own-shapes.ts'
import type { OwnTrial } from '../configuration/own-trial.ts'
import { ownWords, pairWords } from '../configuration/own-words.ts'
import { words as configWords } from '../configuration/words.ts'
import { problemDictionaries } from '../shell/problems.ts'
import { useRemote } from '../shell/remote.ts'
import { memberName, session } from '../shell/session.ts'
import { PairTabs } from './pair-tabs.tsx'
import { byHand, driverOf, grouped, type Outlook, outlook } from './settings-model.ts'
import type { PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { words } from './words.ts'

function View() {
  const node = memberWanted()
  return (
    <Page
      title={words.t('settingsTitle')}
      intro={words.t('settingsIntro', { member: memberName(node) })}
      back={{ to: '/pair', text: words.t('title') }}
    >
      <PairTabs />
      <WhoseFile node={node} />
      <OwnFile key={node} node={node}>
        {(own, trial) => <Forms own={own} trial={trial} />}
      </OwnFile>
    </Page>
  )
}

export const page = {
  words: [words, configWords, ownWords, pairWords, ...problemDictionaries],
  asks: () => ['/own-configuration', '/pair'].map((path) => ofMember(path, memberWanted())),
  view: View,
}

function Forms({ own, trial }: { own: OwnConfiguration; trial: OwnTrial }) {
  const pair = useRemote<PairView>(ofMember('/pair', own.node))
  const fields = own.sections.find(({ name }) => name === 'pair')?.fields ?? []
  return (
    <OwnForms
      own={own}
      trial={trial}
      parts={grouped(fields).map((group) => ({
        name: group.name,
        title: pairWords.maybe(`group.${group.name}`) ?? group.name,
        fields: group.fields,
      }))}
      typed={(path, value, valueAt) => {
        const before = valueAt(path)
        const begun = path === 'pair.profile' && isRecord(value) && !isRecord(before)
        return begun ? byHand(before, driverOf(valueAt)) : value
      }}
      outlook={(valueAt, checked) => {
        const start = checked?.failover?.start ?? pair.data.value?.failover?.start ?? 0
        const look = outlook(valueAt, start, (session.value?.pair?.members.length ?? 0) > 2)
        return {
          whole: <OutlookCard look={look} promises={checked?.promises} />,
          brief:
            look === undefined ? null : (
              <span> {words.t('servedAfter', { span: spanText(look.served) })}</span>
            ),
        }
      }}
    />
  )
}

/** What the settings as typed mean: the figure that an operator will be asked for. */
function OutlookCard({ look, promises }: { look: Outlook | undefined; promises: OwnChecked['promises'] }) {
  if (look === undefined) return <Notice tone="warn">{words.t('outlookUnread')}</Notice>
  const { beats, restart } = look
  const split = promises?.find(({ fault }) => fault === 'split')
  return (
    <Card title={words.t('expected')} class="outlook">
      <p class="figure-big figures" aria-live="polite">
        {spanText(look.served)}
      </p>
      <Facts
        rows={[
          [
            words.t('silence'),
            <span class="figures">
              {beats.misses} × {spanText(beats.interval)}
              {beats.timeout > 0 ? ` + ${spanText(beats.timeout)}` : ''} = {spanText(look.silence)}
            </span>,
          ],
          [words.t('leaseEnds'), spanText(look.lease)],
          [words.t('lineStart'), spanText(look.lines)],
          [words.t('firstMessage'), spanText(look.sending)],
          [
            words.t('restartRule'),
            restart === undefined ? (
              words.t('restartOpen', {
                sum: `(${beats.misses} − 1) × ${spanText(beats.interval)} = ${spanText(look.patience)}`,
              })
            ) : (
              <Status tone={restart.kept ? 'ok' : 'bad'}>
                {words.t(restart.kept ? 'restartKept' : 'restartBroken', {
                  sum: `(${beats.misses} − 1) × ${spanText(beats.interval)} = ${spanText(look.patience)}`,
                  restart: spanText(restart.takes),
                  enough: restart.enough,
                })}
              </Status>
            ),
          ],
          [
            words.t('splitBrain'),
            split === undefined ? undefined : (
              <Status tone={split.bothServe ? 'warn' : 'ok'}>
                {words.t(split.bothServe ? 'splitBoth' : 'splitOne')}
              </Status>
            ),
          ],
        ]}
      />
    </Card>
  )
}

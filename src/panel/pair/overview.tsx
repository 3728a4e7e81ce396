/** /pair: who is active and why, each member as this one sees it, and the buttons that move the service. */

import { Card, Facts, Notice, Page, Waiting } from '../components/layout.tsx'
import { Status } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { problemDictionaries } from '../shell/problems.ts'
import { type Remote, useRemote } from '../shell/remote.ts'
import { saidText } from '../shell/said.ts'
import { may, memberName } from '../shell/session.ts'
import { bytes, number } from '../shell/words.ts'
import { AddressTest } from './address-test.tsx'
import { Fingerprint } from './fingerprint.tsx'
import { MemberCard } from './member-card.tsx'
import { SKEW_MS, sameRevision, toneOf } from './member-model.ts'
import { membersNow } from './members-now.ts'
import { PairTabs } from './pair-tabs.tsx'
import { RecoverButton } from './recover.tsx'
import { roleText } from './role-text.ts'
import type { PairView } from './shapes.ts'
import { spanText } from './span.ts'
import { words } from './words.ts'

function View() {
  const pair = useRemote<PairView>('/pair', { refresh: ['status', 'failover'], every: 2_000 })
  const view = pair.data.value
  const alone = pair.problem.value?.code === 'pair-none'
  return (
    <Page title={words.t('title')} intro={words.t('intro')}>
      <PairTabs />
      {alone ? (
        <StandsAlone />
      ) : view === undefined ? (
        <Waiting of={pair} />
      ) : (
        <Members pair={view} of={pair} />
      )}
    </Page>
  )
}

export const page = { words: [words, ...problemDictionaries], view: View }

/** The appliance has no key `pair` in its file. */
function StandsAlone() {
  return (
    <Notice tone="info" title={words.t('aloneTitle')}>
      <p>{words.t('aloneText')}</p>
      <p>
        <a href="/pair/settings">{words.t('aloneLink')}</a>
      </p>
    </Notice>
  )
}

function Members({ pair, of }: { pair: PairView; of: Remote<PairView> }) {
  const members = membersNow(pair)
  const changed = () => of.reload()
  return (
    <>
      {of.problem.value === undefined ? null : <Waiting of={of} />}
      <Warnings pair={pair} />
      <section class="cards" aria-label={words.t('members')}>
        {members.map((member) => (
          <MemberCard key={member.node} member={member} members={members} pair={pair} changed={changed} />
        ))}
      </section>
      {pair.members.length === 0 ? (
        <Card title={words.t('noPartnerTitle')}>
          <p>{words.t('noPartnerText')}</p>
          {may('admin') ? (
            <p class="actions">
              <a class="button button-primary" href="/pair/join">
                {words.t('inviteLink')}
              </a>
            </p>
          ) : null}
        </Card>
      ) : null}
      <div class="cards">
        <Agreement pair={pair} />
        <FailoverTime pair={pair} />
      </div>
      {pair.vip === undefined ? null : <AddressTest pair={pair} />}
      {pair.members.length === 0 ? null : <FaultCosts pair={pair} />}
      {pair.members.length > 0 && may('operator') ? (
        <Card title={words.t('recoverTitle')}>
          <p>{words.t('recoverText')}</p>
          <RecoverButton members={members} done={changed} />
        </Card>
      ) : null}
    </>
  )
}

/** What an operator must look at, before anything else. */
function Warnings({ pair }: { pair: PairView }) {
  const members = membersNow(pair)
  const actives = members.filter(({ standing }) => standing === 'active' || standing === 'single')
  const skewed = members.filter(({ skewMs = 0 }) => Math.abs(skewMs) > SKEW_MS)
  const troubled = members.filter(({ problem }) => problem !== undefined)
  const silent = members.filter(({ standing }) => standing === 'silent')
  return (
    <>
      {pair.standing === 'removed' ? (
        <Notice tone="bad" title={words.t('removedTitle')}>
          {words.t('removedText')}
        </Notice>
      ) : null}
      {actives.length > 1 ? (
        <Notice tone="bad" title={words.t('twoActiveTitle')}>
          {words.t('twoActiveText')}
        </Notice>
      ) : null}
      {silent.map(({ node, silentMs }) => (
        <Notice key={node} tone="warn" title={words.t('silentTitle', { member: memberName(node) })}>
          {words.t('silentText', { span: spanText(silentMs ?? 0) })}
        </Notice>
      ))}
      {skewed.map(({ node, skewMs = 0 }) => (
        <Notice key={node} tone="warn" title={words.t('skewTitle', { member: memberName(node) })}>
          {words.t(skewMs > 0 ? 'skewAhead' : 'skewBehind', { span: spanText(Math.abs(skewMs)) })}
        </Notice>
      ))}
      {troubled.map(({ node, problem = '' }) => (
        <Notice key={node} tone="bad" title={words.t('diskTitle', { member: memberName(node) })}>
          {saidText(problem)}
        </Notice>
      ))}
    </>
  )
}

/** What the members hold alike: role, settings, address, witness. */
function Agreement({ pair }: { pair: PairView }) {
  const members = membersNow(pair)
  const same = sameRevision(members)
  const { vip, witness, active } = pair
  return (
    <Card title={words.t('agreement')}>
      <Facts
        rows={[
          [words.t('activeMember'), active === undefined ? words.t('nobody') : memberName(active)],
          [words.t('roleHere'), <Status tone={toneOf(pair.role)}>{roleText(pair.role)}</Status>],
          [words.t('since'), <Time at={pair.since} />],
          [
            words.t('term'),
            <span class="figures">
              {number(pair.term.counter)} · {pair.term.node}
            </span>,
          ],
          [
            words.t('address'),
            vip === undefined ? (
              words.t('addressNone')
            ) : (
              <>
                <span class="figures">{vip.address}</span> ·{' '}
                {words.t(
                  vip.driver === 'external' ? 'addressExternal' : vip.here ? 'addressHere' : 'addressThere',
                )}
              </>
            ),
          ],
          [
            words.t('settingsAlike'),
            same === undefined ? undefined : (
              <Status tone={same ? 'ok' : 'warn'}>{words.t(same ? 'settingsSame' : 'settingsDiffer')}</Status>
            ),
          ],
          [
            words.t('witness'),
            witness === undefined ? (
              words.t('witnessNone')
            ) : (
              <Status tone={witness.state === 'reachable' ? 'ok' : 'warn'}>
                {words.maybe(`witness.${witness.state}`) ?? witness.state} · {witness.address}
              </Status>
            ),
          ],
        ]}
      />
      <details>
        <summary>{words.t('ownFingerprint')}</summary>
        <p class="quiet">{words.t('fingerprintHelp')}</p>
        <Fingerprint value={pair.fingerprint} />
      </details>
    </Card>
  )
}

/** How long clients wait when the active box dies, with the formula that operators know. */
function FailoverTime({ pair }: { pair: PairView }) {
  const { profile, failover, promises } = pair
  const dead = promises.find(({ fault }) => fault === 'box-dead')
  return (
    <Card
      title={words.t('expected')}
      aside={may('admin') ? <a href="/pair/settings">{words.t('settingsLink')}</a> : undefined}
    >
      <p class="figure-big figures">{spanText(dead?.outage ?? 0)}</p>
      <p>{words.t(pair.members.length === 0 ? 'expectedAlone' : 'expectedText')}</p>
      <Facts
        rows={[
          [
            words.t('profile'),
            `${words.maybe(`profile.${profile.name}`) ?? profile.name} · ${spanText(profile.interval)} × ${profile.misses}`,
          ],
          [words.t('silence'), failover === undefined ? undefined : spanText(failover.silence)],
          [words.t('leaseEnds'), spanText(profile.grantWait)],
          [words.t('lineStart'), failover === undefined ? undefined : spanText(failover.start)],
          [
            words.t('firstMessage'),
            failover === undefined ? undefined : spanText((dead?.outage ?? 0) + failover.start),
          ],
          [words.t('traffic'), words.t('trafficValue', { size: bytes(profile.bytesPerHour) })],
        ]}
      />
    </Card>
  )
}

function FaultCosts({ pair }: { pair: PairView }) {
  return (
    <Card title={words.t('faults')}>
      <p class="quiet">{words.t('faultsText')}</p>
      <Table
        label={words.t('faults')}
        rowKey={({ fault }) => fault}
        rows={pair.promises}
        columns={[
          {
            title: words.t('fault'),
            kind: 'lead',
            cell: ({ fault, text }) => words.maybe(`fault.${fault}`) ?? text,
          },
          {
            title: words.t('outage'),
            kind: 'figures',
            cell: ({ outage }) => (outage === 0 ? words.t('noOutage') : spanText(outage)),
          },
          {
            title: words.t('bothServe'),
            cell: ({ bothServe }) =>
              bothServe ? <Status tone="warn">{words.t('bothServeYes')}</Status> : words.t('no'),
          },
        ]}
      />
    </Card>
  )
}

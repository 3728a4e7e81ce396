/**
 * A member has come: both ends show both fingerprints, always in the same order, and a person says whether they are
 * alike. Certificates were checked by the code already; this is for whoever wants to see it with their own eyes.
 */
import { Button } from '../components/button.tsx'
import { Card } from '../components/layout.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { memberName } from '../shell/session.ts'
import { Fingerprint } from './fingerprint.tsx'
import type { OtherMember, PairView } from './shapes.ts'
import { words } from './words.ts'

export function Compare({ pair, member, done }: { pair: PairView; member: OtherMember; done: () => void }) {
  const both = [
    { node: pair.node, fingerprint: pair.fingerprint },
    { node: member.node, fingerprint: member.fingerprint },
  ].sort((a, b) => (a.node < b.node ? -1 : 1))
  const name = memberName(member.node)
  return (
    <Card
      class="card-attention"
      title={words.t('compareTitle', { member: name })}
      foot={
        <>
          <Button
            kind="primary"
            onClick={() => {
              done()
              announce(words.t('compared', { member: name }))
            }}
          >
            {words.t('compareSame')}
          </Button>
          <Button
            kind="danger"
            confirm={{
              title: words.t('compareDiffersTitle'),
              text: words.t('compareDiffersText', { member: name }),
              action: words.t('remove'),
              kind: 'danger',
            }}
            onClick={async () => {
              const answer = await post('/pair/remove', { node: member.node })
              if (answer.ok) announce(words.t('removed', { member: name }))
              else announce(problemText(answer.problem), 'bad')
              done()
            }}
          >
            {words.t('compareDiffers')}
          </Button>
        </>
      }
    >
      <p>{words.t('compareText')}</p>
      <dl class="compare">
        {both.map(({ node, fingerprint }) => (
          <div key={node}>
            <dt>
              {memberName(node)}
              {node === pair.node ? <span class="quiet"> · {words.t('thisOne')}</span> : null}
            </dt>
            <dd>
              <Fingerprint value={fingerprint} />
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}

/** To join the pair of the appliance that showed a code. Slips are named while it is typed; progress until all is copied. */
import { useSignal } from '@preact/signals'
import { Field, Form, FormEnd, useForm } from '../components/field.tsx'
import { Card, Notice, Progress } from '../components/layout.tsx'
import { post } from '../shell/api.ts'
import { foundHere } from '../shell/problems.ts'
import { loadSession, memberName } from '../shell/session.ts'
import { typedCode } from './code.ts'
import type { Joined, PairView } from './shapes.ts'
import { words } from './words.ts'

export function JoinCard({ pair, joined }: { pair: PairView; joined: () => void }) {
  const form = useForm()
  const code = useSignal('')
  const done = useSignal<Joined | undefined>(undefined)
  const typed = typedCode(code.value)
  const problem =
    typed.wrong === undefined
      ? undefined
      : words.t('codeWrong', { number: typed.wrong + 1, group: typed.groups[typed.wrong] ?? '' })
  const inviter = pair.members.find(({ node }) => node === done.value?.inviter)
  const copied = inviter?.replication?.state === 'current'
  if (done.value === undefined && pair.members.length > 0 && pair.standing !== 'removed')
    return (
      <Card title={words.t('joinCardTitle')}>
        <p class="quiet">{words.t('joinedAlready')}</p>
      </Card>
    )
  return (
    <Card title={words.t('joinCardTitle')}>
      <p>{words.t('joinCardText')}</p>
      {done.value === undefined ? (
        <Form
          form={form}
          submit={async () => {
            if (typed.groups.length === 0) return foundHere('code', words.t('codeEmpty'))
            return post<Joined>('/pair/join', { code: code.value.trim() })
          }}
          done={async (value) => {
            done.value = value
            // Users and names of the pair are here from now on.
            await loadSession()
            joined()
          }}
        >
          <Field form={form} name="code" label={words.t('code')} help={words.t('codeHelp')} problem={problem}>
            {(bind) => (
              <textarea
                {...bind}
                class="input code-input"
                rows={3}
                spellcheck={false}
                autocapitalize="characters"
                autocomplete="off"
                value={code.value}
                onInput={(event) => {
                  code.value = event.currentTarget.value
                }}
              />
            )}
          </Field>
          <p class="quiet mono" aria-live="polite">
            {typed.groups.length === 0 ? '' : words.t('codeRead', { groups: typed.groups.join('-') })}
          </p>
          {form.busy() ? <Progress label={words.t('joining')} /> : null}
          <FormEnd form={form} action={words.t('join')} disabled={problem !== undefined} />
        </Form>
      ) : (
        <div class="stack">
          <Notice tone="ok">{words.t('joined', { inviter: memberName(done.value.inviter) })}</Notice>
          {copied ? (
            <Notice tone="ok">{words.t('synchronised')}</Notice>
          ) : (
            <Progress label={words.t('synchronising')} />
          )}
        </div>
      )}
    </Card>
  )
}

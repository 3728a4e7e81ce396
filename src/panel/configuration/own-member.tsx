/**
 * The own file of one member, which may be another one than the member that answers: whose it is, the change on trial,
 * and whatever a page shows of it.
 */
import type { ComponentChildren } from 'preact'
import { Notice, Progress, Waiting } from '../components/layout.tsx'
import { post, withQuery } from '../shell/api.ts'
import { useRemote } from '../shell/remote.ts'
import { place, setQuery } from '../shell/router.ts'
import { may, memberName, session } from '../shell/session.ts'
import type { Draft } from './draft.ts'
import type { OwnChecked, OwnConfiguration } from './own-shapes.ts'
import { type OwnTrial, useOwnTrial } from './own-trial.ts'
import { ownText } from './own-words.ts'
import { CONFIRM_WITHIN } from './review.tsx'
import { type FormPart, SettingForms, type ValueAt } from './setting-forms.tsx'
import { TrialBar } from './trial-bar.tsx'
import { words } from './words.ts'

/** The address says it; otherwise that of the member that answers. */
export const memberWanted = (): string => place.value.query.get('node') ?? session.value?.appliance.node ?? ''

/** What is asked about a member: without its name where it is the one that answers, as a page is asked for in advance. */
export const ofMember = (path: string, node: string): string =>
  withQuery(path, { node: node === session.value?.appliance.node ? undefined : node })

/** Every member has its own file, and each can be changed from here. */
export function WhoseFile({ node }: { node: string }) {
  const members = session.value?.pair?.members ?? []
  const here = session.value?.appliance.node
  if (members.length < 2) return null
  return (
    <label class="field filter">
      <span class="field-label">{words.t('settingsOf')}</span>
      <select
        class="input"
        value={node}
        onChange={(event) => {
          const chosen = event.currentTarget.value
          setQuery({ node: chosen === here ? undefined : chosen })
        }}
      >
        {members.map((member) => (
          <option key={member.node} value={member.node}>
            {memberName(member.node)}
          </option>
        ))}
      </select>
    </label>
  )
}

/** To be keyed by the member. */
export function OwnFile(props: {
  node: string
  children: (own: OwnConfiguration, trial: OwnTrial) => ComponentChildren
}) {
  const own = useRemote<OwnConfiguration>(ofMember('/own-configuration', props.node), {
    refresh: ['audit'],
  })
  const trial = useOwnTrial(own, props.node)
  const view = own.data.value
  if (trial.restarting.value)
    return (
      <Notice tone="info">
        <Progress label={words.t('restarting')} />
      </Notice>
    )
  return (
    <>
      {trial.trial.value === undefined ? null : (
        <TrialBar trial={trial.trial.value} confirm={trial.confirm} revert={trial.revert} over={trial.over} />
      )}
      {view === undefined ? <Waiting of={own} rows={8} /> : props.children(view, trial)}
    </>
  )
}

type Fields = OwnConfiguration['sections'][number]['fields']

/** Why nothing can be changed, where it cannot. */
export function ownDisabled(own: OwnConfiguration, trial: OwnTrial): boolean {
  return !may('admin') || !own.writable || trial.trial.value !== undefined
}

/** Forms of some sections of the file. */
export function OwnForms(props: {
  own: OwnConfiguration
  trial: OwnTrial
  /** Made of the sections of the file. */
  parts: readonly FormPart[]
  linked?: boolean
  typed?: (path: string, value: unknown, valueAt: ValueAt) => unknown
  outlook?: (
    valueAt: ValueAt,
    checked: OwnChecked | undefined,
  ) => { whole: ComponentChildren; brief: ComponentChildren }
}) {
  const { own, trial, ...forms } = props
  const fields: Fields = own.sections.flatMap((section) => section.fields)
  return (
    <>
      {may('admin') ? null : <Notice tone="info">{words.t('readOnly')}</Notice>}
      {own.writable ? null : <Notice tone="warn">{words.t('notWritable')}</Notice>}
      <SettingForms<OwnChecked>
        {...forms}
        held={new Map(fields.map(({ path, value }) => [path, value]))}
        text={ownText}
        disabled={ownDisabled(own, trial)}
        check={(changes) => post(ofMember('/own-configuration/check', own.node), { changes })}
        apply={(changes: Draft, within) => trial.apply({ changes }, within ?? CONFIRM_WITHIN)}
        mayKeep={false}
        note={<Notice tone="warn">{words.t('ownRestart')}</Notice>}
      />
    </>
  )
}

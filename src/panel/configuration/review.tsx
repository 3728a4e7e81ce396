/**
 * The last look before a change is applied: what it changes, and how it is taken back. Applied with a time to confirm,
 * so that a change that locks somebody out goes away by itself.
 */

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Checkbox } from '../components/field.tsx'
import { Notice } from '../components/layout.tsx'
import type { Problem } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { type Change, DiffView } from './diff-view.tsx'
import { words } from './words.ts'

/** The time that somebody has to confirm. */
export const CONFIRM_WITHIN = '90s'

export function Review(props: {
  changes: readonly Change[]
  name: (path: string) => string
  /** What else happens, such as a restart. */
  note?: ComponentChildren
  /** Whether it may be applied for good at once. */
  mayKeep: boolean
  apply: (confirmWithin: string | undefined) => Promise<Problem | undefined>
  close: () => void
}) {
  const trial = useSignal(true)
  const refused = useSignal<Problem | undefined>(undefined)
  return (
    <Dialog wide title={words.t('reviewTitle', { count: props.changes.length })} onClose={props.close}>
      <div class="stack">
        <DiffView changes={props.changes} name={props.name} />
        {props.note}
        {props.mayKeep ? (
          <Checkbox
            label={words.t('onTrial')}
            help={words.t('onTrialHelp')}
            checked={trial.value}
            onChange={(checked) => {
              trial.value = checked
            }}
          />
        ) : (
          <p>{words.t('onTrialHelp')}</p>
        )}
        {refused.value === undefined ? null : (
          <Notice tone="bad" title={words.t('notApplied')}>
            {problemText(refused.value)}
          </Notice>
        )}
        <div class="actions actions-end">
          <Button onClick={props.close}>{words.t('goOnEditing')}</Button>
          <Button
            kind="primary"
            onClick={async () => {
              refused.value = await props.apply(trial.value || !props.mayKeep ? CONFIRM_WITHIN : undefined)
            }}
          >
            {words.t('apply')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

/**
 * A change of an appliance's own file: it is written, the appliance starts anew with it, and the old file comes back
 * unless somebody confirms. While it restarts nobody answers; that is waited for, and told.
 */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { announce } from '../components/toast.tsx'
import { type Problem, post, put, withQuery } from '../shell/api.ts'
import { now } from '../shell/clock.ts'
import { problemText } from '../shell/problems.ts'
import type { Remote } from '../shell/remote.ts'
import { type Countdown, countdown } from './countdown.ts'
import type { OwnApplied, OwnConfiguration } from './own-shapes.ts'
import { words } from './words.ts'

/** Values by path, or the whole file as it was before a change of its history. */
export type Wanted = { changes: Readonly<Record<string, unknown>> } | { version: string }

export interface OwnTrial {
  trial: Signal<Countdown | undefined>
  /** The appliance restarts: nothing can be asked. */
  restarting: Signal<boolean>
  apply(wanted: Wanted, confirmWithin: string): Promise<Problem | undefined>
  confirm(): Promise<void>
  revert(): Promise<void>
  over(): void
}

const FIRST_LOOK_MS = 1_000
const LOOK_MS = 500

/** @param node whose file it is */
export function useOwnTrial(own: Remote<OwnConfiguration>, node: string): OwnTrial {
  const trial = useSignal<Countdown | undefined>(undefined)
  const restarting = useSignal(false)
  const confirmBy = own.data.value?.trial?.confirmBy
  useEffect(() => {
    if (confirmBy === undefined) trial.value = undefined
    else trial.value = countdown(confirmBy, Date.parse(confirmBy) - now.peek(), performance.now())
  }, [confirmBy])
  useEffect(() => {
    if (!restarting.value) return
    const look = setInterval(() => {
      if (own.problem.peek() === undefined && own.loading.peek() === false) restarting.value = false
      else own.reload()
    }, LOOK_MS)
    return () => clearInterval(look)
  }, [restarting.value])

  /** Answers that come before it has stopped would be those of the old one. */
  async function waitForRestart(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_MS))
    own.reload()
    restarting.value = true
  }

  return {
    trial,
    restarting,
    async apply(wanted, confirmWithin) {
      const path = withQuery('/own-configuration', { node })
      const answer = await put<OwnApplied>(path, { ...wanted, confirmWithin })
      if (!answer.ok) return answer.problem
      if (!answer.value.changed) announce(words.t('unchanged'))
      if (answer.value.restart) await waitForRestart()
      else own.reload()
      return undefined
    },
    async confirm() {
      const answer = await post(withQuery('/own-configuration/confirm', { node }))
      if (answer.ok) announce(words.t('ownConfirmed'))
      else announce(problemText(answer.problem), 'bad')
      own.reload()
    },
    async revert() {
      const answer = await post(withQuery('/own-configuration/revert', { node }))
      if (answer.ok) {
        announce(words.t('reverted'))
        await waitForRestart()
        return
      }
      announce(problemText(answer.problem), 'bad')
      own.reload()
    },
    over() {
      announce(words.t('ownWentBack'), 'warn')
      void waitForRestart()
    },
  }
}

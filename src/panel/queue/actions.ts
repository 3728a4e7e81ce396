/** Retry, cancel and move: for one message or many, asked back first, and told in one sentence how it went. */
import type { ActionsResult } from '#intake/http/queue-schemas.ts'
import { confirmed } from '../components/button.tsx'
import { announce } from '../components/toast.tsx'
import { post } from '../shell/api.ts'
import { problemText, reasonText } from '../shell/problems.ts'
import { loadRare } from '../shell/rare.ts'
import { words } from './words.ts'

export type Action = 'retry' | 'cancel' | 'move'

/** As many as the appliance takes in one request. */
export const AT_ONCE = 500

/** @param line where to, of a move @returns whether anything was done */
export async function actOn(action: Action, ids: readonly string[], line?: string): Promise<boolean> {
  const count = ids.length
  if (action !== 'move') {
    const yes = await confirmed({
      title: words.t(`ask.${action}`, { count }),
      text: words.t(`ask.${action}Text`),
      // A button that says nothing but “Cancel” could as well mean this question.
      action: words.t(action === 'cancel' ? 'do.cancel' : action, { count }),
      kind: action === 'cancel' ? 'danger' : 'primary',
    })
    if (!yes) return false
  }
  const answer = await post<ActionsResult>('/messages/actions', {
    action,
    ids,
    ...(line === undefined ? {} : { line }),
  })
  if (!answer.ok) {
    announce(problemText(answer.problem), 'bad')
    return false
  }
  const { results } = answer.value
  const done = results.filter((result) => result.done).length
  const refused = results.find((result) => !result.done)
  if (done > 0) announce(words.t(`done.${action}`, { count: done }))
  if (refused !== undefined) {
    await loadRare()
    announce(
      words.t('notDone', {
        count: results.length - done,
        why: reasonText({ code: refused.code ?? '', text: refused.text ?? refused.code ?? '' }),
      }),
      'warn',
    )
  }
  return done > 0
}

/** What a person does with a line, over the interface; each tells how it went. */
import { announce } from '../components/toast.tsx'
import { type Answer, post, withQuery } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import { session } from '../shell/session.ts'
import type { LineView } from '../shell/shapes.ts'
import { words } from './words.ts'

/** @param what `restart`, `mute`, `test` …; the line may be another member's */
export function linePath(line: Pick<LineView, 'id' | 'node'>, what: string): string {
  const elsewhere = line.node !== undefined && line.node !== session.value?.appliance.node
  return withQuery(`/lines/${encodeURIComponent(line.id)}/${what}`, elsewhere ? { node: line.node } : {})
}

export async function act(
  line: LineView,
  action: 'restart' | 'disable' | 'enable' | 'unmute',
  done: () => void,
): Promise<void> {
  const answer: Answer<unknown> = await post(linePath(line, action))
  if (answer.ok) announce(words.t(`done.${action}`, { line: line.id }))
  else announce(problemText(answer.problem), 'bad')
  done()
}

/** Commands to the pair: sent once, and an honest word when it is not known what became of one. */
import { type Answer, call } from './client.ts'
import { Ended, exit } from './outcome.ts'
import { type ConnectionValues, problemText, targetsOf } from './target.ts'

/** A little longer than an appliance keeps a command waiting. */
const PATIENCE = '60s'

/**
 * @param action the last part of the path, below /pair
 * @throws Ended when it was refused (1), nobody could be reached (3), or its answer never came (4)
 */
export async function commandPair<T>(
  values: ConnectionValues,
  usage: string,
  action: string,
  body: object = {},
): Promise<T> {
  const targets = targetsOf({ ...values, timeout: values.timeout ?? PATIENCE }, usage)
  const reasons: string[] = []
  for (const target of targets) {
    const answer = await call(target, { method: 'POST', path: `/pair/${action}`, body: JSON.stringify(body) })
    if (answer.result === 'notSent') {
      reasons.push(`${target.name}: ${answer.reason}`)
      continue
    }
    if (answer.result === 'answer' && answer.status < 300 && answer.body !== undefined)
      return answer.body as T
    // Never offered to a second appliance: it is a command to one.
    const reason = answer.result === 'answer' ? problemText(answer) : answer.reason
    throw new Ended(codeOf(answer), `${target.name}: ${reason}`)
  }
  throw new Ended(exit.unreachable, `cannot reach ${reasons.join('; ')}`)
}

function codeOf(answer: Exclude<Answer, { result: 'notSent' }>): number {
  if (answer.result === 'unknown' || answer.status === 504) return exit.unknown
  return answer.status === 502 || answer.status === 503 ? exit.unreachable : exit.refused
}

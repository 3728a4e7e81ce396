/** The stage's end of the visitor: started with the first order, and asked one thing at a time. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { VisitorAnswer, VisitorOrder } from './contract.ts'
import { spawnAt } from './network.ts'

const STARTS_WITHIN_MS = 20_000
/** A browser that starts on a busy machine takes its time. */
const ANSWERS_WITHIN_MS = 90_000

export class Visitor {
  #child: ChildProcess | undefined

  async order(order: VisitorOrder): Promise<VisitorAnswer> {
    this.#child ??= await start()
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })
    this.#child.send(order)
    const [{ answer, error }] = (await answered) as [{ answer?: VisitorAnswer; error?: string }]
    if (answer === undefined) throw new Error(`${order.do}: ${error}`)
    return answer
  }
}

async function start(): Promise<ChildProcess> {
  const child = spawnAt('client', [process.execPath, join(import.meta.dirname, 'visitor.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await once(child, 'message', { signal: AbortSignal.timeout(STARTS_WITHIN_MS) })
  return child
}

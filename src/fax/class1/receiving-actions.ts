/** Performs what the receiving machine asks for. */
import type { Action, Input } from '../t30/actions.ts'
import type { Choice } from '../t30/capabilities.ts'
import { goodTraining } from '../t30/training.ts'
import type { Timing } from '../timing.ts'
import type { Carrier } from './carrier.ts'
import type { IncomingPages } from './incoming.ts'
import { trouble } from './trouble.ts'

/** From DCS to its training there are 75 ms (T.30, 5.3.2.2); from an answer to the page at most what T2 allows. */
const TRAINING_MS = 4_000
const PAGE_MS = 7_000

export interface ReceivingTools {
  carrier: Carrier
  pages: IncomingPages
  timing: Timing
  /** What the page that was heard last was sent with. */
  heard?: Choice
}

export async function performReceiving(action: Action, tools: ReceivingTools): Promise<Input> {
  const { carrier, pages } = tools
  switch (action.do) {
    case 'listen':
      return carrier.listen(action.within, () => pages.prepare(tools.heard))
    case 'frames':
      return carrier.frames(action.frames)
    case 'hear-training': {
      pages.begin(action.choice)
      const { modulation } = action.choice
      const heard = await carrier.hear(modulation, false, TRAINING_MS)
      return heard.got === 'fast' ? { got: 'training', good: goodTraining(heard.data, modulation) } : heard
    }
    case 'hear-page': {
      const { choice, retrained } = action
      const heard = await carrier.hear(choice.modulation, !retrained, PAGE_MS)
      if (heard.got !== 'fast') return heard
      tools.heard = choice
      return { got: 'data', ended: pages.take(heard.data, choice) }
    }
    case 'judge':
      return { got: 'judged', ...pages.judge(action.choice) }
    case 'judge-block':
      return { got: 'missing', frames: pages.missing(action.frames) }
    case 'close-block':
      if (pages.closeBlock()) return { got: 'done' }
      return { got: 'trouble', failure: 'fax-protocol', text: 'the page does not end' }
    case 'keep':
      return keep(action, tools)
    default:
      return trouble('the dialogue asked for something that a receiver does not do')
  }
}

async function keep(
  action: Extract<Action, { do: 'keep' }>,
  { pages, timing }: ReceivingTools,
): Promise<Input> {
  if (action.doubtful && pages.known(action.choice)) return { got: 'known' }
  const keeping = pages.keep(action.choice, action.complete)
  if (!keeping) return { got: 'done' }
  const kept = await new Promise<boolean | undefined>((resolve) => {
    const cancel = timing.after(action.within, () => resolve(undefined))
    void keeping.then((done) => {
      cancel()
      resolve(done)
    })
  })
  if (kept === undefined) return { got: 'keeping' }
  if (!kept) return { got: 'trouble', failure: 'fax-protocol', text: 'the page could not be stored here' }
  pages.done()
  return { got: 'kept' }
}

/** Performs what the sending machine asks for. */
import type { Reason } from '#messages/states.ts'
import type { OutgoingPages } from '../outgoing-pages.ts'
import type { Action, Input } from '../t30/actions.ts'
import type { Choice } from '../t30/capabilities.ts'
import { trainingCheck } from '../t30/training.ts'
import type { Timing } from '../timing.ts'
import type { Carrier } from './carrier.ts'
import { trouble } from './trouble.ts'

/** The other end gives up T2 (6 s +-1 s) after a page whose post-page message does not come. */
const INTEND_MS = 4_000
const late: Reason = {
  code: 'not-recorded',
  text: 'That the page is being sent could not be recorded in time',
}

export interface SendingTools {
  carrier: Carrier
  pages: OutgoingPages
  timing: Timing
  signal: AbortSignal
  /** Whether the page may be ended, after which it may count as sent. */
  intend: (page: number) => Promise<Reason | undefined>
}

export async function performSending(action: Action, tools: SendingTools): Promise<Input> {
  const { carrier, pages } = tools
  switch (action.do) {
    case 'listen':
      return carrier.listen(action.within)
    case 'frames':
      return carrier.frames(action.frames)
    case 'train':
      return train(action, tools)
    case 'page':
      return ended(action.page, action.choice, pages.coded(action.page, action.choice), true, tools)
    case 'block': {
      const { page, choice, retrained } = action
      const { bits, frames, blocks } = pages.block(page, action.block, choice, action.only)
      const sent =
        action.block === blocks - 1
          ? await ended(page, choice, bits, !retrained, tools)
          : await carrier.fast(bits, choice.modulation, { short: !retrained, signal: tools.signal })
      return sent.got === 'sent' ? { got: 'sent', blocks, frames } : sent
    }
    default:
      return trouble('the dialogue asked for something that a sender does not do')
  }
}

async function train(action: Extract<Action, { do: 'train' }>, tools: SendingTools): Promise<Input> {
  const { carrier, pages, signal } = tools
  const { choice, page } = action
  const announced = await carrier.frames(action.frames)
  if (announced.got !== 'sent') return announced
  return carrier.fast(trainingCheck(choice.modulation), choice.modulation, {
    short: false,
    signal,
    // The check takes 1.5 s on the line: time to code the page.
    written: () => pages.prepare(page, choice),
  })
}

/** The last data of a page. While the modem sends what it still holds, it is asked whether the page may be ended. */
async function ended(
  page: number,
  choice: Choice,
  data: Uint8Array,
  short: boolean,
  { carrier, pages, timing, signal, intend }: SendingTools,
): Promise<Input> {
  let asked: Promise<Reason | undefined> | undefined
  const sent = await carrier.fast(data, choice.modulation, {
    short,
    signal,
    written: () => {
      asked = intend(page)
      pages.prepare(page + 1, choice)
    },
  })
  if (sent.got !== 'sent' || !asked) return sent
  const reason = await within(asked, INTEND_MS, timing)
  return reason ? { got: 'forbidden', reason } : sent
}

function within(asked: Promise<Reason | undefined>, ms: number, timing: Timing): Promise<Reason | undefined> {
  return new Promise((resolve) => {
    const cancel = timing.after(ms, () => resolve(late))
    const settle = (reason: Reason | undefined) => {
      cancel()
      resolve(reason)
    }
    asked.then(settle, () => settle(late))
  })
}

/** Follows an accepted message: prints each step as it happens, until every delivery has its outcome. */
import { setTimeout as pause } from 'node:timers/promises'
import { parseDuration } from '#core/duration.ts'
import type * as schemas from '#intake/http/message-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { type Answer, call, type Target } from './client.ts'
import { exit } from './outcome.ts'
import { localTime, printable, printJson } from './print.ts'
import { stepText } from './steps.ts'
import { reasonOf } from './target.ts'

type Detail = Shape<typeof schemas.messageDetail>
type Delivery = Detail['deliveries'][number]
type Step = Detail['timeline'][number]

/** Characters of a time as it is printed. */
const TIME_WIDTH = 19
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
/** Every delivery leaves the queue when its validity ends; an appliance may be a moment late to say so. */
const GRACE_MS = 60_000
/** How long an appliance may be away (restarted, say) before we stop asking. */
const PATIENCE_MS = 120_000

/** @returns the exit code: 0 when all were sent, 1 when one was not, 4 when that cannot be known */
export async function waitForOutcome(target: Target, id: string, json: boolean): Promise<number> {
  const begun = performance.now()
  let heard = begun
  let detail: Detail | undefined
  let shown = 0
  /** What was said last of each delivery that waits. */
  const waits = new Map<string, string>()
  /** A large job is followed by pages: those before the one that is asked for have ended. */
  const ended: Delivery[] = []
  const path = `/messages/${encodeURIComponent(id)}`
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    const answer = await call(target, { method: 'GET', path: `${path}?from=${ended.length}` })
    if (answer.result === 'answer' && answer.status === 200) {
      heard = performance.now()
      detail = answer.body as Detail
      if (!json) {
        printSteps(detail, shown)
        printWaits(detail, waits)
      }
      shown = detail.timeline.length
      if (detail.deliveries.every(isFinal)) {
        ended.push(...detail.deliveries)
        if (ended.length >= (detail.count ?? 0)) return conclude({ ...detail, deliveries: ended }, json)
        shown = 0
        continue
      }
    } else if (mustStop(answer) || performance.now() - heard > PATIENCE_MS) {
      console.error(`twinline: it was accepted as ${id}, but its outcome cannot be read: ${reasonOf(answer)}`)
      return exit.unknown
    }
    const validity = parseDuration(detail?.validity ?? '')
    if (validity !== undefined && performance.now() - begun > validity + GRACE_MS && detail !== undefined) {
      return conclude({ ...detail, deliveries: [...ended, ...detail.deliveries] }, json)
    }
    await pause(wait)
  }
}

const mustStop = (answer: Answer) => answer.result === 'answer' && answer.status >= 400 && answer.status < 500

/** Nothing more will happen by itself; a sent one waits for its report as long as one is awaited. */
function isFinal({ state, reportBy }: Delivery): boolean {
  if (state === 'sent') return reportBy === undefined
  return state !== 'queued' && state !== 'claimed' && state !== 'submitting'
}

function conclude(detail: Detail, json: boolean): number {
  if (json) printJson(detail)
  const states = detail.deliveries.map(({ state }) => state)
  if (states.length < (detail.count ?? 0)) states.push('unknown')
  const good = ['sent', 'delivered', 'acknowledged']
  if (states.every((state) => good.includes(state))) return exit.accepted
  return states.every((state) => good.includes(state) || state === 'unknown') ? exit.unknown : exit.refused
}

/** Those from the given one on; the ones before have been printed. */
function printSteps({ timeline, deliveries }: Detail, from: number): void {
  const before = new Map<string, Step>()
  for (const [n, step] of timeline.entries()) {
    const { to = '', channel = '', parts = 1 } = deliveries.find(({ id }) => id === step.delivery) ?? {}
    const why = step.reason === undefined ? '' : `: ${step.reason.text}`
    const text = stepText(step, before.get(step.delivery), { channel, parts })
    if (n >= from) console.log(printable(`${localTime(step.at)}  ${to}  ${text}${why}`))
    before.set(step.delivery, step)
  }
}

/** Said when the wait begins, and when what it waits for changes. */
function printWaits({ deliveries }: Detail, said: Map<string, string>): void {
  for (const { id, to, waiting = [] } of deliveries) {
    const text = waiting
      .map(({ line, reason, until }) => {
        const when = until === undefined ? '' : ` until ${localTime(until)}`
        return `${line}: ${reason.text}${when}`
      })
      .join('; ')
    if (text !== '' && text !== said.get(id))
      console.log(printable(`${' '.repeat(TIME_WIDTH)}  ${to}  waits for ${text}`))
    said.set(id, text)
  }
}

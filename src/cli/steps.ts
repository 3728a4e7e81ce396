/**
 * What happened to a delivery, in words: one line of `send --wait` for each entry of its timeline. The record has one name
 * for dialling a fax and for the end of a page: both are what may have happened when the program dies there. Pure.
 */

export interface Step {
  event: string
  node?: string
  line?: string
  /** From 0. */
  part?: number
}

const words: Readonly<Record<string, string>> = {
  accept: 'accepted',
  intend: 'handed to the modem',
  confirm: 'confirmed by the network',
  accepted: 'accepted by the network',
  defer: 'put off',
  resend: 'will be sent again',
  hold: 'outcome unknown, held for a decision',
  fail: 'failed',
  expire: 'expired',
  cancel: 'cancelled',
  retry: 'asked for again',
  report: 'reported as delivered',
  reportFailed: 'reported as not delivered',
  reportTimeout: 'no report came',
  acknowledge: 'acknowledged',
  move: 'moved',
}

/** @param before the step before it of the same delivery */
export function stepText(
  step: Step,
  before: Step | undefined,
  { channel, parts }: { channel: string; parts: number },
): string {
  return `${what(step, before, channel, parts)}${where(step)}`
}

function what(step: Step, before: Step | undefined, channel: string, parts: number): string {
  const fax = channel === 'fax'
  const place = `${(step.part ?? parts - 1) + 1} of ${parts}`
  if (fax && step.event === 'intend') {
    if (sameCall(step, before)) return `page ${place} sent`
    return (step.part ?? 0) === 0 ? 'calling' : `calling again for page ${place}`
  }
  if (fax && step.event === 'confirm') return `page ${place} confirmed`
  if (fax && step.event === 'accepted') return 'the last page confirmed'
  const text = words[step.event] ?? step.event
  return step.part === undefined || parts < 2 ? text : `part ${place} ${text}`
}

const sameCall = (step: Step, before: Step | undefined): boolean =>
  (before?.event === 'intend' || before?.event === 'confirm') &&
  before.node === step.node &&
  before.line === step.line

function where({ node, line }: Step): string {
  if (line === undefined) return node === undefined ? '' : ` on ${node}`
  return node === undefined ? ` on ${line}` : ` on ${line} of ${node}`
}

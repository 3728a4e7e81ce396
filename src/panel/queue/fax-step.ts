/**
 * What a step in the story of a fax was: a call, a page that was sent, a page that was confirmed. The record has one name
 * for dialling and for the end of a page: both are what may have happened when the program dies there. Pure.
 */

export interface Step {
  event: string
  node?: string
  line?: string
}

export type FaxStep = 'dialled' | 'pageSent' | 'pageConfirmed' | 'allConfirmed'

/** @param before the step before it of the same delivery @returns undefined for what every message has, too */
export function faxStep(step: Step, before: Step | undefined): FaxStep | undefined {
  switch (step.event) {
    case 'intend':
      return within(before) && before?.node === step.node && before?.line === step.line
        ? 'pageSent'
        : 'dialled'
    case 'confirm':
      return 'pageConfirmed'
    case 'accepted':
      return 'allConfirmed'
    default:
      return undefined
  }
}

/** Whether a call was under way. */
const within = (step: Step | undefined): boolean => step?.event === 'intend' || step?.event === 'confirm'

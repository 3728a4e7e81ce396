/** Why a fax line does not make a call, or did not go on with one, before the other end had a say; results.ts has the rest. */
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'

export const notReady: Reason = { code: 'line-not-ready', text: 'The line is not ready' }
export const hungUp: Reason = { code: 'stopping', text: 'The call was ended here' }
export const badNumber: Reason = { code: 'fax-number', text: 'The number holds nothing that can be dialled' }
export const noDocument: Reason = {
  code: 'no-document',
  text: 'The message has no document that could be faxed',
}
export const otherPages: Reason = {
  code: 'fax-pages-differ',
  text: 'The document came to another number of pages than when it was accepted',
}

/** It never will be sent to this number. @param confirmed pages that have arrived before */
export const refused = (confirmed: number, reason: Reason): Outcome => ({
  result: 'refused',
  scope: 'number',
  permanent: true,
  reason,
  progress: { confirmed },
})

/** What a modem's refusals and silences mean to a fax dialogue. Pure. */
import type { Reply } from '../modem-port.ts'
import type { Input } from '../t30/actions.ts'

export type Trouble = Extract<Input, { got: 'trouble' }>

/** The modem does not do its work. */
export const trouble = (text: string): Trouble => ({ got: 'trouble', failure: 'fax-modem', text })

/** The result of a command that a dialogue can go on with, or why it cannot. */
export function codeOf(reply: Reply): { code: string } | Trouble {
  if (reply.how === 'closed') return trouble('the modem is gone')
  if (reply.how === 'silent') return trouble('the modem does not answer')
  if (reply.code === 'ERROR') return trouble('the modem refused a command of the fax dialogue')
  return { code: reply.code }
}

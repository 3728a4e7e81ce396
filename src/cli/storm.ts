/** twinline storm: what the storm guard holds back, and what it folded. */
import type * as schemas from '#intake/http/contact-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type View = Shape<typeof schemas.stormView>
type Folded = Shape<typeof schemas.foldedPage>

const usage = `twinline storm [--json]
twinline storm folded [--limit 50] [--json]

Without a word: what is folded and not told in a digest yet, and what lines have used of their budgets.
folded lists what was folded, newest first, with the reason. POST /api/v1/messages/ID/retry sends one all the same.

${connectionUsage}`

const options = { ...connectionOptions, limit: { type: 'string' } } as const

const PAGE = 500

export async function storm(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, extra] = positionals
  if (extra !== undefined) throw new UsageError(`unexpected ${JSON.stringify(extra)}`, usage)
  const { json = false, limit = '50' } = values
  if (!/^[1-9][0-9]{0,4}$/.test(limit)) throw new UsageError('--limit wants a number from 1 to 99999', usage)
  const targets = targetsOf(values, usage)
  if (action === undefined) {
    const view = await ask<View>(targets, { method: 'GET', path: '/storm' })
    if (json) printJson(view)
    else printView(view)
    return exit.accepted
  }
  if (action !== 'folded') throw new UsageError('say folded, or nothing', usage)
  const items: Folded['items'] = []
  let after: string | undefined
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(after === undefined ? {} : { after }) })
    const page: Folded = await ask<Folded>(targets, { method: 'GET', path: `/storm/folded?${query}` })
    items.push(...page.items.slice(0, Number(limit) - items.length))
    after = page.next
  } while (after !== undefined && items.length < Number(limit))
  if (json) printJson(items)
  else {
    printTable(
      ['when', 'to', 'why', 'message', 'text'],
      items.map(({ at, to, code, message, text }) => [localTime(at), to, code, message, text]),
    )
  }
  return exit.accepted
}

function printView({ on, pending, lines }: View): void {
  if (!on) console.log('the storm guard is off: the setting storm says nothing')
  printTable(
    ['recipient', 'folded', 'digest'],
    pending.map(({ to, count, due }) => [to, count, localTime(due)]),
  )
  printTable(
    ['line', 'parts used', 'this month'],
    lines.map(({ line, used, month }) => [line, used, month]),
  )
}

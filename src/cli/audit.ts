/** twinline audit: who did what, and whether anybody has changed what is written about it. */
import type * as schemas from '#intake/http/audit-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Report = Shape<typeof schemas.auditReport>
type Page = Shape<typeof schemas.auditPage>

const usage = `twinline audit verify [--json]
twinline audit list [--node NODE] [--after NUMBER] [--json]

verify looks at the chain of every member as this appliance holds it, and compares it with what the other members
hold. It ends with 1 when anything was changed or taken out.
list prints records, oldest first.
  --node NODE       whose (default: the appliance's own)
  --after NUMBER    only records after this one

${connectionUsage}`

const options = { ...connectionOptions, node: { type: 'string' }, after: { type: 'string' } } as const

const PAGE = 500

export async function audit(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`unexpected ${JSON.stringify(rest[0])}`, usage)
  const { node, after = '0', json = false } = values
  if (!/^[0-9]{1,15}$/.test(after)) throw new UsageError('--after wants a number', usage)
  const targets = () => targetsOf(values, usage)
  switch (action) {
    case 'verify': {
      if (node !== undefined || values.after !== undefined) {
        throw new UsageError('verify looks at everything; --node and --after belong to list', usage)
      }
      const report = await ask<Report>(targets(), { method: 'GET', path: '/audit/verify' })
      if (json) printJson(report)
      else printReport(report)
      return report.whole ? exit.accepted : exit.refused
    }
    case 'list': {
      const items: Page['items'] = []
      let next: string | undefined = after
      while (next !== undefined) {
        const query: string = new URLSearchParams({
          limit: String(PAGE),
          after: next,
          ...(node === undefined ? {} : { node }),
        }).toString()
        const page: Page = await ask<Page>(targets(), { method: 'GET', path: `/audit?${query}` })
        items.push(...page.items)
        next = page.next
      }
      if (json) printJson(items)
      else {
        printTable(
          ['number', 'when', 'who', 'what', ''],
          items.map(({ number, at, who, what, text }) => [number, localTime(at), who, what, text]),
        )
      }
      return exit.accepted
    }
    default:
      throw new UsageError('say what to do: verify or list', usage)
  }
}

function printReport({ whole, chains, silent }: Report): void {
  printTable(
    ['member', 'records', 'chain', 'copies'],
    chains.map(({ node, records, fault, copies }) => [
      node,
      records,
      fault === undefined ? 'unbroken' : `record ${fault.number} ${faults[fault.fault]}`,
      copies.map(copyText).join(', '),
    ]),
  )
  for (const member of silent) console.log(printable(`${member} did not answer: its copies are not compared`))
  if (!whole) console.error('twinline: the audit log was changed')
}

const faults = { altered: 'was altered', missing: 'is missing' } as const

const copyText = ({ member, records, agrees }: Report['chains'][number]['copies'][number]): string =>
  `${member} ${agrees ? 'agrees' : 'DIFFERS'} (${records})`

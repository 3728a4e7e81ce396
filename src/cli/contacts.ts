/** twinline contacts: who there is, and a table of them taken in after a look at it. */
import { readFileSync } from 'node:fs'
import { errorText } from '#core/errors.ts'
import type * as schemas from '#intake/http/contact-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { printable, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type Report = Shape<typeof schemas.importReport>
type Contacts = Shape<typeof schemas.contactList>
type Groups = Shape<typeof schemas.groupList>

const usage = `twinline contacts list [--json]
twinline contacts import FILE [--apply] [--json]

list prints contacts and groups.
import looks at a table (CSV: id, name, sms, fax, mail, groups) and says what it would change and what is wrong with which
line; it ends with 1 when anything is.
  --apply       takes the table, whole or not at all

Needs the scope read, and for import admin.

${connectionUsage}`

const options = { ...connectionOptions, apply: { type: 'boolean' } } as const

export async function contacts(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, file, ...rest] = positionals
  const { json = false, apply = false } = values
  const extra = action === 'list' ? file : rest[0]
  if (extra !== undefined) throw new UsageError(`unexpected ${JSON.stringify(extra)}`, usage)
  if (apply && action !== 'import') throw new UsageError('--apply belongs to import', usage)
  const targets = () => targetsOf(values, usage)
  switch (action) {
    case 'list': {
      const contacts = await ask<Contacts>(targets(), { method: 'GET', path: '/contacts' })
      const groups = await ask<Groups>(targets(), { method: 'GET', path: '/groups' })
      if (json) printJson({ contacts: contacts.items, groups: groups.items })
      else {
        printTable(
          ['contact', 'name', 'sms', 'fax', 'mail', 'from'],
          contacts.items.map(({ id = '', name = '', sms = '', fax = '', mail = '', source = '' }) => [
            id,
            name,
            sms,
            fax,
            mail,
            source,
          ]),
        )
        printTable(
          ['group', 'name', 'members'],
          groups.items.map(({ id = '', name = '', members }) => [id, name, members.join(', ')]),
        )
      }
      return exit.accepted
    }
    case 'import': {
      if (file === undefined) throw new UsageError('say which file', usage)
      const report = await ask<Report>(targets().slice(0, 1), {
        method: 'POST',
        path: `/contacts/import?preview=${!apply}`,
        body: tableOf(file),
        headers: { 'content-type': 'text/csv' },
      })
      if (json) printJson(report)
      else printReport(report)
      return report.problems.length === 0 ? exit.accepted : exit.refused
    }
    default:
      throw new UsageError('say what to do: list or import', usage)
  }
}

function tableOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } catch (error) {
    const text =
      error instanceof TypeError ? 'is not in UTF-8; in a spreadsheet choose "CSV UTF-8"' : errorText(error)
    throw new UsageError(`${file}: ${text}`, usage)
  }
}

function printReport({ applied, problems, added, changed, unchanged, newGroups }: Report): void {
  for (const { line, text } of problems) console.log(printable(`line ${line}: ${text}`))
  if (problems.length > 0) {
    console.log(
      `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}; nothing would be taken`,
    )
    return
  }
  const counts = `${added.length} new, ${changed.length} changed, ${unchanged} as they were`
  const groups = newGroups.length === 0 ? '' : `; new groups: ${newGroups.join(', ')}`
  console.log(printable(`${applied ? 'taken' : 'nothing is wrong'}: ${counts}${groups}`))
  if (!applied) console.log('--apply takes the table')
}

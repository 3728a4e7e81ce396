/**
 * Which documents the tables refer to: messages by their field `document`, and facts `pages:HASH:…` that say where the
 * pages of a document are. Within a JSON text a quote is escaped, so only the field itself can match `"document":{`.
 */
import type { Tables } from './tables.ts'

const REFERS = `instr(document, '"document":{') > 0 AND json_extract(document, '$.document.hash')`
/** Of the facts that name pages; `;` follows `:`. */
const PAGES = `name >= 'pages:' AND name < 'pages;'`

const inMessages = (tables: Tables, hash: string): boolean =>
  ['messages', 'archive_messages'].some(
    (table) => tables.get(`SELECT 1 FROM ${table} WHERE ${REFERS} = ? LIMIT 1`, hash) !== undefined,
  )

/** Those of the hashes that some message needs, itself or as its pages. The facts of what nobody needs are forgotten. */
export function documentsInUse(tables: Tables, hashes: readonly string[]): string[] {
  return hashes.filter((hash) => {
    if (inMessages(tables, hash) || received(tables, hash)) return true
    let used = false
    for (const { name } of tables.all(
      `SELECT name FROM facts WHERE ${PAGES} AND instr(value, ?) > 0`,
      hash,
    )) {
      const [, document = ''] = String(name).split(':')
      if (inMessages(tables, document)) used = true
      else tables.run('DELETE FROM facts WHERE name = ?', String(name))
    }
    return used
  })
}

/** What came in over a fax line, as long as the inbox has it. */
const received = (tables: Tables, hash: string): boolean =>
  tables.get(
    `SELECT 1 FROM inbox WHERE instr(document, '"fax":{') > 0 AND instr(document, ?) > 0 LIMIT 1`,
    hash,
  ) !== undefined

/**
 * Documents of messages that are not finished, and their pages: what must be on this disk to go on with them. And the
 * newest received faxes: whoever received them may be lost.
 */
export function documentsNeeded(tables: Tables, limit: number): string[] {
  const rows = tables.all(
    `SELECT DISTINCT json_extract(document, '$.document.hash') AS hash FROM messages
     WHERE instr(document, '"document":{') > 0 AND EXISTS (SELECT 1 FROM deliveries WHERE
       deliveries.position >= messages.position AND deliveries.position < messages.position + messages.count
       AND live IS NOT NULL) LIMIT ?`,
    limit,
  )
  const queued = rows.flatMap(({ hash }) => {
    const pages = tables.all(
      'SELECT value FROM facts WHERE name >= ? AND name < ?',
      `pages:${hash}:`,
      `pages:${hash};`,
    )
    return [String(hash), ...pages.flatMap(({ value }) => hashIn(String(value)))]
  })
  const inbox = tables.all(
    `SELECT json_extract(document, '$.fax.document.hash') AS hash FROM inbox
     WHERE instr(document, '"fax":{') > 0 ORDER BY position DESC LIMIT ?`,
    limit,
  )
  return [...new Set([...queued, ...inbox.map(({ hash }) => String(hash))])]
}

const hashIn = (fact: string): string[] => /"hash":"([0-9a-f]{64})"/.exec(fact)?.slice(1) ?? []

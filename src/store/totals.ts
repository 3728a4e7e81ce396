/** Counters by line and hour, kept in step with what they count so that reading them never scans the queue. */
import type { TotalsRow } from './contract.ts'
import { integer, type Tables, text } from './tables.ts'

const HOUR_MS = 3_600_000

export function addToTotals(
  tables: Tables,
  count: {
    node: string
    line: string
    column: 'sent' | 'delivered' | 'failed' | 'unknown' | 'received'
    at: number
  },
  by: number,
): void {
  const { node, line, column, at } = count
  tables.run(
    `INSERT INTO totals (hour, line, ${column}) VALUES (?1, ?2, ?3)
     ON CONFLICT (hour, line) DO UPDATE SET ${column} = ${column} + ?3`,
    at - (at % HOUR_MS),
    tables.line(node, line),
    by,
  )
}

export function totalsSince(tables: Tables, since: number): TotalsRow[] {
  return tables
    .all(
      `SELECT node, lines.line AS line, hour, sent, delivered, failed, unknown, received
       FROM totals JOIN lines ON lines.id = totals.line WHERE hour >= ?
       AND (sent <> 0 OR delivered <> 0 OR failed <> 0 OR unknown <> 0 OR received <> 0) ORDER BY hour, node, lines.line`,
      since - (since % HOUR_MS),
    )
    .map((row) => ({
      node: text(row, 'node'),
      line: text(row, 'line'),
      hour: integer(row, 'hour'),
      sent: integer(row, 'sent'),
      delivered: integer(row, 'delivered'),
      failed: integer(row, 'failed'),
      unknown: integer(row, 'unknown'),
      received: integer(row, 'received'),
    }))
}

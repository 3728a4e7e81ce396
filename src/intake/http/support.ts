/**
 * The support bundle: what somebody who is asked for help wants to see, in one zip file. Secrets are masked, and so are
 * numbers and addresses of people; texts of messages are not in it at all. What cannot be collected is named in the
 * bundle instead of keeping the rest from being made.
 */

import { statfs } from 'node:fs/promises'
import { freemem, loadavg, totalmem, uptime } from 'node:os'
import { zip } from 'fflate'
import { stringify } from 'yaml'
import { maskedText } from '#config/masking.ts'
import { formatDuration } from '#core/duration.ts'
import { errorText } from '#core/errors.ts'
import { drillSentence } from '#notify/drill-reports.ts'
import { pairView } from './pair-view.ts'
import type { Parts } from './parts.ts'
import { depthView, iso, lineView } from './views.ts'

export interface SupportSource {
  /** The newest lines of the log, oldest first. */
  recent(): string[]
  /** The data directory. */
  directory: string
}

/** Days of the failover log, and records of the audit log, that are in it. */
const DAYS = 14
const RECORDS = 300
const REVISIONS = 100
const TOTALS_MS = 7 * 86_400_000
/** A bundle is sent by mail: nothing in it may be larger, characters. */
const LARGEST = 2_000_000

/** @returns the zip file's bytes */
export async function makeSupportBundle(parts: Parts, source: SupportSource): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  const problems: string[] = []
  const add = async (name: string, make: () => unknown): Promise<void> => {
    try {
      const made = await make()
      if (made === undefined) return
      const text = typeof made === 'string' ? made : `${JSON.stringify(made, undefined, 2)}\n`
      files[name] = Buffer.from(masked(text.slice(-LARGEST)))
    } catch (error) {
      problems.push(`${name}: ${errorText(error)}`)
    }
  }
  const { store, clock, dispatch, records, settings, pair, own, node } = parts
  const now = clock.now()

  await add('versions.json', async () => ({ ...(await machine(source.directory)), ...ofProgram(parts, now) }))
  await add('status.json', async () => ({
    ...parts.ready(),
    role: parts.role(),
    queue: depthView(await store.depth()),
    states: await store.stateCounts(),
    restored: await store.restored(),
  }))
  await add('lines.json', () => dispatch.lineStatus().map(lineView))
  for (const line of dispatch.lines()) {
    await add(`dialogue-${line.id}.txt`, () =>
      line
        .dialogue?.()
        .map(({ at, direction, text }) => `${iso(now - clock.monotonic() + at)} ${direction} ${text}\n`)
        .join(''),
    )
  }
  await add('pair.json', () => pair && pairView(pair, clock, settings?.head()))
  await add('drills.txt', () =>
    pair?.drills
      ?.list()
      .map((report) => `${iso(report.at)} ${drillSentence(report)}\n`)
      .join(''),
  )
  await add('configuration.yaml', () => own && maskedText(own.text()))
  await add(
    'settings.yaml',
    () =>
      settings &&
      stringify(
        settings
          .values()
          .filter(({ path }) => path !== 'contacts')
          .map(({ path, value, source: from }) => ({ path, from, value })),
      ),
  )
  await add('settings-history.txt', () =>
    settings
      ?.history()
      .slice(-REVISIONS)
      .map(
        ({ id, at, author, origin, changes }) =>
          `${iso(at)} ${id} ${author} on ${origin}: ${changes.map(({ path }) => path).join(', ')}\n`,
      )
      .join(''),
  )
  await add('totals.json', () => store.totals(now - TOTALS_MS))
  for (const day of ((await records?.failover.days().catch(() => [])) ?? []).slice(0, DAYS)) {
    await add(`failover-${day}.txt`, async () =>
      (await records?.failover.day(day))?.map((line) => `${line}\n`).join(''),
    )
  }
  await add('audit.txt', async () => {
    const found = (await records?.read({ origin: node, limit: 1_000_000 })) ?? []
    return found
      .slice(-RECORDS)
      .map(({ at, who, what, text }) => `${iso(at)} ${who} ${what}: ${text}\n`)
      .join('')
  })
  await add('log.jsonl', () => source.recent().join(''))
  if (problems.length > 0) files['missing.txt'] = Buffer.from(masked(`${problems.join('\n')}\n`))
  return zipped(files, now)
}

const ofProgram = ({ version, node }: Parts, now: number) => ({
  twinline: version,
  node,
  at: iso(now),
  nodejs: process.versions.node,
  sqlite: process.versions['sqlite'],
  upFor: formatDuration(Math.round(process.uptime()) * 1_000),
  memory: process.memoryUsage(),
})

export async function machine(directory: string): Promise<object> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return {
    platform: `${process.platform} ${process.arch}`,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    machineUpFor: formatDuration(Math.round(uptime()) * 1_000),
    load: loadavg(),
    memoryFree: freemem(),
    memoryTotal: totalmem(),
    diskFree: bavail * bsize,
    diskTotal: blocks * bsize,
  }
}

/**
 * Long numbers but for their ends, mail addresses but for their domain, and the setup code. Times, ids, serial numbers of
 * log entries and addresses of machines stay: without them nothing can be followed.
 */
export const masked = (text: string): string =>
  text
    // With blanks as well: fax machines call themselves so, and so does `station` of a line.
    .replace(/(?<![\w.+-])\+\d(?:[ /()-]{0,2}\d){5,17}(?!\d)/g, shortened)
    .replace(/(?<=["'\s(,]|^)0\d{6,14}(?=["'\s),.;:]|$)/gm, shortened)
    .replace(/(?<=\bstation"?: ?["']?)\d[\d ]{3,18}\d/g, shortened)
    .replace(/(?<="(?:imei|iccid|imsi|smsc|to|from)": ?")\+?\d{4,22}(?=")/g, shortened)
    .replace(/[A-Za-z0-9._%+-]+(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})/g, '***$1')
    // Whoever has it makes himself the first administrator of an appliance that has none yet.
    .replace(/(?<=\bsetup code )[A-Z0-9]{4}-[A-Z0-9]{4}\b/g, '***')

const shortened = (digits: string): string => `${digits.slice(0, 3)}***${digits.slice(-2)}`

/** In a thread of the library's own, so that the delivery loop turns on. */
export function zipped(files: Record<string, Uint8Array>, at: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zip(files, { level: 6, mtime: at }, (error, bytes) => (error ? reject(error) : resolve(bytes)))
  })
}

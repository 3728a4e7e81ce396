/**
 * The failover log: one text file a day, `<data>/failover/FT_REPORT_YYMMDD.txt`, with what the guards of all members
 * saw and did, to the millisecond. Own lines are operations too, so that every member has everybody's; the files are
 * for people and for tools that follow them, and hold local time.
 *
 * Nothing waits for the disk here: lines are queued, written in the background, and counted when there are too many.
 */
import { appendFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { OperationLog } from '#store/contract.ts'

export interface FailoverLine {
  origin: string
  /** ms since 1970 */
  at: number
  text: string
}

export interface FailoverLog {
  /** A line of this member: to the file and to all members. */
  write(text: string): void
  /** Lines of other members, as merging told them. */
  merged(lines: readonly FailoverLine[]): void
  /** The lines of one day, in order, oldest first. @param day as 2026-11-21, in local time */
  day(day: string): Promise<string[]>
  /** The days that have lines, newest first. */
  days(): Promise<string[]>
  /** Resolves when everything written before is on disk or given up. */
  settled(): Promise<void>
}

export const KEPT_DAYS = 400
/** Lines that wait for the disk. */
const MOST_WAITING = 2_000
/** Lines of one day that are shown; a file that is larger than it could then be is not read. */
const MOST_LINES = 20_000
const LARGEST_FILE = 8_000_000
const LONGEST_TEXT = 500

export function createFailoverLog({
  directory,
  store,
  node,
  clock,
  log,
}: {
  /** The data directory. */
  directory: string
  store: Pick<OperationLog, 'failover' | 'operate'>
  node: string
  clock: Clock
  log: Log
}): FailoverLog {
  const folder = join(directory, 'failover')
  let waiting: FailoverLine[] = []
  let dropped = 0
  let writing: Promise<void> | undefined
  let sweptDay = ''
  let failed = false

  function add(line: FailoverLine): void {
    if (waiting.length >= MOST_WAITING) {
      dropped += 1
      return
    }
    waiting.push({ ...line, text: plain(line.text) })
    writing ??= drain().finally(() => {
      writing = undefined
    })
  }

  async function drain(): Promise<void> {
    // A whole burst goes to the disk as one write.
    await Promise.resolve()
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      if (dropped > 0) {
        lines.push({
          origin: node,
          at: clock.now(),
          text: `${dropped} lines came too fast and are not in this log`,
        })
        dropped = 0
      }
      try {
        await append(lines)
        failed = false
      } catch (error) {
        if (!failed) log.error({ error: errorText(error) }, 'the failover log cannot be written')
        failed = true
      }
    }
  }

  async function append(lines: readonly FailoverLine[]): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const byDay = Map.groupBy(lines, ({ at }) => dayOf(at))
    for (const [day, group] of byDay) {
      const text = group.map((line) => `${lineText(line)}\n`).join('')
      await appendFile(join(folder, fileOf(day)), text, { mode: 0o600 })
    }
    const today = dayOf(clock.now())
    if (sweptDay !== today) {
      sweptDay = today
      await sweep(clock.now())
    }
  }

  /** Removes files of days that are too long ago. */
  async function sweep(now: number): Promise<void> {
    const oldest = dayOf(now - KEPT_DAYS * 86_400_000)
    for (const day of await days()) if (day < oldest) await rm(join(folder, fileOf(day)), { force: true })
  }

  async function days(): Promise<string[]> {
    const names = await readdir(folder).catch(() => [])
    return names
      .flatMap((name) => {
        const [, year, month, date] = /^FT_REPORT_(\d\d)(\d\d)(\d\d)\.txt$/.exec(name) ?? []
        return year === undefined ? [] : [`20${year}-${month}-${date}`]
      })
      .sort()
      .reverse()
  }

  async function inFile(day: string): Promise<string[]> {
    const file = join(folder, fileOf(day))
    try {
      if ((await stat(file)).size > LARGEST_FILE) return []
      return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
    } catch {
      return []
    }
  }

  async function settled(): Promise<void> {
    while (writing !== undefined) await writing
  }

  return {
    write(text) {
      const line = { origin: node, at: clock.now(), text: plain(text) }
      log.info({ failover: true }, line.text)
      add(line)
      store
        .operate({ op: 'failover', text: line.text })
        .catch((error: unknown) =>
          log.warn({ error: errorText(error) }, 'a line of the failover log stays with this member'),
        )
    },
    merged(lines) {
      for (const line of lines) if (line.origin !== node) add(line)
    },
    async day(day) {
      await settled()
      const from = startOf(day)
      // Lines of others that came in one piece with a snapshot are in no file; own ones are in both.
      const stored = await store.failover(from, MOST_LINES).catch(() => [])
      const lines = new Set(await inFile(day))
      for (const line of stored) {
        if (line.origin !== node && dayOf(line.at) === day)
          lines.add(lineText({ ...line, text: plain(line.text) }))
      }
      // Stamps have one width, so their order as text is the order of time; what is of one ms stays as it came.
      return [...lines]
        .sort((a, b) => (a.slice(0, 12) < b.slice(0, 12) ? -1 : a.slice(0, 12) > b.slice(0, 12) ? 1 : 0))
        .slice(0, MOST_LINES)
    },
    days,
    settled,
  }
}

/** One line whatever was said. */
const plain = (text: string): string =>
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, LONGEST_TEXT)

const two = (value: number): string => String(value).padStart(2, '0')

/** The local day of a time, as 2026-11-21. @param at ms since 1970 */
export function dayOf(at: number): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** @returns ms since 1970 of the day's first moment here */
const startOf = (day: string): number => new Date(`${day}T00:00:00`).getTime()

const fileOf = (day: string): string => `FT_REPORT_${day.slice(2).replaceAll('-', '')}.txt`

function lineText({ origin, at, text }: FailoverLine): string {
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')} ${origin} ${text}`
}

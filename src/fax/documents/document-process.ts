/**
 * The process in which apart.ts has one document looked at or made ready: gets a job, answers with what came of it, and
 * is ended. It reads and writes files and starts nothing.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { readTiff } from '../tiff.ts'
import type { Paper } from './contract.ts'
import type { DocumentType } from './detect.ts'
import { underHeaders } from './header.ts'
import { type Inspected, inspect } from './inspect.ts'
import { pagePicture } from './picture.ts'
import { prepare } from './prepare.ts'

export type Job =
  | { job: 'inspect'; file: string; pages: number; paper: Paper }
  /** Writes pages or a PDF to `out`. */
  | { job: 'prepare'; file: string; type: DocumentType; paper: Paper; out: string }
  /** How many pages Ghostscript has made. */
  | { job: 'count'; file: string; pages: number }
  /** Page `page` (from 1) of pages, as a PNG. */
  | { job: 'picture'; file: string; page: number; out: string }
  | { job: 'header'; file: string; lines: string; out: string }

export interface Done {
  inspect: Inspected
  prepare:
    | { result: 'pages'; pages: number; resolution: 98 | 196 }
    | { result: 'pdf' | 'foreign' }
    | { result: 'broken'; text: string }
  /** 0: they are not pages that can be sent. */
  count: { pages: number }
  picture: { made: boolean }
  header: { made: boolean }
}

async function perform(job: Job): Promise<Done[Job['job']]> {
  const bytes = await readFile(job.file)
  switch (job.job) {
    case 'inspect':
      return inspect(bytes, job)
    case 'prepare': {
      const prepared = await prepare(bytes, job.type, job.paper)
      if (!('data' in prepared)) return prepared
      const { data, ...rest } = prepared
      await writeFile(job.out, data)
      return rest
    }
    case 'count': {
      const read = readTiff(bytes, { pages: job.pages, rows: 10_000 })
      const sound =
        read.result === 'pages' &&
        read.pages.every(({ width, compression }) => width === 1728 && compression === 4)
      return { pages: sound ? read.pages.length : 0 }
    }
    case 'picture': {
      const made = pagePicture(bytes, job.page)
      if (made) await writeFile(job.out, made)
      return { made: made !== undefined }
    }
    case 'header': {
      const made = underHeaders(bytes, await readFile(job.lines))
      if (made) await writeFile(job.out, made)
      return { made: made !== undefined }
    }
  }
}

process.once('message', (job: Job) => {
  perform(job).then(
    (done) => process.send?.(done),
    () => process.exit(1),
  )
})

/**
 * Received pages as a PDF: made by tiff2pdf (libtiff-tools) in a process of its own whenever somebody wants it, because
 * the TIFF holds everything and a PDF beside it would take the same room again. Rows are taken over as they are coded.
 */
import { execFile } from 'node:child_process'
import { CodedError } from '#core/errors.ts'

const TIME_MS = 60_000
/** More than 500 pages of the densest that modems bring. */
const MOST_BYTES = 64_000_000
const AT_ONCE = 2

let running = 0

/**
 * @param path of a TIFF as received pages are stored
 * @throws CodedError `pdf-not-made`
 */
export async function pdfOf(path: string): Promise<Buffer> {
  if (running >= AT_ONCE)
    throw new CodedError('pdf-not-made', 'too many documents are being made; try again in a moment')
  running += 1
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const settings = {
        encoding: 'buffer',
        timeout: TIME_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MOST_BYTES,
      } as const
      execFile('tiff2pdf', [path], settings, (error, stdout) => {
        if (error === null && stdout.length > 0) resolve(stdout)
        else reject(new CodedError('pdf-not-made', why(error), { cause: error }))
      })
    })
  } finally {
    running -= 1
  }
}

function why(error: Error | null): string {
  if (error !== null && 'code' in error && error.code === 'ENOENT')
    return 'the program tiff2pdf is missing; install libtiff-tools, or fetch the TIFF'
  return 'tiff2pdf made no PDF of the pages; the TIFF has them'
}

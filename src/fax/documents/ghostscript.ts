/**
 * Ghostscript as a process of its own: started by its arguments, never by a shell, with -dSAFER (it may read the one
 * file and write the other), without the capabilities of the service (setpriv of util-linux), and with limits that the
 * kernel keeps (prlimit): address space, processor time, size of what it writes. Use.htm and Devices.htm of Ghostscript 10: -dSAFER, tiffg4, -dAdjustWidth, -dPDFFitPage.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { lower } from './apart.ts'
import type { Paper } from './contract.ts'
import { headerRows } from './header.ts'

export interface GhostscriptLimits {
  /** Of a processor, ms. */
  time: number
  /** Address space, bytes. */
  memory: number
  /** What it may write, bytes. */
  output: number
}

export const ghostscriptLimits: GhostscriptLimits = { time: 120_000, memory: 768e6, output: 100e6 }
/** Counting pages and laying out the first one needs next to nothing of a sound file. */
const countingLimits: GhostscriptLimits = { time: 15_000, memory: 768e6, output: 1e6 }
/** A busy machine gives it a processor now and then only: killed after so many times what it may take of one. */
const PATIENCE = 3
/** Of what it says. */
const MOST_SAID = 16_384
const SIGXCPU_EXIT = 152
/** What the appliance may do to networks and priorities, a document may not. */
const UNPRIVILEGED = ['--ambient-caps', '-all', '--inh-caps', '-all', '--no-new-privs']

export type Ran =
  | { result: 'ended'; said: string }
  /** Time, memory or disk: it asked for more than its limits. */
  | { result: 'exceeded' }
  | { result: 'failed'; said: string }
  /** Ghostscript or a program of util-linux is not installed. */
  | { result: 'missing' }
  | { result: 'stopped' }

export interface Ghostscript {
  /** Whether it can make a page at all. Never rejects. */
  sound(): Promise<boolean>
  /**
   * How many pages a PDF has; it says so after `pages `. The first page is laid out on trial, without ink: what never
   * comes to its end shows there before anybody is told that it was accepted. An error in it decides nothing.
   */
  count(file: string): Promise<Ran>
  /**
   * Pages as a TIFF of Group 4, 1728 dots wide, fitted to the paper.
   * @param form `strict`: the PDF was made here, so that an error in it is an error of the picture within; people's own
   *   PDFs often have some that every reader passes over
   */
  render(
    pdf: string,
    tiff: string,
    form: { paper: Paper; resolution: 98 | 196; mostPages: number; strict: boolean },
  ): Promise<Ran>
  /** The lines above pages, each as a page of its few rows. */
  renderHeader(pdf: string, tiff: string, resolution: 98 | 196): Promise<Ran>
  /** A PDF of a TIFF in colours, by libtiff's tiff2pdf. */
  convertTiff(tiff: string, pdf: string): Promise<Ran>
  /** Ends what runs. */
  stop(): void
}

const common = ['-q', '-dSAFER', '-dBATCH', '-dNOPAUSE', '-dNOPROMPT', '-dNumRenderingThreads=1']

interface Lane {
  /** Never rejects. */
  last: Promise<unknown>
}

export function createGhostscript(limits = ghostscriptLimits): Ghostscript {
  const running = new Set<ChildProcess>()
  let stopped = false
  // Each may take much memory: one that looks and one that makes pages, at a time.
  const looking: Lane = { last: Promise.resolve() }
  const making: Lane = { last: Promise.resolve() }

  function run(
    lane: Lane,
    args: readonly string[],
    bounds: GhostscriptLimits,
    directory: string,
    program = 'gs',
  ): Promise<Ran> {
    const mine = lane.last.then(() => start(program, args, bounds, directory))
    lane.last = mine
    return mine
  }

  function start(
    program: string,
    args: readonly string[],
    bounds: GhostscriptLimits,
    directory: string,
  ): Promise<Ran> {
    if (stopped) return Promise.resolve({ result: 'stopped' })
    const seconds = Math.ceil(bounds.time / 1_000)
    const child = spawn(
      'setpriv',
      [
        ...UNPRIVILEGED,
        'prlimit',
        `--as=${bounds.memory}`,
        `--cpu=${seconds}`,
        `--fsize=${bounds.output}`,
        '--core=0',
        program,
        ...args,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', TMPDIR: directory },
      },
    )
    running.add(child)
    if (child.pid !== undefined) lower(child.pid)
    let said = ''
    let late = false
    const hear = (chunk: Buffer) => {
      if (said.length < MOST_SAID) said += chunk.toString('latin1')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, PATIENCE * bounds.time)
    return new Promise((resolve) => {
      const end = (ran: Ran) => {
        clearTimeout(timer)
        running.delete(child)
        resolve(ran)
      }
      child.once('error', () => end({ result: 'missing' }))
      child.once('close', (code, signal) => {
        if (stopped) end({ result: 'stopped' })
        else if (
          late ||
          signal === 'SIGXCPU' ||
          signal === 'SIGXFSZ' ||
          signal === 'SIGKILL' ||
          code === SIGXCPU_EXIT
        )
          end({ result: 'exceeded' })
        // Both say 127 where the program is not there.
        else if (code === 127) end({ result: 'missing' })
        else if (/VMerror|[Ff]ile too large|out of memory|[Uu]nable to allocate/.test(said))
          end({ result: 'exceeded' })
        else end(code === 0 ? { result: 'ended', said } : { result: 'failed', said })
      })
    })
  }

  /** A percent sign in the name of the output stands for the page's number. */
  const output = (file: string) => `-sOutputFile=${file.replaceAll('%', '%%')}`

  return {
    async sound() {
      const directory = await mkdtemp(join(tmpdir(), 'twinline-')).catch(() => undefined)
      // No place for the trial, on a full disk say, tells nothing of Ghostscript.
      if (directory === undefined) return true
      const page = [
        '-sDEVICE=tiffg4',
        '-r204x98',
        '-g1728x16',
        output(join(directory, 'page')),
        '-c',
        'showpage',
      ]
      const ran = await run(looking, [...common, ...page], countingLimits, directory)
      await rm(directory, { recursive: true, force: true }).catch(() => {})
      return ran.result === 'ended'
    },
    count: (file) =>
      run(
        looking,
        [
          ...common,
          '-sDEVICE=nullpage',
          `--permit-file-read=${file}`,
          `-sIN=${file}`,
          '-c',
          'IN (r) file runpdfbegin (pages ) print pdfpagecount == flush {1 1 dopdfpages} stopped pop quit',
        ],
        { ...countingLimits, time: Math.min(countingLimits.time, limits.time) },
        dirname(file),
      ),
    render: (pdf, tiff, { paper, resolution, mostPages, strict }) =>
      run(
        making,
        [
          ...common,
          '-sDEVICE=tiffg4',
          `-r204x${resolution}`,
          `-sPAPERSIZE=${paper}`,
          '-dFIXEDMEDIA',
          '-dPDFFitPage',
          '-dAdjustWidth=1',
          `-dLastPage=${mostPages}`,
          ...(strict ? ['-dPDFSTOPONERROR'] : []),
          output(tiff),
          pdf,
        ],
        limits,
        dirname(tiff),
      ),
    renderHeader: (pdf, tiff, resolution) =>
      run(
        making,
        [
          ...common,
          '-sDEVICE=tiffg4',
          `-r204x${resolution}`,
          `-g1728x${headerRows(resolution)}`,
          '-dFIXEDMEDIA',
          output(tiff),
          pdf,
        ],
        limits,
        dirname(tiff),
      ),
    convertTiff: (tiff, pdf) => run(making, ['-o', pdf, tiff], limits, dirname(pdf), 'tiff2pdf'),
    stop() {
      stopped = true
      for (const child of running) child.kill('SIGKILL')
    },
  }
}

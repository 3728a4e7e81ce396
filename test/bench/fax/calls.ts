/** Figures of our Class 1 driver alone, at a soft modem: what arrives, how long a call takes, what noise does to it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bench,
  type Driver,
  openBench,
  receiveFax,
  sendFax,
  settings,
} from '../../fax/class1/class1-bench.ts'
import { chart, differences, pagesOf } from '../../fax-modem/pages.ts'
import { type SoftModemOptions, startSoftModem } from '../../fax-modem/soft-modem.ts'
import { quantiles } from '../measure.ts'
import { type FaxBench, inParallel } from './rows.ts'

async function withModem<T>(
  options: Omit<SoftModemOptions, 'directory'>,
  body: (bench: Bench) => Promise<T>,
  own = settings,
): Promise<T> {
  const bench = await openBench(options, own)
  try {
    return await body(bench)
  } finally {
    await bench.stop()
  }
}

/** How many pages of a file are, row for row, those at the same place of the other. */
function identical(sent: string, received: string): number {
  const there = pagesOf(received)
  return pagesOf(sent).filter(({ bits }, n) => there[n]?.bits.equals(bits)).length
}

/** What a call that should have gone well was like. */
function tellTrouble(result: object, { dialogue }: Driver): void {
  process.stderr.write(`${JSON.stringify(result)}\n${dialogue().split('\n').slice(-40).join('\n')}\n`)
}

/** 50 pages out and 50 in over a clean line, with and without error correction. */
export async function pages({ speed, parallel, directory, print }: FaxBench): Promise<void> {
  const folder = directory('pages')
  const perCall = 5
  const calls = 10
  const file = (n: number, compression: string) =>
    chart(join(folder, `${n}-${compression}.tif`), {
      pages: perCall,
      rows: n % 2 === 0 ? 2_200 : 1_100,
      resolution: n % 2 === 0 ? 196 : 98,
      compression,
    })
  const options = (n: number) => ({ speed, ecm: n % 2 === 1, codings: n % 2 === 1 ? 'MMR' : 'MR' }) as const
  const out = await inParallel(calls, parallel, (n) =>
    withModem(options(n), async ({ driver, soft }) => {
      const sent = file(n, 'g4')
      const { result } = await sendFax(driver, sent, perCall)
      const far = await soft.next('far-end')
      const same = identical(sent, far.file ?? '')
      if (same < perCall) tellTrouble({ ...result, differ: differences(sent, far.file ?? '') }, driver)
      return same
    }),
  )
  const into = await inParallel(calls, parallel, (n) =>
    withModem(options(n), async ({ driver, soft, directory: own }) => {
      const sent = file(calls + n, 'g4')
      soft.ring('030', sent)
      const { result, file: received, pages: came } = await receiveFax(driver, own)
      const same = came.length === 0 ? 0 : identical(sent, received)
      if (same < perCall) {
        const differ = came.length === 0 ? [] : differences(sent, received)
        tellTrouble({ ...result, badRows: came.map(({ badRows }) => badRows), differ }, driver)
      }
      return same
    }),
  )
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
  print({
    figure: 'pages row-identical, Class 1',
    value: { sent: sum(out), received: sum(into) },
    unit: `of ${calls * perCall} each`,
    under: { calls: 2 * calls, pagesACall: perCall, speed },
    reach: '50 and 50',
  })
}

/**
 * The page of the comparisons: text like that of the ITU's chart 1, which makes 37.4 KB in MH too, at 204 by 196 dots an
 * inch.
 */
function comparisonPage(folder: string, compression: string): string {
  const text = join(folder, 'page.ps')
  writeFileSync(
    text,
    `%!PS
/Times-Roman findfont 14 scalefont setfont
/y 780 def
13 { 50 y moveto (The quick brown fox jumps over the lazy dog while 0123456789 faxes wait for the line.) show /y y 56 sub def } repeat
showpage
`,
  )
  const plain = join(folder, 'text.tif')
  const device = ['-sDEVICE=tiffg4', '-r204x196', '-g1728x2376', `-sOutputFile=${plain}`]
  execFileSync('gs', ['-q', '-dSAFER', '-dBATCH', '-dNOPAUSE', ...device, text])
  const file = join(folder, `page-${compression.replaceAll(':', '-')}.tif`)
  execFileSync('tiffcp', ['-c', compression, '-f', 'lsb2msb', '-r', '2376', plain, file])
  return file
}

const realTime = { speed: 1, realTimePriority: true } as const

async function ownCall(
  folder: string,
  options: Omit<SoftModemOptions, 'directory'>,
): Promise<{ seconds: number; coding: string; rate: number; identical: boolean }> {
  return withModem({ ...realTime, ...options }, async ({ driver, soft }) => {
    const file = comparisonPage(folder, 'g4')
    const { result } = await sendFax(driver, file, 1)
    const far = await soft.next('far-end')
    const ended = await soft.next('hung-up')
    if (result.result !== 'sent') throw new Error(`the call: ${JSON.stringify(result)}`)
    return {
      seconds: ended.seconds ?? 0,
      coding: far.coding ?? '',
      rate: far.rate ?? 0,
      identical: differences(file, far.file ?? '').length === 0,
    }
  })
}

async function efaxCall(folder: string): Promise<number> {
  const soft = await startSoftModem({ directory: join(folder, 'efax'), ...realTime, codings: 'MH' })
  try {
    const file = comparisonPage(folder, 'g3:1d:fill')
    const args = ['-d', soft.port, '-o', '1', '-h', '', '-t', '5551234', file]
    const child = spawn('efax', args, { stdio: 'ignore', cwd: folder })
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`efax ended with ${status}`)
    const { seconds } = await soft.next('hung-up')
    return seconds ?? 0
  } finally {
    await soft.stop()
  }
}

/** One page at 14400 bit/s, V.17, from CONNECT of the line to hanging up: ours and efax's at the same time. */
export async function callTime({ directory, print }: FaxBench): Promise<void> {
  const folder = directory('call')
  const calls = [
    ownCall(folder, { codings: 'MH' }),
    ownCall(folder, { codings: 'MR' }),
    efaxCall(folder),
  ] as const
  const [plain, two, peer] = await Promise.all(calls)
  const under = ({ coding, rate, identical: same }: Awaited<ReturnType<typeof ownCall>>) => ({
    coding,
    rate,
    rowIdentical: String(same),
  })
  const figure = 'one-page call, real time'
  const reach = `≤ efax in the same run (${peer.toFixed(1)})`
  print({ figure, subject: 'efax 0.9a', value: peer, unit: 's', under: { coding: 'MH', rate: 14400 } })
  print({ figure, value: plain.seconds, unit: 's', under: under(plain), reach })
  print({ figure, value: two.seconds, unit: 's', under: under(two), reach })
}

export async function ecmTime({ directory, print }: FaxBench): Promise<void> {
  const call = await ownCall(directory('ecm'), { ecm: true, codings: 'MMR' })
  print({
    figure: 'one-page call with ECM, real time',
    value: call.seconds,
    unit: 's',
    under: { coding: call.coding, rate: call.rate, rowIdentical: String(call.identical) },
    reach: '≤ 25.9 (HylaFAX)',
  })
}

/** Trainings that fail, and bursts that hit pages and answers: each call is sent and there, or clearly failed. */
export async function noise({ speed, parallel, directory, print }: FaxBench): Promise<void> {
  const folder = directory('noise')
  const count = 20
  const file = chart(join(folder, 'page.tif'), { pages: 2, rows: 1_100, resolution: 98 })
  const ends = await inParallel(count, parallel, (n) =>
    withModem(
      {
        speed,
        ecm: n % 2 === 1,
        codings: n % 4 === 3 ? 'MMR' : 'MR',
        spoilTraining: 1 + (n % 5),
        bursts: n % 2 === 0 ? [] : [{ at: 32 + n, length: 0.4, level: -14 }],
      },
      async ({ driver, soft }) => {
        const begun = performance.now()
        const { result, confirmed } = await sendFax(driver, file, 2)
        const far = await soft.next('far-end')
        return {
          result: result.result,
          confirmed: confirmed.length,
          came: far.received ?? 0,
          ms: performance.now() - begun,
        }
      },
    ),
  )
  const sent = ends.filter(({ result }) => result === 'sent').length
  const clear = ends.filter(({ result }) => result === 'sent' || result === 'failed').length
  const untrue = ends.filter(({ confirmed, came }) => confirmed > came).length
  print({
    figure: 'sends with failed trainings and bursts: completed or clearly failed',
    value: { completed: sent, clear, confirmedButNotReceived: untrue },
    unit: `of ${count}`,
    under: { pages: 2, speed, slowestCallS: Math.round(quantiles(ends.map(({ ms }) => ms)).max / 1_000) },
    reach: '20 clear, 0 untrue',
  })
}

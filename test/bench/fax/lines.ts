/** Figures of a fax line in an appliance, as a process: kill -9, and command turnaround on a busy machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chart, pagesOf } from '../../fax-modem/pages.ts'
import { until } from '../../system/appliance.ts'
import { sendFax } from '../../system/fax-rig.ts'
import { controlSocket, delivery, sent, startBox, withRig } from './rig.ts'
import type { FaxBench } from './rows.ts'

/** kill -9 while page 2 of 5 goes out, and a new start with the same data. */
export async function killed({ directory, print }: FaxBench): Promise<void> {
  const speed = 8
  const rounds = 3
  let resumed = 0
  let repeated = 0
  for (let round = 0; round < rounds; round++) {
    await withRig(directory('killed'), { speed }, async (rig) => {
      const file = chart(join(rig.folder, 'five.tif'), { pages: 5, rows: 1_000 })
      const id = await sendFax(controlSocket(rig), file)
      await until(async () => (await delivery(rig, id))['confirmed'] === 1, 'page 1 is confirmed', 60_000)
      await rig.box.kill('SIGKILL')
      rig.box = await startBox(rig.folder, rig.modem, speed, [])
      const end = await sent(rig, id, 90_000).catch(async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await delivery(rig, id))}`)
      })
      const [first, second] = [await rig.modem.next('far-end'), await rig.modem.next('far-end')]
      const pages = pagesOf(file)
      const came = pagesOf(second.file ?? '')
      const whole =
        first.received === 1 &&
        came.length === 4 &&
        came.every(({ bits }, n) => pages[n + 1]?.bits.equals(bits))
      if (whole && end['attempts'] === 2) resumed += 1
      if ((first.received ?? 0) + (second.received ?? 0) > 5) repeated += 1
    })
  }
  print({
    figure: 'kill -9 during page 2 of 5',
    value: { resumedAtPage2: resumed, repeatedAConfirmedPage: repeated },
    unit: `of ${rounds}`,
    under: { speed },
    reach: `${rounds} and 0`,
  })
}

/** Both cores occupied by programs of ordinary priority. */
function occupyCores(): { stop(): void } {
  const children: ChildProcess[] = cpus().map(() =>
    spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random())'], { stdio: 'ignore' }),
  )
  return {
    stop() {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

/** From a result code of the modem to the first byte of what the line answers with, as the modem sees it. */
export async function turnaround({ directory, print }: FaxBench): Promise<void> {
  await withRig(directory('turnaround'), {}, async (rig) => {
    const file = chart(join(rig.folder, 'page.tif'), { pages: 12, rows: 150, resolution: 98 })
    const load = occupyCores()
    try {
      const id = await sendFax(controlSocket(rig), file)
      await sent(rig, id, 240_000)
    } finally {
      load.stop()
    }
    const ended = await rig.modem.next('hung-up')
    const { answers = 0, answerMedian = 0, answerP99 = 0, answerMax = 0, longestAfterData = 0 } = ended
    print({
      figure: 'command turnaround, all cores busy',
      value: { p50: answerMedian, p99: answerP99, max: answerMax, afterPageWithIntent: longestAfterData },
      unit: 'ms',
      under: {
        commands: answers,
        pages: 12,
        late: rig.modem.events.filter(({ event }) => event === 'late').length,
      },
      reach: 'p99 ≤ 50',
    })
  })
}

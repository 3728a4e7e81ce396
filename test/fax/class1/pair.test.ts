/** Two of our own drivers, each with its modem, at the two ends of one line: what SpanDSP's terminal does not do is tried here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import { chart, differences } from '../../fax-modem/pages.ts'
import { type SoftModemOptions, startSoftModem } from '../../fax-modem/soft-modem.ts'
import { describeWith } from '../../requirements.ts'
import {
  openDriver,
  type ReceiveReport,
  receiveFax,
  type SendReport,
  sendFax,
  settings,
} from './class1-bench.ts'

const SPEED = 25

interface Met {
  out: SendReport
  back: ReceiveReport
  wrong: () => string[]
}

async function meet(
  own: Partial<FaxSettings>,
  soft: Omit<SoftModemOptions, 'directory'>,
  pages: number,
  act: (met: Met) => void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'class1-pair-'))
  const modem = await startSoftModem({ seconds: 3_000, speed: SPEED, pair: true, ...soft, directory })
  const first = await openDriver(modem.port, modem.timing, { ...settings, ...own })
  const second = await openDriver(modem.secondPort, modem.timing, {
    ...settings,
    ...own,
    station: '+1 555 0100',
  })
  try {
    const file = chart(join(directory, 'sent.tif'), { pages, rows: 1100 })
    const [out, back] = await Promise.all([sendFax(first, file, pages), receiveFax(second, directory)])
    act({ out, back, wrong: () => differences(file, back.file) })
  } catch (error) {
    throw new Error(
      `${error}\n${first.dialogue()}\n---\n${second.dialogue()}\n${JSON.stringify(modem.events)}`,
    )
  } finally {
    await first.close()
    await second.close()
    await modem.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

describeWith(['spandsp', 'libtiff-tools'], 'Class 1, both ends ours', () => {
  test.concurrent.each([true, false])('three pages, error correction %s', async (ecm) => {
    await meet({ ecm }, {}, 3, ({ out, back, wrong }) => {
      expect(out.result).toMatchObject({
        result: 'sent',
        facts: { ecm, rate: 14400, station: '+1 555 0100' },
      })
      expect(back.result).toMatchObject({
        result: 'received',
        pages: 3,
        facts: { station: '+49 30 1234567' },
      })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('noise that spoils pages without error correction: what is confirmed was kept', async () => {
    const bursts = [14, 15, 16, 17, 18].map((at) => ({ at, length: 0.25, level: -10 }))
    await meet({ ecm: false }, { bursts }, 2, ({ out, back }) => {
      expect(out.confirmed.length).toBeLessThanOrEqual(back.pages.filter(({ complete }) => complete).length)
      if (out.result.result === 'sent') expect(back.result).toMatchObject({ result: 'received', pages: 2 })
    })
  })

  test.concurrent('noise with error correction: every row is right', async () => {
    const bursts = [14, 17, 20, 23].map((at) => ({ at, length: 0.25, level: -10 }))
    await meet({ ecm: true }, { bursts }, 2, ({ out, back, wrong }) => {
      expect(out.result.result).toBe('sent')
      expect(back.result).toMatchObject({ result: 'received', pages: 2 })
      expect(wrong()).toEqual([])
    })
  })
})

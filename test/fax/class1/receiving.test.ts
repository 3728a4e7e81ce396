/** Calls in, answered by our Class 1 driver: SpanDSP's T.30 terminal sends over SpanDSP's T.31 modem. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import { chart, differences } from '../../fax-modem/pages.ts'
import { describeWith } from '../../requirements.ts'
import { type Bench, openBench, type ReceiveReport, receiveFax, settings } from './class1-bench.ts'

const SPEED = 25

interface Case {
  soft?: Parameters<typeof openBench>[0]
  own?: Partial<FaxSettings>
  pages?: number
  rows?: number
  resolution?: 98 | 196
  mixed?: boolean
  /** Whoever calls talks. */
  voice?: boolean
  signal?: AbortSignal
}

interface Came extends ReceiveReport {
  bench: Bench
  sent: string
  wrong: () => string[]
}

async function receive(
  {
    soft = {},
    own = {},
    pages = 1,
    rows = 1100,
    resolution = 196,
    mixed = false,
    voice = false,
    signal,
  }: Case,
  act: (came: Came) => void | Promise<void>,
  keep: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const bench = await openBench({ speed: SPEED, ...soft }, { ...settings, ...own })
  try {
    const sent = chart(join(bench.directory, 'sent.tif'), { pages, rows, resolution, mixed })
    bench.soft.ring('1234', voice ? '' : sent)
    const report = await receiveFax(bench.driver, bench.directory, signal, keep)
    await act({ ...report, bench, sent, wrong: () => differences(sent, report.file) })
  } catch (error) {
    throw new Error(`${error}\n${bench.driver.dialogue()}\n${JSON.stringify(bench.soft.events)}`)
  } finally {
    await bench.stop()
  }
}

describeWith(['spandsp', 'libtiff-tools'], 'Class 1, receiving', () => {
  test.concurrent.each([
    ['V.17', { maxRate: 14400 }, 14400, 14400],
    ['V.29, the sender can no more', { maxRate: 9600 }, 14400, 9600],
    ['V.29, we want no more', { maxRate: 14400 }, 12000, 9600],
    ['V.27ter', { maxRate: 4800 }, 14400, 4800],
    ['V.27ter at 2400', { maxRate: 14400 }, 2400, 2400],
  ] as const)('%s', async (_, soft, maxRate, rate) => {
    await receive({ soft, own: { maxRate, ecm: false }, rows: 300 }, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'received', pages: 1, facts: { rate, ecm: false } })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent.each([
    ['MH', false],
    ['MR', false],
    ['MR', true],
    ['MMR', true],
  ] as const)('%s, error correction %s, three pages', async (codings, ecm) => {
    await receive({ soft: { codings, ecm }, pages: 3 }, ({ result, pages, wrong }) => {
      expect(result).toMatchObject({ result: 'received', pages: 3, facts: { ecm, coding: codings } })
      expect(
        pages.map(({ number, badRows, complete, rows }) => ({ number, badRows, complete, rows })),
      ).toEqual([0, 1, 2].map((number) => ({ number, badRows: 0, complete: true, rows: 1100 })))
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('five pages of two partial pages each', async () => {
    await receive({ soft: { ecm: true, codings: 'MMR' }, pages: 5, rows: 4400 }, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'received', pages: 5 })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('a page of 98 rows an inch', async () => {
    await receive({ resolution: 98 }, ({ pages, wrong }) => {
      expect(pages.map(({ resolution }) => resolution)).toEqual([98])
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('two trainings that fail', async () => {
    await receive({ soft: { spoilTraining: 2 } }, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'received', pages: 1, facts: { rate: 9600 } })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent.each([true, false])(
    'a gateway that is slow to keep pages, error correction %s',
    async (ecm) => {
      const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 5_000 / SPEED))
      await receive(
        { soft: { ecm }, pages: 2 },
        ({ result, wrong }) => {
          expect(result).toMatchObject({ result: 'received', pages: 2 })
          expect(wrong()).toEqual([])
        },
        slow,
      )
    },
  )

  test.concurrent('a page that cannot be kept is not confirmed', async () => {
    await receive(
      { pages: 2 },
      async ({ result, bench }) => {
        expect(result).toMatchObject({ result: 'partial', pages: 0 })
        expect(await bench.soft.next('hung-up')).toBeDefined()
        expect(bench.soft.events.find(({ event }) => event === 'far-end')).not.toMatchObject({ ok: true })
      },
      () => Promise.reject(new Error('the disk is full')),
    )
  })

  test.concurrent('a page cut off by the line is kept and marked', async () => {
    await receive({ soft: { dropInPage: { page: 1, seconds: 4 } }, pages: 3 }, ({ result, pages }) => {
      expect(result).toMatchObject({ result: 'partial', pages: 2, failure: 'fax-line-dropped' })
      expect(pages.map(({ complete }) => complete)).toEqual([true, false])
      expect(pages[1]?.rows).toBeGreaterThan(100)
    })
  })

  test.concurrent('a page whose carrier is lost for a moment is not taken as far as it came', async () => {
    const bursts = [{ at: 13, length: 0.4, level: -99 }]
    await receive(
      { soft: { bursts, frames: true }, own: { ecm: false }, pages: 2 },
      ({ result, wrong, bench }) => {
        expect(result).toMatchObject({ result: 'received', pages: 2, facts: { rate: 12000 } })
        expect(bench.soft.events.some(({ type }) => type === 'RTN')).toBe(true)
        expect(wrong()).toEqual([])
      },
    )
  })

  test.concurrent.each([true, false])(
    'pages of two resolutions in one call, error correction %s',
    async (ecm) => {
      await receive(
        { soft: { ecm, frames: true }, pages: 3, mixed: true },
        ({ result, pages, wrong, bench }) => {
          expect(result).toMatchObject({ result: 'received', pages: 3, facts: { ecm } })
          expect(pages.map(({ resolution }) => resolution)).toEqual([196, 98, 196])
          expect(bench.soft.events.filter(({ type }) => type === 'DIS').length).toBe(3)
          expect(wrong()).toEqual([])
        },
      )
    },
  )

  test.concurrent('whoever talks is no fax, and the modem is idle again', async () => {
    await receive({ voice: true }, async ({ result, bench, sent }) => {
      expect(result).toMatchObject({ result: 'no-fax' })
      await bench.soft.next('hung-up')
      bench.soft.ring('1234', sent)
      expect((await receiveFax(bench.driver, bench.directory)).result.result).toBe('received')
    })
  })

  test.concurrent('bursts of noise with error correction: every row is right', async () => {
    const bursts = [14, 18, 22].map((at) => ({ at, length: 0.3, level: -12 }))
    await receive({ soft: { ecm: true, codings: 'MMR', bursts }, rows: 2200 }, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'received', pages: 1 })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('ended from here', async () => {
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 800)
    await receive({ pages: 3, signal: ending.signal }, ({ result }) => {
      expect(result).toMatchObject({ result: 'partial' })
    })
  })
})

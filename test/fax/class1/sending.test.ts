/** Calls out by our Class 1 driver: SpanDSP's T.31 modem, and its T.30 terminal at the other end of the line. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import { chart, differences, pagesOf } from '../../fax-modem/pages.ts'
import { describeWith } from '../../requirements.ts'
import { type Bench, openBench, type SendReport, sendFax, settings } from './class1-bench.ts'

const SPEED = 25

interface Case {
  soft?: Parameters<typeof openBench>[0]
  own?: Partial<FaxSettings>
  pages?: number
  rows?: number
  resolution?: 98 | 196
}

interface Sent extends SendReport {
  bench: Bench
  file: string
  /** How the far end's pages differ from ours. */
  wrong: () => string[]
}

async function send(
  { soft = {}, own = {}, pages = 1, rows = 1100, resolution = 196 }: Case,
  events: Parameters<typeof sendFax>[3] = {},
  act: (sent: Sent) => void | Promise<void> = () => {},
): Promise<void> {
  const bench = await openBench({ speed: SPEED, patience: 2, ...soft }, { ...settings, ...own })
  try {
    const file = chart(join(bench.directory, 'sent.tif'), { pages, rows, resolution })
    const report = await sendFax(bench.driver, file, pages, events)
    const wrong = () => differences(file, join(bench.directory, 'call-1.tif'))
    await act({ ...report, bench, file, wrong })
  } catch (error) {
    throw new Error(`${error}\n${bench.driver.dialogue()}\n${JSON.stringify(bench.soft.events)}`)
  } finally {
    await bench.stop()
  }
}

describeWith(['spandsp', 'libtiff-tools'], 'Class 1, sending', () => {
  test.concurrent.each([
    ['V.17 at 14400', {}, 14400, 14400],
    ['V.17 at 12000', {}, 12000, 12000],
    ['V.17 at 9600', {}, 9600, 9600],
    ['V.29 at 9600', { maxRate: 9600 }, 14400, 9600],
    ['V.29 at 7200', { maxRate: 9600 }, 7200, 7200],
    ['V.27ter at 4800', { maxRate: 4800 }, 14400, 4800],
    ['V.27ter at 2400', {}, 2400, 2400],
  ] as const)('%s', async (_, soft, maxRate, rate) => {
    await send({ soft, own: { maxRate, ecm: false }, rows: 300 }, {}, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'sent', facts: { rate, ecm: false } })
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent.each([
    ['MH', false],
    ['MR', false],
    ['MR', true],
    ['MMR', true],
  ] as const)('%s, error correction %s, three pages', async (codings, ecm) => {
    await send({ soft: { codings, ecm }, pages: 3 }, {}, ({ result, wrong, confirmed, intended }) => {
      expect(result).toMatchObject({ result: 'sent', facts: { ecm, coding: codings, rate: 14400 } })
      expect(wrong()).toEqual([])
      expect(confirmed).toEqual([0, 1, 2])
      expect(intended).toEqual(['dial 0', 'post-page 0', 'post-page 1', 'post-page 2'])
    })
  })

  test.concurrent('five pages of two partial pages each', { timeout: 60_000 }, async () => {
    await send({ soft: { ecm: true, codings: 'MMR' }, pages: 5, rows: 4400 }, {}, ({ result, wrong }) => {
      expect(result.result).toBe('sent')
      expect(wrong()).toEqual([])
    })
  })

  test.concurrent('pages of 98 rows an inch, and only those not sent yet', async () => {
    await send({ pages: 3, resolution: 98 }, { from: 2 }, ({ result, confirmed, bench }) => {
      expect(result.result).toBe('sent')
      expect(confirmed).toEqual([2])
      expect(bench.soft.events.filter(({ event }) => event === 'page').length).toBe(1)
    })
  })

  test.concurrent.each([
    ['busy', 'fax-busy'],
    ['no-answer', 'fax-no-answer'],
    ['no-dial-tone', 'fax-no-dial-tone'],
    ['silence', 'fax-no-carrier'],
    ['voice', 'fax-no-carrier'],
  ] as const)('%s', async (outcome, failure) => {
    await send({ soft: { outcomes: [outcome] } }, {}, ({ result, confirmed }) => {
      expect(result).toMatchObject({ result: 'failed', failure, confirmed: 0 })
      expect(confirmed).toEqual([])
    })
  })

  test.concurrent('a machine that prints 98 rows an inch and no rows of two dimensions', async () => {
    const soft = { coarse: true, codings: 'MH' } as const
    await send({ soft, own: { ecm: false }, rows: 301 }, {}, ({ result, bench, file }) => {
      expect(result).toMatchObject({ result: 'sent', facts: { coding: 'MH' } })
      const [page] = pagesOf(file)
      const [came] = pagesOf(join(bench.directory, 'call-1.tif'))
      const bits = page?.bits ?? Buffer.alloc(0)
      // Of two rows one, black where either is.
      const half = Buffer.alloc(151 * 216)
      bits.forEach((byte, at) => {
        const into = Math.floor(at / 432) * 216 + (at % 216)
        half[into] = (half[into] ?? 0) | byte
      })
      expect(came?.bits.equals(half)).toBe(true)
    })
  })

  // On the line: the call without its page takes 12 s, the rows of the chart 6 s or as long as they must.
  test.concurrent.each([
    [5, 12_000, 24_000],
    [40, 26_000, 40_000],
  ] as const)('a machine that needs %i ms for a row', async (rowTime, least, most) => {
    await send({ soft: { rowTime }, rows: 400 }, {}, ({ result, wrong }) => {
      expect(result.result).toBe('sent')
      expect(wrong()).toEqual([])
      expect(result.facts.duration).toBeGreaterThan(least)
      expect(result.facts.duration).toBeLessThan(most)
    })
  })

  test.concurrent('two trainings that fail', async () => {
    await send({ soft: { spoilTraining: 2 } }, {}, ({ result, wrong }) => {
      expect(result).toMatchObject({ result: 'sent', facts: { rate: 9600 } })
      expect(wrong()).toEqual([])
    })
  })

  // After EOP this far end does not take a page again (pitfall 12); after MPS it does.
  test.concurrent('a page refused once comes again', async () => {
    await send({ soft: { refusePages: 1 }, pages: 2 }, {}, ({ result, confirmed }) => {
      expect(result).toMatchObject({ result: 'sent', facts: { rate: 12000 } })
      expect(confirmed).toEqual([0, 1])
    })
  })

  test.concurrent.each([true, false])(
    'a line dropped in the second page, error correction %s',
    async (ecm) => {
      const soft = { ecm, dropInPage: { page: 1, seconds: 3 } }
      await send({ soft, pages: 3 }, {}, ({ result, confirmed }) => {
        expect(result).toMatchObject({ result: 'failed', failure: 'fax-line-dropped', confirmed: 1 })
        expect(confirmed).toEqual([0])
      })
    },
  )

  test.concurrent('the gateway forbids to dial', async () => {
    const reason = { code: 'not-recorded', text: 'no' }
    await send({}, { intend: () => Promise.resolve(reason) }, ({ result, bench }) => {
      expect(result).toEqual({ result: 'stopped', reason, confirmed: 0, facts: {} })
      expect(bench.soft.events.some(({ event }) => event === 'dialled')).toBe(false)
    })
  })

  test.concurrent('the gateway forbids to end the second page', async () => {
    const reason = { code: 'not-recorded', text: 'no' }
    const intend = (page: number, step: string) =>
      Promise.resolve(step === 'post-page' && page === 1 ? reason : undefined)
    await send({ pages: 2 }, { intend }, ({ result, confirmed }) => {
      expect(result).toMatchObject({ result: 'stopped', reason, confirmed: 1 })
      expect(confirmed).toEqual([0])
    })
  })

  test.concurrent('ended from here in the middle of a page, and usable again', async () => {
    const ending = new AbortController()
    const progress = (text: string) => {
      if (text.startsWith('page 2')) setTimeout(() => ending.abort(), 100)
    }
    await send({ pages: 2 }, { progress, signal: ending.signal }, async ({ result, bench, file }) => {
      expect(result).toMatchObject({ result: 'stopped', confirmed: 1 })
      await bench.soft.next('hung-up')
      expect((await sendFax(bench.driver, file, 2)).result.result).toBe('sent')
    })
  })

  test.concurrent('ended from here while it rings', async () => {
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 300)
    await send({ soft: { answerAfter: 60 } }, { signal: ending.signal }, ({ result }) => {
      expect(result).toMatchObject({ result: 'stopped', confirmed: 0 })
    })
  })

  test.concurrent('bursts of noise with error correction: only what was hit is sent again', async () => {
    const bursts = [16, 20, 24].map((at) => ({ at, length: 0.3, level: -12 }))
    await send({ soft: { ecm: true, codings: 'MMR', bursts }, rows: 2200 }, {}, ({ result, wrong }) => {
      expect(result.result).toBe('sent')
      expect(wrong()).toEqual([])
    })
  })
})

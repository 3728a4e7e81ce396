/** The two machines of T.30 against each other: good calls frame by frame, and calls on lines that lose anything. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import { type Fate, Link, type LinkOptions, type LinkReport } from './link.ts'

const plain: FaxSettings = { station: '+49 30 1234567', ecm: false, maxRate: 14400 }
const ecm: FaxSettings = { ...plain, ecm: true }

const call = (options: Partial<LinkOptions> = {}): LinkReport =>
  new Link({ settings: plain, pages: [196], ...options }).run()

describe('calls on a good line', () => {
  test('one page', () => {
    const { log, sent, received, confirmed, kept } = call()
    expect(log).toEqual(['CSI+DIS', 'TSI+DCS', 'TCF', 'CFR', 'page 0', 'EOP', 'MCF', 'DCN'])
    expect(sent).toMatchObject({
      result: 'sent',
      facts: { station: '+49 30 1234567', rate: 14400, ecm: false, coding: 'MR' },
    })
    expect(received).toMatchObject({ result: 'received', pages: 1, facts: { rate: 14400 } })
    expect(confirmed).toEqual([0])
    expect(kept).toEqual([{ page: 0, complete: true }])
  })

  test('a page of another resolution begins with a new DIS', () => {
    const { log, sent } = call({ pages: [196, 196, 98] })
    expect(log.filter((entry) => /MPS|EOM|EOP|DIS|DCS/.test(entry))).toEqual([
      'CSI+DIS',
      'TSI+DCS',
      'MPS',
      'EOM',
      'CSI+DIS',
      'TSI+DCS',
      'EOP',
    ])
    expect(sent.result).toBe('sent')
  })

  test('error correction in partial pages', () => {
    const { log, sent, kept } = call({ settings: ecm, pages: [196, 196], blocks: 2 })
    expect(log.filter((entry) => entry === 'PPS').length).toBe(4)
    expect(sent).toMatchObject({ result: 'sent', facts: { ecm: true, coding: 'MMR' } })
    expect(kept.map(({ page }) => page)).toEqual([0, 1])
  })

  test('error correction is used only where both ends have it', () => {
    expect(call({ settings: ecm, receiver: plain }).sent).toMatchObject({ facts: { ecm: false } })
    expect(call({ settings: plain, receiver: ecm }).sent).toMatchObject({ facts: { ecm: false } })
  })
})

describe('a sender with more pages than one call may bring', () => {
  test.each([plain, ecm])('those are confirmed and kept, and the call ends', (settings) => {
    const { sent, received, confirmed, kept } = call({
      settings,
      receiver: { ...settings, mostPages: 2 },
      pages: [196, 196, 196],
    })
    expect(received).toMatchObject({ result: 'partial', failure: 'fax-protocol', pages: 2 })
    expect(kept).toEqual([
      { page: 0, complete: true },
      { page: 1, complete: true },
    ])
    expect(confirmed).toEqual([0, 1])
    expect(sent).toMatchObject({ result: 'failed', failure: 'fax-page-refused', confirmed: 2 })
  })

  test('that waits for DIS is told', () => {
    const { log, sent } = call({ receiver: { ...plain, mostPages: 1 }, pages: [196, 98] })
    expect(log.slice(-3)).toEqual(['EOM', 'MCF', 'DCN'])
    expect(sent).toMatchObject({ result: 'failed', failure: 'fax-line-dropped', confirmed: 1 })
  })

  test('as many as may come are no problem', () => {
    expect(call({ receiver: { ...plain, mostPages: 2 }, pages: [196, 196] }).received.result).toBe('received')
  })
})

describe('what goes wrong', () => {
  const fates = (...list: (Fate | number)[]): Fate[] =>
    list.flatMap((item) => (typeof item === 'number' ? new Array<Fate>(item).fill('good') : [item]))

  test('a training that fails is tried at the next rate', () => {
    const { sent, log } = call({ fates: fates(2, 'damaged') })
    expect(log).toContain('FTT')
    expect(sent).toMatchObject({ result: 'sent', facts: { rate: 12000 } })
  })

  test('training that never succeeds goes down to 2400 bit/s and is given up', () => {
    // DIS, then DCS, TCF, FTT by turns.
    const all = new Array<Fate>(60).fill('good').map((fate, at) => (at % 3 === 2 ? 'damaged' : fate))
    const { sent, log, received } = call({ fates: all })
    expect(log.filter((entry) => entry === 'FTT').length).toBe(6)
    expect(sent).toMatchObject({ result: 'failed', failure: 'fax-training-failed', confirmed: 0 })
    expect(received).toMatchObject({ result: 'partial', pages: 0 })
  })

  test('a page that came poorly is refused, sent again at a lower rate, and kept once', () => {
    const { sent, log, kept } = call({ fates: fates(4, 'damaged'), pages: [196, 196] })
    expect(log).toContain('RTN')
    expect(sent).toMatchObject({ result: 'sent', facts: { rate: 12000 } })
    expect(kept.map(({ page }) => page)).toEqual([0, 1])
  })

  test('a lost MCF is given again where no page can have gone by, and the page is not kept twice', () => {
    for (const [settings, pages] of [
      [ecm, [196, 196]],
      [plain, [196]],
    ] as const) {
      const { sent, log, kept } = call({ settings, fates: fates(6, 'lost'), pages })
      expect(log.filter((entry) => entry === 'MCF').length).toBe(pages.length + 1)
      expect(log).not.toContain('RTN')
      expect(sent.result).toBe('sent')
      expect(kept.map(({ page }) => page)).toEqual(pages.map((_, page) => page))
    }
  })

  test('where a page may have gone by unheard it is asked for, and one that is known is not kept twice', () => {
    const { sent, log, kept } = call({ fates: fates(6, 'lost'), pages: [196, 196] })
    expect(log.filter((entry) => entry.startsWith('page'))).toEqual(['page 0', 'page 0', 'page 1'])
    expect(sent.result).toBe('sent')
    expect(kept.map(({ page }) => page)).toEqual([0, 1])
  })

  test('a page that was not heard at all is not confirmed by the answer to the one before', () => {
    const { sent, kept, log } = call({ fates: fates(7, 'lost'), pages: [196, 196, 196] })
    expect(log).toContain('RTN')
    expect(sent.result).toBe('sent')
    expect(kept.map(({ page }) => page)).toEqual([0, 1, 2])
  })

  test('a damaged post-page message is asked for again', () => {
    const { sent, log } = call({ fates: fates(5, 'damaged') })
    expect(log).toContain('CRP')
    expect(sent.result).toBe('sent')
  })

  test('frames that were damaged are sent again alone', () => {
    const { sent, log } = call({ settings: ecm, fates: fates(4, 'damaged') })
    expect(log).toContain('page 0 block 0 frames 1,3')
    expect(sent.result).toBe('sent')
  })

  test('after four requests for a partial page it goes on at a lower rate', () => {
    const { sent, log } = call({
      settings: ecm,
      frames: 64,
      fates: fates(4, 'damaged', 2, 'damaged', 2, 'damaged', 2, 'damaged'),
    })
    expect(log).toContain('CTC')
    expect(sent).toMatchObject({ result: 'sent', facts: { rate: 12000 } })
  })

  test('a receiver that needs long to keep a page says so (RNR), or lets the sender ask again', () => {
    for (const settings of [ecm, plain]) {
      const { sent, log, kept } = call({ settings, pages: [196, 196], keeping: 4_000 })
      expect(log.includes('RNR')).toBe(settings.ecm)
      expect(sent.result).toBe('sent')
      expect(kept.map(({ page }) => page)).toEqual([0, 1])
    }
  })

  test('the answer to the last page is lost for good: unknown, and nothing else is', () => {
    expect(call({ fates: fates(6, 'lost', 1, 'lost', 1, 'lost') }).sent.result).toBe('unknown')
    expect(call({ pages: [196, 196], fates: fates(6, 'lost', 1, 'lost', 1, 'lost') }).sent).toMatchObject({
      result: 'failed',
      failure: 'fax-line-dropped',
      confirmed: 0,
    })
  })

  test('a page that may not be ended is not: the call ends in order before it', () => {
    const { sent, log, received } = call({ pages: [196, 196], forbid: (page) => page === 1 })
    expect(sent).toMatchObject({ result: 'stopped', confirmed: 1 })
    expect(log.slice(-2)).toEqual(['page 1', 'DCN'])
    expect(received).toMatchObject({ result: 'partial' })
  })

  test('a machine that never speaks is waited for 35 s', () => {
    const { sent, received } = call({ fates: new Array<Fate>(20).fill('lost') })
    expect(sent).toMatchObject({ result: 'failed', failure: 'fax-no-machine' })
    expect(received.result).toBe('no-fax')
  })

  test('a page cut off is kept and marked', () => {
    const { received, kept } = call({
      fates: fates(4, 'damaged', 'lost', 'lost', 'lost', 'lost', 'lost', 'lost'),
    })
    expect(kept).toEqual([{ page: 0, complete: false }])
    expect(received).toMatchObject({ result: 'partial', pages: 1, failure: 'fax-line-dropped' })
  })
})

describe('lines that lose anything', () => {
  const fate = fc.constantFrom<Fate>('good', 'good', 'good', 'lost', 'damaged')

  test('nothing is confirmed that was not kept, and every call ends', () => {
    fc.assert(
      fc.property(
        fc.record({
          settings: fc.constantFrom(plain, ecm),
          pages: fc.array(fc.constantFrom<98 | 196>(196, 196, 98), { minLength: 1, maxLength: 4 }),
          blocks: fc.integer({ min: 1, max: 3 }),
          frames: fc.integer({ min: 1, max: 9 }),
          fates: fc.array(fate, { minLength: 20, maxLength: 60 }),
          keeping: fc.constantFrom(0, 0, 0, 3_000, 9_000),
        }),
        fc.option(fc.integer({ min: 0, max: 120_000 }), { nil: undefined }),
        (options, cut) => {
          const report = call({ ...options, ...(cut === undefined ? {} : { cut }) })
          const whole = new Set(report.kept.filter(({ complete }) => complete).map(({ page }) => page))
          for (const page of report.confirmed) expect(whole).toContain(page)
          expect(report.confirmed).toEqual(report.confirmed.map((_, at) => at))
          if (report.sent.result === 'sent') expect(report.confirmed.length).toBe(options.pages.length)
          if (report.sent.result === 'unknown') expect(report.confirmed.length).toBe(options.pages.length - 1)
          expect(report.took).toBeLessThan(1_200_000)
        },
      ),
      { numRuns: 3_000 },
    )
  })
})

/** Calls of our Class 2 drivers that go wrong: each ends in the words and with the confirmed pages that it deserves. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openClass2 } from '#fax/class2/class2-modem.ts'
import type { Class2 } from '#fax/class2/dialect.ts'
import type { FaxSettings } from '#fax/contract.ts'
import { chart, differences, pagesOf } from '../../fax-modem/pages.ts'
import type { Outcome, SoftModemOptions } from '../../fax-modem/soft-modem.ts'
import { describeWith } from '../../requirements.ts'
import { type Bench, openBench, receiveFax, sendFax, settings } from '../class1/class1-bench.ts'

let bench: Bench | undefined

afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

const open = async (
  dialect: Class2,
  options: Omit<SoftModemOptions, 'directory' | 'class'> = {},
  own: FaxSettings = settings,
) => {
  bench = await openBench({ class: dialect, speed: 40, ...options }, own, (port) =>
    openClass2(port, own, dialect),
  )
  return bench
}

const page = (directory: string, pages = 1, resolution: 98 | 196 = 98) =>
  chart(join(directory, `page-${pages}-${resolution}.tif`), { pages, resolution, rows: 600 })

describeWith(['spandsp', 'libtiff-tools'], 'a call out that goes wrong', () => {
  test.each<[Class2, Outcome, string]>([
    ['2', 'busy', 'fax-busy'],
    ['2.0', 'no-answer', 'fax-no-answer'],
    ['2', 'no-dial-tone', 'fax-no-dial-tone'],
    ['2.0', 'silence', 'fax-no-machine'],
  ])('Class %s, %s', async (dialect, outcome, failure) => {
    const { directory, driver } = await open(dialect, { outcomes: [outcome] })
    const { result } = await sendFax(driver, page(directory), 1)
    expect(result, driver.dialogue()).toMatchObject({ result: 'failed', failure, confirmed: 0 })
  })

  test.each(['2', '2.0'] as const)('Class %s: a page that is refused once goes again', async (dialect) => {
    const { directory, driver, soft } = await open(dialect, { refusePages: 1 })
    const file = page(directory, 2)
    const { result, confirmed } = await sendFax(driver, file, 2)
    const far = await soft.next('far-end')
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent' })
    expect(confirmed).toEqual([0, 1])
    expect(differences(file, far.file ?? '')).toEqual([])
  })

  test.each(['2', '2.0'] as const)('Class %s: the line is cut in the second page', async (dialect) => {
    const { directory, driver } = await open(dialect, { dropInPage: { page: 1, seconds: 3 } })
    const { result, confirmed } = await sendFax(driver, page(directory, 3), 3)
    expect(result, driver.dialogue()).toMatchObject({
      result: 'failed',
      failure: 'fax-line-dropped',
      confirmed: 1,
    })
    expect(confirmed).toEqual([0])
  })

  test('the last page is sent and the line is cut before its answer: nobody knows', async () => {
    const { directory, driver, soft } = await open('2')
    const { result } = await sendFax(driver, page(directory), 1, {
      intend: async (_, step) => {
        if (step === 'post-page') soft.drop()
        return undefined
      },
    })
    expect(result, driver.dialogue()).toMatchObject({ result: 'unknown', confirmed: 0 })
  })

  test.each(['2', '2.0'] as const)('Class %s: the gateway forbids the end of a page', async (dialect) => {
    const { directory, driver, soft } = await open(dialect)
    const reason = { code: 'stopping', text: 'no' }
    const { result, confirmed } = await sendFax(driver, page(directory, 2), 2, {
      intend: async (at, step) => (step === 'post-page' && at === 1 ? reason : undefined),
    })
    expect(result, driver.dialogue()).toMatchObject({ result: 'stopped', reason, confirmed: 1 })
    expect(confirmed).toEqual([0])
    await soft.next('hung-up')
  })

  test('a training that fails five times ends at a low speed', async () => {
    const { directory, driver } = await open('2', { spoilTraining: 5 })
    const { result } = await sendFax(driver, page(directory), 1)
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent' })
    expect(result.facts.rate).toBeLessThan(9600)
  })

  test.each(['2', '2.0'] as const)('Class %s: more pages than one call may bring', async (dialect) => {
    const { directory, driver, soft } = await open(dialect, {}, { ...settings, mostPages: 1 })
    soft.ring('0301', page(directory, 2))
    const { result, pages } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'partial', failure: 'fax-protocol', pages: 1 })
    expect(pages.map(({ complete }) => complete)).toEqual([true])
    await soft.next('hung-up')
  })

  test('a page with error correction is hit by noise: its frames go again', async () => {
    const bursts = [{ at: 13, length: 0.4, level: -8 }]
    const { directory, driver, soft } = await open('2', { ecm: true, codings: 'MMR', frames: true, bursts })
    const file = page(directory, 1, 196)
    const { result } = await sendFax(driver, file, 1)
    const far = await soft.next('far-end')
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent', facts: { ecm: true } })
    expect(soft.events.some(({ type }) => type === 'PPR')).toBe(true)
    expect(differences(file, far.file ?? '')).toEqual([])
  })

  test('the line is cut in a page with error correction', async () => {
    const dropInPage = { page: 1, seconds: 2 }
    const { directory, driver } = await open('2.0', { ecm: true, codings: 'MMR', dropInPage })
    const { result, confirmed } = await sendFax(driver, page(directory, 3), 3)
    expect(result, driver.dialogue()).toMatchObject({
      result: 'failed',
      failure: 'fax-line-dropped',
      confirmed: 1,
    })
    expect(confirmed).toEqual([0])
  })

  test('a machine that prints 98 rows an inch and no rows of two dimensions', async () => {
    const { directory, driver, soft } = await open('2', { coarse: true, codings: 'MH' })
    const file = chart(join(directory, 'mixed.tif'), { pages: 2, rows: 300, mixed: true })
    const { result } = await sendFax(driver, file, 2)
    const far = await soft.next('far-end')
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent', facts: { coding: 'MH' } })
    expect(far).toMatchObject({ ok: true, received: 2, badRows: 0 })
    expect(pagesOf(far.file ?? '').map(({ bits }) => bits.length / 216)).toEqual([150, 300])
    // Both of its pages are of one kind then: there is nothing to be agreed anew between them.
    expect(driver.dialogue()).toContain('AT+FET=0')
  })

  test.each(['2', '2.0'] as const)(
    'Class %s: pages of two resolutions are two documents of one call',
    async (dialect) => {
      const { directory, driver, soft } = await open(dialect)
      const file = chart(join(directory, 'mixed.tif'), { pages: 2, rows: 600, mixed: true })
      const { result, confirmed } = await sendFax(driver, file, 2)
      const far = await soft.next('far-end')
      expect(result, driver.dialogue()).toMatchObject({ result: 'sent' })
      expect(confirmed).toEqual([0, 1])
      expect(differences(file, far.file ?? '')).toEqual([])
    },
  )
})

describeWith(['spandsp', 'libtiff-tools'], 'a call in that goes wrong', () => {
  test('somebody talks', async () => {
    const { directory, driver, soft } = await open('2')
    soft.ring()
    const { result, pages } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'no-fax' })
    expect(pages).toEqual([])
  })

  test.each(['2', '2.0'] as const)('Class %s: the line is cut in the second page', async (dialect) => {
    const { directory, driver, soft } = await open(dialect, { dropInPage: { page: 1, seconds: 4 } })
    soft.ring('0301', page(directory, 2))
    const { result, pages } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'partial', pages: 2 })
    expect(pages.map(({ complete }) => complete)).toEqual([true, false])
    expect(pages[1]?.rows).toBeGreaterThan(50)
  })

  test.each<[Class2, boolean]>([
    ['2', false],
    ['2.0', true],
  ])('Class %s: pages of two resolutions, error correction %s', async (dialect, ecm) => {
    const { directory, driver, soft } = await open(dialect, { ecm })
    const file = chart(join(directory, 'mixed.tif'), { pages: 3, rows: 600, mixed: true })
    soft.ring('0301', file)
    const { result, pages, file: received } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'received', pages: 3, facts: { ecm } })
    expect(pages.map(({ resolution, complete }) => ({ resolution, complete }))).toEqual(
      ([196, 98, 196] as const).map((resolution) => ({ resolution, complete: true })),
    )
    expect(differences(file, received)).toEqual([])
  })

  test.each(['2', '2.0'] as const)(
    'Class %s: ended from here in the middle of a page, and the modem is free at once',
    async (dialect) => {
      const { directory, driver, soft } = await open(dialect)
      const ending = new AbortController()
      soft.ring('0301', chart(join(directory, 'long.tif'), { resolution: 196, rows: 3_000 }))
      const coming = receiveFax(driver, directory, ending.signal)
      await soft.next('connected')
      // Some 15 s after it was answered the page is under way; it takes half a minute.
      await new Promise<void>((resolve) => soft.timing.after(20_000, resolve))
      ending.abort()
      const { result, pages } = await coming
      expect(result, driver.dialogue()).toMatchObject({ result: 'partial', text: 'the call was ended here' })
      expect(pages.map(({ complete }) => complete)).toEqual([false])
      const { seconds } = await soft.next('hung-up')
      expect(seconds, driver.dialogue()).toBeLessThan(25)
    },
  )

  test('a page with error correction is hit by noise: it comes whole all the same', async () => {
    const bursts = [{ at: 14, length: 0.4, level: -8 }]
    const { directory, driver, soft } = await open('2', { ecm: true, codings: 'MMR', frames: true, bursts })
    const file = page(directory, 1, 196)
    soft.ring('0301', file)
    const { result, pages, file: received } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'received', pages: 1, facts: { ecm: true } })
    expect(soft.events.some(({ type }) => type === 'PPR')).toBe(true)
    expect(pages).toMatchObject([{ badRows: 0, complete: true }])
    expect(differences(file, received)).toEqual([])
  })

  test('the line is cut in a page with error correction: the page before it is kept', async () => {
    const dropInPage = { page: 1, seconds: 14 }
    const { directory, driver, soft } = await open('2.0', { ecm: true, codings: 'MMR', dropInPage })
    soft.ring('0301', chart(join(directory, 'long.tif'), { pages: 2, resolution: 196, rows: 3_000 }))
    const { result, pages } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({ result: 'partial' })
    expect(pages[0]).toMatchObject({ rows: 3_000, badRows: 0, complete: true })
  })
})

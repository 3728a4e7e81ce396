/** Our driver for Class 2 and 2.0 before the soft modem's front end of that class, a fax machine at the other end. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openClass2 } from '#fax/class2/class2-modem.ts'
import type { Class2 } from '#fax/class2/dialect.ts'
import { chart, differences } from '../../fax-modem/pages.ts'
import type { SoftModemEvent, SoftModemOptions } from '../../fax-modem/soft-modem.ts'
import { describeWith } from '../../requirements.ts'
import { type Bench, openBench, receiveFax, sendFax, settings } from '../class1/class1-bench.ts'

const SPEED = 40

let bench: Bench | undefined

afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

const open = async (dialect: Class2, options: Omit<SoftModemOptions, 'directory' | 'class'> = {}) => {
  bench = await openBench({ class: dialect, speed: SPEED, ...options }, settings, (port, own) =>
    openClass2(port, own, dialect),
  )
  return bench
}

const partialPages = (events: readonly SoftModemEvent[]) =>
  events.filter(({ event, type, direction }) => event === 'frame' && type === 'PPS' && direction === 'in')
    .length

const page = (directory: string, pages = 1, resolution: 98 | 196 = 98) =>
  chart(join(directory, `page-${pages}-${resolution}.tif`), { pages, resolution, rows: 1100 })

describeWith(['spandsp', 'libtiff-tools'], 'a call out', () => {
  test.each(['2', '2.0'] as const)('Class %s: three pages arrive row for row', async (dialect) => {
    const { directory, driver, soft } = await open(dialect)
    const file = page(directory, 3)
    const { result, confirmed, intended } = await sendFax(driver, file, 3)
    const far = await soft.next('far-end')
    expect(result, driver.dialogue()).toMatchObject({
      result: 'sent',
      facts: { station: '+49 30 555 1234', rate: 14400, coding: 'MR', ecm: false },
    })
    expect(far).toMatchObject({ ok: true, received: 3, coding: 'MR', badRows: 0, station: settings.station })
    expect(differences(file, far.file ?? '')).toEqual([])
    expect(confirmed).toEqual([0, 1, 2])
    expect(intended).toEqual(['dial 0', 'post-page 0', 'post-page 1', 'post-page 2'])
  })

  test.each<[Class2, 'MH' | 'MR' | 'MMR', number, number]>([
    ['2', 'MMR', 2, 700],
    ['2.0', 'MMR', 2, 500],
    ['2.0', 'MH', 1, 300],
  ])(
    'Class %s with error correction and %s: %i pages arrive row for row',
    async (dialect, coding, pages, rows) => {
      const { directory, driver, soft } = await open(dialect, { ecm: true, codings: coding, frames: true })
      const file = chart(join(directory, 'page.tif'), { pages, resolution: 196, rows })
      const { result, confirmed, intended } = await sendFax(driver, file, pages)
      const far = await soft.next('far-end')
      expect(result, driver.dialogue()).toMatchObject({
        result: 'sent',
        facts: { rate: 14400, coding, ecm: true },
      })
      expect(far).toMatchObject({ ok: true, received: pages, coding, ecm: true, badRows: 0 })
      expect(differences(file, far.file ?? '')).toEqual([])
      const all = Array.from({ length: pages }, (_, n) => n)
      expect(confirmed).toEqual(all)
      expect(intended).toEqual(['dial 0', ...all.map((n) => `post-page ${n}`)])
      // 700 rows of the chart are more than one partial page of this modem.
      if (rows >= 700) expect(partialPages(soft.events)).toBeGreaterThan(pages)
    },
  )

  test('a machine without error correction gets MR from a modem that has MMR', async () => {
    const { directory, driver, soft } = await open('2', { codings: 'MMR' })
    const file = page(directory)
    const { result } = await sendFax(driver, file, 1)
    const far = await soft.next('far-end')
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent', facts: { coding: 'MR', ecm: false } })
    expect(differences(file, far.file ?? '')).toEqual([])
  })
})

describeWith(['spandsp', 'libtiff-tools'], 'a call in', () => {
  test.each(['2', '2.0'] as const)('Class %s: two pages arrive row for row', async (dialect) => {
    const { directory, driver, soft } = await open(dialect)
    const file = page(directory, 2)
    soft.ring('030123456', file)
    const { result, pages, file: received } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({
      result: 'received',
      pages: 2,
      facts: { station: '+49 30 555 1234', rate: 14400 },
    })
    expect(pages.map(({ badRows, complete }) => ({ badRows, complete }))).toEqual([
      { badRows: 0, complete: true },
      { badRows: 0, complete: true },
    ])
    expect(differences(file, received)).toEqual([])
    expect(await soft.next('far-end')).toMatchObject({ ok: true, sent: 2 })
  })

  test.each<[Class2, 'MH' | 'MR' | 'MMR']>([
    ['2', 'MMR'],
    ['2.0', 'MMR'],
    ['2', 'MR'],
  ])('Class %s with error correction and %s: two pages arrive row for row', async (dialect, coding) => {
    const { directory, driver, soft } = await open(dialect, { ecm: true, codings: coding })
    const file = page(directory, 2)
    soft.ring('030123456', file)
    const { result, pages, file: received } = await receiveFax(driver, directory)
    expect(result, driver.dialogue()).toMatchObject({
      result: 'received',
      pages: 2,
      facts: { rate: 14400, coding, ecm: true },
    })
    expect(pages.map(({ badRows, complete }) => ({ badRows, complete }))).toEqual([
      { badRows: 0, complete: true },
      { badRows: 0, complete: true },
    ])
    expect(differences(file, received)).toEqual([])
    expect(await soft.next('far-end')).toMatchObject({ ok: true, sent: 2, ecm: true })
  })
})

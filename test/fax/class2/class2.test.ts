/** Our driver for Class 2 and 2.0 before the soft modem's front end of that class, a fax machine at the other end. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openClass2 } from '#fax/class2/class2-modem.ts'
import type { Class2 } from '#fax/class2/dialect.ts'
import { chart, differences } from '../../fax-modem/pages.ts'
import type { SoftModemOptions } from '../../fax-modem/soft-modem.ts'
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
})

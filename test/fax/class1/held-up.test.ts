/** A program that is held up while a page goes out: the call ends in order, and nothing half-padded counts as sent. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chart } from '../../fax-modem/pages.ts'
import { describeWith } from '../../requirements.ts'
import { openBench, sendFax, settings } from './class1-bench.ts'

/** Nothing else runs in this process meanwhile. */
const holdUp = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describeWith(['spandsp', 'libtiff-tools'], 'Class 1, a program that is held up', () => {
  test.each([true, false])('error correction %s', async (ecm) => {
    const bench = await openBench({ speed: 15, ecm }, { ...settings, ecm })
    try {
      const file = chart(join(bench.directory, 'sent.tif'))
      const progress = (text: string) => {
        if (text.startsWith('page 1')) setTimeout(() => holdUp(3_000), 500)
      }
      const { result, confirmed } = await sendFax(bench.driver, file, 1, { progress })
      expect(result).toMatchObject({ result: 'failed', failure: 'fax-too-slow', confirmed: 0 })
      expect(confirmed).toEqual([])
      expect(await bench.soft.next('hung-up')).toBeDefined()
      expect(bench.soft.events.some(({ event }) => event === 'page')).toBe(false)
      // The modem is usable at once.
      const short = chart(join(bench.directory, 'short.tif'), { rows: 100 })
      expect((await sendFax(bench.driver, short, 1)).result.result).toBe('sent')
    } catch (error) {
      throw new Error(`${error}\n${bench.driver.dialogue()}\n${JSON.stringify(bench.soft.events)}`)
    } finally {
      await bench.stop()
    }
  })
})

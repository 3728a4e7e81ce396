/** The simulated modems of the benchmarks: one message by hand over a real pty, and the record of it. */
import { createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith } from '../requirements.ts'
import { startModems } from './modems.ts'

describeWith(['socat'], 'modems of a benchmark', () => {
  test('hold what they saw, with times in order, and leave nothing behind', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'twinline-modems-'))
    const modems = await startModems(directory, 2, { network: '30', reports: 'none' })
    try {
      expect(modems.ports).toEqual([join(directory, 'line0'), join(directory, 'line1')])
      const port = openSync(join(directory, 'line1'), 'r+')
      const stream = createReadStream('', { fd: port })
      let heard = ''
      const hear = async (wanted: string) => {
        for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
          heard += chunk
          if (heard.includes(wanted)) return
        }
      }
      writeSync(port, 'AT+CMGF=0\r')
      await hear('OK')
      writeSync(port, 'AT+CMGS=17\r')
      await hear('> ')
      writeSync(port, '0001000A919451010000000005E8329BFD06\x1a')
      await hear('+CMGS: ')
      const { record, violations } = await modems.record()
      expect(violations).toEqual([])
      expect(await modems.count()).toBe(1)
      const [one] = record
      expect(one).toMatchObject({ modem: 'line1', text: 'hello' })
      const { commandAt = 0, promptAt = 0, endAt = 0, answeredAt = 0 } = one ?? {}
      expect([commandAt, promptAt, endAt, answeredAt].toSorted((a, b) => a - b)).toEqual([
        commandAt,
        promptAt,
        endAt,
        answeredAt,
      ])
      expect((answeredAt - endAt) / 1e6).toBeGreaterThanOrEqual(29)
      stream.destroy()
    } finally {
      await modems.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

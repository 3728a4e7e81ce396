/**
 * The process of a line is stopped while a page goes out, in real time before a modem that drains: half a second is
 * survived, since so much is with the modem, and after a longer stop no half row counts as sent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { chart, differences } from '../fax-modem/pages.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { realTimePriority } from '../system/fax-rig.ts'
import { type Heard, startLine, transmission } from './line-rig.ts'

/** What the modem is sure to hold, ms. */
const HELD_MS = 500

/** One call of one page, stopped twice in it. @param look `longest`: how long the longest stop came to be, ms */
async function stopped(
  ms: number,
  ecm: boolean,
  look: (end: {
    outcome: { result: string; reason?: { code: string }; progress: { confirmed: number } }
    longest: number
    wrong: () => string[]
    events: readonly { event: string }[]
  }) => void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stopped-'))
  const heard: Heard = { said: [], pages: [], results: [] }
  // Some 10 s on the line in MH, 5 s in MMR.
  const file = chart(join(directory, 'page.tif'), { rows: 650 })
  const soft = { ecm, codings: ecm ? 'MMR' : 'MH' } as const
  const { modem, line } = await startLine({
    directory,
    file: () => file,
    heard,
    soft,
    line: { ecm },
    silence: 20_000,
    speed: 1,
  })
  try {
    const sending = line.transmit(transmission(heard.said, 1))
    await until(async () => /^page 1/.test(line.status().fax?.progress ?? ''), 'the page goes out', 40_000)
    let longest = 0
    for (let turn = 0; turn < 2; turn++) {
      await pause(1_000 + turn * 170)
      const pid = line.pid() ?? 0
      const from = performance.now()
      process.kill(pid, 'SIGSTOP')
      await pause(ms)
      process.kill(pid, 'SIGCONT')
      longest = Math.max(longest, performance.now() - from)
    }
    const outcome = await sending
    await modem.next('hung-up')
    const far = modem.events.find(({ event }) => event === 'far-end')
    look({ outcome, longest, wrong: () => differences(file, far?.file ?? ''), events: modem.events })
    await until(async () => line.free(), 'the line is free', 20_000)
  } finally {
    await line.stop()
    await modem.stop()
    rmSync(directory, { recursive: true })
  }
}

describeWith(
  ['spandsp', 'libtiff-tools'],
  'the process of a fax line is stopped while a page goes out',
  () => {
    const timeout = 90_000

    test.concurrent.each([true, false])(
      'for less than half a second, error correction %s',
      { timeout },
      (ecm) =>
        stopped(350, ecm, ({ outcome, longest, wrong, events }) => {
          // A machine that is busy may stop it for longer than was asked.
          const late = events.some(({ event }) => event === 'late')
          if (outcome.result !== 'accepted' && (longest > HELD_MS || late || !realTimePriority))
            return expect(outcome).toMatchObject({
              reason: { code: 'fax-too-slow' },
              progress: { confirmed: 0 },
            })
          expect(outcome).toMatchObject({ result: 'accepted', progress: { confirmed: 1 } })
          expect(wrong()).toEqual([])
        }),
    )

    test.concurrent.each([true, false])('for three seconds, error correction %s', { timeout }, (ecm) =>
      stopped(3_000, ecm, ({ outcome, events }) => {
        expect(outcome).toMatchObject({ reason: { code: 'fax-too-slow' }, progress: { confirmed: 0 } })
        expect(events.some(({ event }) => event === 'page')).toBe(false)
      }),
    )
  },
)

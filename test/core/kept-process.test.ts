/** The process that the gateway keeps: real ones, which say who they are and take their time to end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeptProcess } from '#core/kept-process.ts'
import { silent } from '#core/log.ts'

/** Says `up`, and ends a while after it was told to. */
const program = `
import { Socket } from 'node:net'
const channel = new Socket({ fd: 3, readable: true, writable: true })
channel.setEncoding('utf8')
channel.on('data', (text) => {
  if (text.includes('crash')) process.exit(3)
  if (text.includes('stop')) setTimeout(() => process.exit(0), 200)
})
channel.on('end', () => process.exit(0))
channel.write('"up"\\n')
`

let directory = ''
let kept: KeptProcess<string, string> | undefined
const happened: string[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kept-'))
  writeFileSync(join(directory, 'main.mjs'), program)
  happened.length = 0
})
afterEach(async () => {
  await kept?.stop('stop')
  rmSync(directory, { recursive: true })
})

function keep(): KeptProcess<string, string> {
  kept = new KeptProcess<string, string>(
    {
      name: 'the process',
      unhurried: 'it may be late',
      command: 'run',
      main: join(directory, 'main.mjs'),
      node: [],
      detached: false,
      priority: 1,
      limits: { longestLine: 1_000, mostWaiting: 1_000 },
      longestRestart: 100,
      sound: 60_000,
      patience: 5_000,
      log: silent,
    },
    {
      begun: () => happened.push('begun'),
      take: (message) => happened.push(message),
      cut: () => {},
      gone: () => happened.push('gone'),
    },
  )
  return kept
}

const until = (...events: string[]) => expect.poll(() => happened, { timeout: 20_000 }).toEqual(events)

test('one that is started again while it still ends begins when the one before is gone', async () => {
  const one = keep()
  one.start()
  await until('begun', 'up')
  const stopped = one.stop('stop')
  one.start()
  await stopped
  await until('begun', 'up', 'gone', 'begun', 'up')
})

test('one that ends by itself is started again, and one that was stopped is not', async () => {
  const one = keep()
  one.start()
  await until('begun', 'up')
  one.tell('crash')
  await until('begun', 'up', 'gone', 'begun', 'up')
  await one.stop('stop')
  expect(one.pid).toBeUndefined()
  expect(happened).toEqual(['begun', 'up', 'gone', 'begun', 'up', 'gone'])
})

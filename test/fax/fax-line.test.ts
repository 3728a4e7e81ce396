/** A fax line with its process over the soft modem: what dispatch gets of a call, and what becomes of a lost process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FaxLineConfig } from '#config/types.ts'
import type { FaxLine } from '#fax/fax-line.ts'
import { chart, differences } from '../fax-modem/pages.ts'
import type { SoftModem, SoftModemOptions } from '../fax-modem/soft-modem.ts'
import { describeWith } from '../requirements.ts'
import { answer, type Heard, startLine, transmission as transmissionOf } from './line-rig.ts'

let directory = ''
let modem: SoftModem
let line: FaxLine
let file = ''
let said: string[] = []
/** What the line does while pages are made. */
let making: string | undefined
let received: Pick<Heard, 'pages' | 'results'>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fax-line-'))
  said = []
  received = { pages: [], results: [] }
})
afterEach(async () => {
  await line.stop()
  await modem.stop()
  rmSync(directory, { recursive: true })
})

async function start(
  soft: Partial<SoftModemOptions> = {},
  more: Partial<FaxLineConfig> = {},
  silence = 10_000,
): Promise<void> {
  const heard = { said, ...received }
  const made = () => {
    making = line.status().fax?.progress
    return file
  }
  const started = await startLine({ directory, file: made, heard, soft, line: more, silence })
  modem = started.modem
  line = started.line
}

const transmission = (pages: number) => transmissionOf(said, pages)

describeWith(['spandsp', 'libtiff-tools'], 'a fax line', () => {
  test('sends pages row for row, with each step told before it is taken', { timeout: 60_000 }, async () => {
    file = chart(join(directory, 'two.tif'), { pages: 2, rows: 300 })
    await start()
    expect(line.status()).toMatchObject({ kind: 'fax', fax: { class: '1' }, busy: false })
    expect(line.free()).toBe(true)
    const sending = line.transmit(transmission(2))
    expect(line.free()).toBe(false)
    expect(await sending).toEqual({ result: 'accepted', progress: { confirmed: 2 } })
    expect(said).toEqual([
      'ready',
      'intend 0 dial',
      'intend 0 post-page',
      'confirmed 0',
      'intend 1 post-page',
      'accepted',
    ])
    expect(making).toBe('making pages of the document')
    expect(await modem.next('dialled')).toMatchObject({ number: '0,030555' })
    const end = await modem.next('far-end')
    expect(end).toMatchObject({ ok: true, received: 2, station: '+49 30 1' })
    expect(differences(file, end.file ?? '')).toEqual([])
    expect(line.free()).toBe(true)
    await expect.poll(() => line.dialogue?.().length ?? 0).toBeGreaterThan(10)
  })

  test.each(['2', '2.0'] as const)('over a modem of Class %s', { timeout: 60_000 }, async (cls) => {
    file = chart(join(directory, 'one.tif'), { pages: 1, rows: 300 })
    await start({ class: cls })
    expect(line.status()).toMatchObject({ fax: { class: cls } })
    expect(await line.transmit(transmission(1))).toEqual({ result: 'accepted', progress: { confirmed: 1 } })
    const end = await modem.next('far-end')
    expect(differences(file, end.file ?? '')).toEqual([])
  })

  test('a process that dies in a call: the line comes back, and the page is not confirmed', {
    timeout: 60_000,
  }, async () => {
    file = chart(join(directory, 'long.tif'), { pages: 2, rows: 2_000 })
    await start()
    const before = line.pid()
    const sending = line.transmit(transmission(2))
    await modem.next('connected')
    process.kill(before ?? 0, 'SIGKILL')
    expect(await sending).toMatchObject({
      result: 'refused',
      scope: 'line',
      reason: { code: 'fax-modem' },
      progress: { confirmed: 0 },
    })
    expect(said).toContain('down fax-process-gone')
    await expect
      .poll(() => line.status(), { timeout: 30_000 })
      .toMatchObject({ state: 'ready', recoveries: 1 })
    expect(line.pid()).not.toBe(before)
    // The modem did not notice: its call is ended before the line is used anew.
    await modem.next('hung-up', 5_000)
  })

  test('a process that hangs is killed and replaced', { timeout: 60_000 }, async () => {
    await start({}, {}, 5_000)
    const before = line.pid() ?? 0
    process.kill(before, 'SIGSTOP')
    await expect.poll(() => said, { timeout: 30_000 }).toContain('down fax-process-gone')
    await expect.poll(() => line.pid() !== before && line.status().state, { timeout: 30_000 }).toBe('ready')
  })

  test('busy, and a number that nobody may be called at now', { timeout: 60_000 }, async () => {
    file = chart(join(directory, 'one.tif'), { pages: 1, rows: 100 })
    const night = { from: 0, until: 1_439, zone: 'UTC', except: 1 }
    await start({ outcomes: ['busy'] })
    expect(await line.transmit(transmission(1))).toMatchObject({
      result: 'refused',
      scope: 'number',
      reason: { code: 'fax-busy' },
      again: { pause: 180_000, counts: false },
    })
    expect(line.free()).toBe(true)
    await line.stop()
    await modem.stop()
    said = []
    await start({}, { doNotDial: [night, { ...night, from: 1_439, until: 1 }] })
    expect(await line.transmit(transmission(1))).toMatchObject({
      result: 'notSent',
      reason: { code: 'do-not-dial' },
    })
    expect(said).toEqual(['ready'])
  })

  test('switched off it lets go of its modem, and takes it again', { timeout: 60_000 }, async () => {
    await start()
    line.disable()
    await expect.poll(() => line.status().state).toBe('disabled')
    expect(line.free()).toBe(false)
    await expect.poll(() => line.pid(), { timeout: 20_000 }).toBeUndefined()
    line.enable()
    await expect.poll(() => line.free(), { timeout: 30_000 }).toBe(true)
    expect(said).toEqual(['ready', 'down disabled', 'ready'])
    expect(line.status()).toMatchObject({ state: 'ready', fax: { class: '1' } })
  })

  test('switched off and on again while a fax comes in: all of it comes, and the line stays', {
    timeout: 60_000,
  }, async () => {
    file = chart(join(directory, 'in.tif'), { pages: 2, rows: 1_500 })
    await start()
    modem.ring('0301234', file)
    await expect.poll(() => received.pages.length, { timeout: 30_000 }).toBe(1)
    line.disable()
    await expect.poll(() => said).toContain('down disabled')
    line.enable()
    await expect
      .poll(() => received.results, { timeout: 30_000 })
      .toMatchObject([{ result: 'received', pages: 2 }])
    await expect.poll(() => line.free(), { timeout: 30_000 }).toBe(true)
  })

  test('a page that is cut off by the line is kept, and marked', { timeout: 60_000 }, async () => {
    file = chart(join(directory, 'in.tif'), { pages: 2, rows: 1_500 })
    await start()
    modem.ring('0301234', file)
    await expect.poll(() => received.pages.length, { timeout: 30_000 }).toBe(1)
    // In the middle of the second page.
    await expect.poll(() => line.status().fax?.progress ?? '', { timeout: 20_000 }).toMatch(/page 2/)
    await new Promise((resolve) => setTimeout(resolve, 800))
    modem.drop()
    await expect
      .poll(() => received.results, { timeout: 30_000 })
      .toMatchObject([{ result: 'partial', pages: 2 }])
    expect(received.pages).toMatchObject([
      { number: 0, rows: 1_500, complete: true },
      { number: 1, complete: false },
    ])
    expect(received.pages[1]?.rows).toBeLessThan(1_500)
    await expect.poll(() => line.free(), { timeout: 20_000 }).toBe(true)
  })

  test('a call may take so long and bring so many pages: what came is kept, and the line is free', {
    timeout: 90_000,
  }, async () => {
    file = chart(join(directory, 'in.tif'), { pages: 3, rows: 1_500 })
    // 11 s until the first page, and that page is not over before 20 s.
    await start({}, { answer: { ...answer, maxDuration: 17_000 } })
    modem.ring('0301234', file)
    await expect
      .poll(() => received.results, { timeout: 40_000 })
      .toMatchObject([{ result: 'partial', text: expect.stringContaining('took longer') }])
    expect(received.pages).toMatchObject([{ number: 0, complete: false }])
    await expect.poll(() => line.free(), { timeout: 20_000 }).toBe(true)
    await line.stop()
    await modem.stop()
    received = { pages: [], results: [] }
    await start({}, { answer: { ...answer, maxPages: 1 } })
    modem.ring('0301234', file)
    await expect
      .poll(() => received.results, { timeout: 40_000 })
      .toMatchObject([
        {
          result: 'partial',
          pages: 1,
          text: expect.stringContaining('more pages than one call may bring (1)'),
        },
      ])
    expect(received.pages).toMatchObject([{ number: 0, rows: 1_500, complete: true }])
    await expect.poll(() => line.free(), { timeout: 20_000 }).toBe(true)
  })

  test('switched off while a fax comes in: it is brought to its end first', { timeout: 60_000 }, async () => {
    file = chart(join(directory, 'in.tif'), { pages: 2, rows: 300 })
    await start({ send: file })
    modem.ring('0301234', file)
    await expect.poll(() => received.pages.length, { timeout: 40_000 }).toBe(1)
    line.disable()
    await expect
      .poll(() => received.results, { timeout: 40_000 })
      .toMatchObject([{ result: 'received', pages: 2 }])
    await expect.poll(() => line.pid(), { timeout: 20_000 }).toBe(undefined)
  })

  test('a caller that is no fax machine: the line is idle again', { timeout: 60_000 }, async () => {
    await start()
    // Without a document the far end talks.
    modem.ring('0301234')
    await expect.poll(() => received.results, { timeout: 40_000 }).toMatchObject([{ result: 'no-fax' }])
    await expect.poll(() => line.free(), { timeout: 20_000 }).toBe(true)
  })

  test('answers after two rings, hands in the pages, and is free again', { timeout: 60_000 }, async () => {
    file = chart(join(directory, 'in.tif'), { pages: 2, rows: 300 })
    await start({ send: file })
    modem.ring('0301234', file)
    await expect
      .poll(() => received.results, { timeout: 40_000 })
      .toMatchObject([{ result: 'received', pages: 2 }])
    expect(received.pages).toMatchObject([
      { number: 0, width: 1728, complete: true, badRows: 0 },
      { number: 1, rows: 300, complete: true, badRows: 0 },
    ])
    await expect.poll(() => line.free(), { timeout: 20_000 }).toBe(true)
  })
})

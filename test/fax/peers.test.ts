/**
 * Other people's programs. sendfax (mgetty) and efax before the Class 2 front end of the soft modem show that it is one;
 * efax at the other end of the line, in both directions, shows that our Class 1 driver talks to more than SpanDSP.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { chart, differences, pagesOf } from '../fax-modem/pages.ts'
import type { SoftModemOptions } from '../fax-modem/soft-modem.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { type Bench, openBench, receiveFax, sendFax, settings } from './class1/class1-bench.ts'

const SPEED = 30

let bench: Bench | undefined

afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

const open = async (options: Omit<SoftModemOptions, 'directory'>) => {
  bench = await openBench({ speed: SPEED, ...options }, settings)
  return bench
}

/** A program with what it says in a file. @returns its exit status and its words */
async function run(
  directory: string,
  program: string,
  args: string[],
): Promise<{ status: number; said: string }> {
  const output = openSync(saidIn(directory, program), 'w')
  const child = spawn(program, args, { stdio: ['ignore', output, output], cwd: directory })
  closeSync(output)
  const [status] = await once(child, 'exit')
  return { status, said: saidBy(directory, program) }
}

const saidIn = (directory: string, program: string) => join(directory, `${basename(program)}.txt`)
const saidBy = (directory: string, program: string) => readFileSync(saidIn(directory, program), 'utf8')

/** efax that is late on the line confirms pages that it did not hear: the line waits for it. */
const patience = 1.5
const timeout = 60_000

const efax = (directory: string, port: string, fclass: '1' | '2' | '0', args: string[]) =>
  run(directory, 'efax', ['-d', port, '-o', fclass, '-l', '+49 30 777', '-h', '', ...args])

/** What efax received: one file a page. */
function joined(directory: string, pages: number): string {
  const file = join(directory, 'in.tif')
  const parts = Array.from({ length: pages }, (_, n) => join(directory, `in.00${n + 1}`))
  execFileSync('tiffcp', [...parts, file], { stdio: 'ignore' })
  return file
}

/** A page as sendfax takes it. */
function g3(directory: string, file: string): string {
  const [page] = pagesOf(file)
  if (!page) throw new Error('no page')
  const plain = join(directory, 'page.pbm')
  writeFileSync(plain, Buffer.concat([Buffer.from(`P4\n1728 ${page.bits.length / 216}\n`), page.bits]))
  const coded = join(directory, 'page.g3')
  writeFileSync(coded, execFileSync('pbm2g3', [plain], { maxBuffer: 1 << 24 }))
  return coded
}

describeWith(['spandsp', 'libtiff-tools', 'sendfax'], 'sendfax of mgetty', () => {
  test.each([
    ['2', 'cls2'],
    ['2.0', 'c2.0'],
  ] as const)('sends through the front end of Class %s', async (dialect, option) => {
    const { directory, soft, driver } = await open({ class: dialect })
    await driver.close()
    const file = chart(join(directory, 'page.tif'), { rows: 800 })
    const line = soft.port.replace('/dev/', '')
    const coded = g3(directory, file)
    const sent = await run(directory, '/usr/sbin/sendfax', [
      '-v',
      '-l',
      line,
      '-C',
      option,
      '5551234',
      coded,
      coded,
    ])
    const far = await soft.next('far-end')
    expect(sent.status, sent.said).toBe(0)
    expect(far).toMatchObject({ ok: true, received: 2, coding: 'MH', badRows: 0 })
    const twice = join(directory, 'twice.tif')
    execFileSync('tiffcp', [file, file, twice])
    expect(differences(twice, far.file ?? '')).toEqual([])
  })
})

describeWith(['spandsp', 'libtiff-tools', 'efax'], 'efax', () => {
  test('sends through the front end of Class 2', { timeout }, async () => {
    // Not faster: efax divides by the whole seconds that a page took.
    const { directory, soft, driver } = await open({ class: '2', speed: 8, patience })
    await driver.close()
    const file = chart(join(directory, 'page.tif'), { rows: 1600, compression: 'g3:1d:fill' })
    const sent = await efax(directory, soft.port, '2', ['-t', '5551234', file])
    const far = await soft.next('far-end')
    expect(sent.status, sent.said).toBe(0)
    expect(far).toMatchObject({ ok: true, received: 1, station: '+49 30 777' })
    expect(differences(file, far.file ?? '', 'framed')).toEqual([])
  })

  test('receives through the front end of Class 2.0', { timeout }, async () => {
    const { directory, soft, driver } = await open({ class: '2.0', patience })
    await driver.close()
    const file = chart(join(directory, 'page.tif'), { rows: 800, pages: 2 })
    soft.ring('030', file)
    const received = await efax(directory, soft.port, '0', ['-r', join(directory, 'in')])
    expect(received.status, received.said).toBe(0)
    expect(differences(file, joined(directory, 2))).toEqual([])
  })

  test('receives what our Class 1 driver sends', { timeout }, async () => {
    const { directory, soft, driver } = await open({ pair: true, patience })
    const file = chart(join(directory, 'page.tif'), { rows: 1100, pages: 2 })
    const receiving = efax(directory, soft.secondPort, '1', ['-w', '-i', 'S0=1', '-r', join(directory, 'in')])
    // A ring before it has set up its modem is none to it.
    await until(() => /waiting for activity/.test(saidBy(directory, 'efax')), 'efax waits for a call')
    const { result } = await sendFax(driver, file, 2)
    const received = await receiving
    expect(result, driver.dialogue()).toMatchObject({ result: 'sent', facts: { station: '+49 30 777' } })
    expect(received.status, received.said).toBe(0)
    expect(differences(file, joined(directory, 2))).toEqual([])
  })

  test('sends what our Class 1 driver receives', { timeout }, async () => {
    const { directory, soft, driver } = await open({ pair: true, patience })
    const file = chart(join(directory, 'page.tif'), { rows: 1100, compression: 'g3:1d:fill' })
    const sending = efax(directory, soft.secondPort, '1', ['-t', '5551234', file, file])
    const { result, file: received } = await receiveFax(driver, directory)
    const sent = await sending
    expect(result, driver.dialogue()).toMatchObject({
      result: 'received',
      pages: 2,
      facts: { station: '+49 30 777' },
    })
    expect(sent.status, sent.said).toBe(0)
    const twice = join(directory, 'twice.tif')
    execFileSync('tiffcp', [file, file, twice])
    expect(differences(twice, received, 'framed')).toEqual([])
  })
})

/** The soft fax modem itself, with Debian's efax as the program on its pty. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith } from '../requirements.ts'
import { chart, differences } from './pages.ts'
import { type SoftModem, type SoftModemOptions, startSoftModem } from './soft-modem.ts'

let directory: string
let modem: SoftModem | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'soft-modem-'))
})

afterEach(async () => {
  await modem?.stop()
  rmSync(directory, { recursive: true })
})

async function start(options: Omit<SoftModemOptions, 'directory'> = {}): Promise<SoftModem> {
  modem = await startSoftModem({ directory, speed: 25, ...options })
  return modem
}

/** @returns efax's exit status: 0 sent, 1 busy, 2 other trouble, 3 the modem's */
async function efax(port: string, ...args: string[]): Promise<number | null> {
  const child = spawn('efax', ['-d', port, '-o', '1', '-h', '', ...args], { stdio: 'ignore', cwd: directory })
  const [status] = await once(child, 'exit')
  return status
}

describeWith(['spandsp', 'efax', 'libtiff-tools'], 'soft fax modem', () => {
  test('a page by efax arrives row for row', async () => {
    const file = chart(join(directory, 'page.tif'), { pages: 1, compression: 'g3:1d:fill' })
    const { port, next } = await start()
    expect(await efax(port, '-t', '5551234', file)).toBe(0)
    expect(await next('dialled')).toMatchObject({ number: '5551234', outcome: 'answer' })
    const end = await next('far-end')
    expect(end).toMatchObject({ ok: true, received: 1, rate: 14400, ecm: false, coding: 'MH', badRows: 0 })
    // efax puts rows above and below, for a header that it was told not to print.
    expect(differences(file, end.file ?? '', 'framed')).toEqual([])
  })

  test('busy, and a training that fails twice before it holds', async () => {
    const file = chart(join(directory, 'page.tif'), { pages: 1, compression: 'g3:1d:fill' })
    const { port, next } = await start({ outcomes: ['busy', 'answer'], spoilTraining: 2 })
    expect(await efax(port, '-t', '1', file)).toBe(1)
    expect(await efax(port, '-t', '1', file)).toBe(0)
    expect(await next('far-end')).toMatchObject({ call: 2, ok: true, received: 1, rate: 9600 })
  })

  test('it rings, and the far end sends', async () => {
    const file = chart(join(directory, 'page.tif'), { pages: 2 })
    const { port, next, ring } = await start({ send: file })
    ring()
    expect(await efax(port, '-r', join(directory, 'in'))).toBe(0)
    expect(await next('far-end')).toMatchObject({ ok: true, sent: 2 })
    const received = join(directory, 'in.tif')
    execFileSync('tiffcp', [join(directory, 'in.001'), join(directory, 'in.002'), received])
    expect(differences(file, received)).toEqual([])
  })
})

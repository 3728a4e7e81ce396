/** What Class 2 modems may say at the end of a page: nothing counts as sent or received that was not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openClass2 } from '#fax/class2/class2-modem.ts'
import type { Class2 } from '#fax/class2/dialect.ts'
import { encode } from '#fax/coding/encode.ts'
import { blankBitmap } from '#fax/coding/rows.ts'
import type { CallInResult, CallOutResult, FaxSettings, ReceivedPage } from '#fax/contract.ts'
import { writeTiff } from '#fax/tiff.ts'
import { dataThen, scriptedModem } from '../scripted-modem.ts'

const settings: FaxSettings = { station: '', ecm: false, maxRate: 14400 }
const rows = 100
const bitmap = blankBitmap(1728, rows)
for (let row = 0; row < rows; row++) bitmap.data.fill(0xf0, row * 216 + 20, row * 216 + 30)

let directory: string
let file: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'class2-'))
  file = join(directory, 'page.tif')
  writeFileSync(file, writeTiff([{ width: 1728, rows, resolution: 98, data: encode('MMR', bitmap) }]))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Sent {
  result: CallOutResult
  confirmed: number[]
  commands: string[]
}

/** @param end what the modem says once the page is ended */
async function send(dialect: Class2, end: string): Promise<Sent> {
  const two = dialect === '2'
  const { port, commands } = scriptedModem((said) => {
    if (said.startsWith('ATD'))
      return two ? '+FCON\n+FDIS: 0,5,0,2,0,0,0,0\n\nOK' : '+FCO\n+FIS:0,5,0,2,0,0,0,0\n\nOK'
    if (said === 'AT+FDT')
      return two ? '+FDCS: 0,5,0,2,0,0,0,0\n\nCONNECT' : '+FCS:0,5,0,2,0,0,0,0\n\nCONNECT'
    if (said === 'mark' || said === 'AT+FET=2') return end
    // That of a page before.
    return said === 'AT+FPS?' ? '1\n\nOK' : undefined
  })
  const confirmed: number[] = []
  const result = await openClass2(port, settings, dialect).call(
    { number: '1', file, pages: 1, from: 0 },
    {
      intend: async () => undefined,
      confirmed: (page) => void confirmed.push(page),
      progress: () => {},
    },
    new AbortController().signal,
  )
  return { result, confirmed, commands }
}

describe('the end of the last page', () => {
  test.each<[Class2, string]>([
    ['2', '+FPTS: 1\n\n+FHNG: 0\n\nOK'],
    ['2', '+FPTS: 3\n\n+FHNG: 0\n\nOK'],
    ['2.0', '+FHS:00\n\nOK'],
  ])('Class %s, confirmed: %j', async (dialect, end) => {
    expect(await send(dialect, end)).toMatchObject({ result: { result: 'sent' }, confirmed: [0] })
  })

  test.each<[Class2, string]>([
    ['2', '+FHNG: 54\n\nOK'],
    // An answer that was damaged.
    ['2', '+FHNG: 51\n\nOK'],
    ['2', '+FHNG: 0\n\nOK'],
    ['2', 'NO CARRIER'],
    ['2.0', 'NO CARRIER'],
    ['2.0', '+FHS:54\n\nERROR'],
  ])('Class %s, no answer: %j is in doubt', async (dialect, end) => {
    expect(await send(dialect, end)).toMatchObject({ result: { result: 'unknown' }, confirmed: [] })
  })

  test.each<[Class2, string]>([
    ['2', '+FPTS: 2\n\nOK'],
    ['2.0', 'ERROR'],
    // The other machine has gone back to the beginning of the call.
    ['2.0', '+FCI:"1"\n+FIS:0,5,0,2,0,0,0,0\n\nOK'],
  ])('Class %s, refused: %j goes again, and is given up', async (dialect, end) => {
    const { result, confirmed, commands } = await send(dialect, end)
    expect(result).toMatchObject({ result: 'failed', failure: 'fax-poor-copy' })
    expect(confirmed).toEqual([])
    expect(commands.filter((command) => command === 'AT+FDT').length).toBe(3)
  })
})

test.each(['2', '2.0'] as const)(
  'Class %s: ended from here in the middle of a page, the modem is told so once it has sent what it has',
  async (dialect) => {
    const two = dialect === '2'
    const ending = new AbortController()
    let drained = false
    let early = false
    const { port, commands } = scriptedModem((said) => {
      if (said.startsWith('ATD'))
        return two ? '+FCON\n+FDIS: 0,0,0,2,0,0,0,0\n\nOK' : '+FCO\n+FIS:0,0,0,2,0,0,0,0\n\nOK'
      if (said === 'AT+FDT') {
        // XOFF once it has said CONNECT: the page is not over when it is ended.
        setImmediate(() => setImmediate(() => port.feed(Uint8Array.of(0x13))))
        setTimeout(() => ending.abort(), 100)
        return two ? '+FDCS: 0,0,0,2,0,0,0,0\n\nCONNECT' : '+FCS:0,0,0,2,0,0,0,0\n\nCONNECT'
      }
      if (said === 'data') {
        // At 2400 bit/s a modem may hold as much as takes it 10 s; time passes 20 times as fast here.
        setTimeout(() => {
          drained = true
          port.feed(Buffer.from('\r\nOK\r\n'))
        }, 350)
        return ''
      }
      if (said.startsWith('AT+FK')) early = !drained
      return undefined
    })
    const events = { intend: async () => undefined, confirmed: () => {}, progress: () => {} }
    const out = { number: '1', file, pages: 1, from: 0 }
    const result = await openClass2(port, settings, dialect).call(out, events, ending.signal)
    expect(result).toMatchObject({ result: 'stopped', confirmed: 0 })
    expect(early).toBe(false)
    expect(commands).toContain(two ? 'AT+FK' : 'AT+FKS')
  },
)

test('a modem that lists more than it takes is asked for MH alone', async () => {
  const { port, commands } = scriptedModem((said) => {
    if (said === 'AT+FDCC=?') return '(0,1),(0-5),(0-2),(0-2),(0,1),(0-2),0,(0-7)\n\nOK'
    if (/^AT\+FDCC=.,.,.,.,1/.test(said)) return 'ERROR'
    return said.startsWith('ATD') ? 'BUSY' : undefined
  })
  const events = { intend: async () => undefined, confirmed: () => {}, progress: () => {} }
  const out = { number: '1', file, pages: 1, from: 0 }
  await openClass2(port, settings, '2').call(out, events, new AbortController().signal)
  const offers = commands.filter((command) => /^AT\+FDCC=[0-9]/.test(command))
  expect(offers).toEqual(['AT+FDCC=0,5,0,2,1,0,0,0', 'AT+FDCC=0,5,0,2,0,0,0,0'])
})

/** @param turns for each AT+FDR what follows CONNECT, or what comes instead of it */
async function receive(
  turns: readonly (Uint8Array | string)[],
): Promise<{ result: CallInResult; pages: ReceivedPage[]; commands: string[] }> {
  let turn = 0
  const { port, commands } = scriptedModem((said) => {
    if (said === 'ATA') return '+FCON\n+FDCS: 0,5,0,2,0,0,0,0\n\nOK'
    if (said === 'AT+FDR') {
      const next = turns[turn]
      return typeof next === 'string' ? next : '+FDCS: 0,5,0,2,0,0,0,0\n\nCONNECT'
    }
    return said === '12' ? turns[turn++] : undefined
  })
  const pages: ReceivedPage[] = []
  const result = await openClass2(port, settings, '2').answer(
    { progress: () => {}, page: async (page) => void pages.push(page) },
    new AbortController().signal,
  )
  return { result, pages, commands }
}

const good = encode('MH', bitmap)
/** Every second row is none. */
const poor = Uint8Array.from(good, (byte, at) => (Math.floor(at / 20) % 2 === 0 ? byte : 0x55))
const over = '+FHNG: 0\n\nOK'

describe('a call in', () => {
  test('a page that was refused and never came again is kept as it is, and the call was not whole', async () => {
    const { result, pages } = await receive([dataThen(poor, '+FPTS: 1,100\n+FET: 2\n\nOK'), over])
    expect(result).toMatchObject({ result: 'partial', failure: 'fax-line-dropped', pages: 1 })
    expect(pages).toMatchObject([{ number: 0, complete: false }])
  })

  test('another page was announced, and the sender hung up', async () => {
    const { result, pages } = await receive([dataThen(good, '+FPTS: 1,100\n+FET: 0\n\nOK'), over])
    expect(result).toMatchObject({ result: 'partial', pages: 1 })
    expect(pages).toMatchObject([{ complete: true }])
  })

  test('a modem that would refuse a page that is kept is told to confirm it', async () => {
    const { result, pages, commands } = await receive([dataThen(good, '+FPTS: 2,100\n+FET: 2\n\nOK'), over])
    expect(result).toMatchObject({ result: 'received', pages: 1 })
    expect(pages).toMatchObject([{ rows, badRows: 0, complete: true }])
    expect(commands.slice(commands.indexOf('AT+FDR') + 1)).toContain('AT+FPTS=1')
  })
})

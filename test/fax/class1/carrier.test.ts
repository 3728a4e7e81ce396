/** What a Class 1 modem may bring: our own echo before the answer, damage without end, and carriers that are none. */
import { expect, test } from 'vitest'
import { Carrier } from '#fax/class1/carrier.ts'
import { buildFrame, type Frame, type FrameName } from '#fax/t30/frames.ts'
import { modulations } from '#fax/t30/modulation.ts'
import { dataThen, scriptedModem } from '../scripted-modem.ts'

/** As +FRH gives it, check sequence included. */
const burst = (name: FrameName, caller: boolean, result = 'OK'): Uint8Array =>
  Buffer.concat([
    Buffer.from('\r\nCONNECT\r\n'),
    dataThen(Buffer.concat([buildFrame({ name }, caller, true), Uint8Array.of(0, 0)]), result),
  ])

/** The caller has said EOP and listens. @param bursts what comes then */
async function afterEop(bursts: (turn: number) => Uint8Array | string) {
  let turn = 0
  let ended = false
  const { port, commands } = scriptedModem((said) => {
    if (said === 'AT+FTH=3') {
      ended = true
      return 'CONNECT'
    }
    if (said === 'AT+FRH=3') return ended ? bursts(turn++) : ''
    return said === '18' && !ended ? 'OK' : undefined
  })
  const carrier = new Carrier(port, true)
  // After ATD a modem listens without a command; nothing comes.
  await carrier.listen(100)
  await carrier.frames([{ name: 'EOP' }])
  const heard = await carrier.listen(3_000)
  return { heard, asked: commands.slice(commands.indexOf('AT+FTH=3') + 1).length }
}

const namesOf = (frames: readonly Frame[]) => frames.map(({ name }) => name)

test('an echo of our own command is no answer: the one that follows it is', async () => {
  const { heard } = await afterEop((turn) => burst(turn === 0 ? 'EOP' : 'MCF', turn === 0))
  expect(heard.got === 'frames' && namesOf(heard.frames)).toEqual(['MCF'])
})

test('the same word from both ends is an answer', async () => {
  const { heard } = await afterEop(() => burst('CRP', false))
  expect(heard.got === 'frames' && namesOf(heard.frames)).toEqual(['CRP'])
})

test('damaged frames without end are not waited for without end', async () => {
  const { heard, asked } = await afterEop(() => burst('MCF', false, 'ERROR'))
  expect(heard).toEqual({ got: 'frames', frames: [], damaged: true })
  expect(asked).toBe(32)
})

test('a modem that is back at commands without having said so is no trouble', async () => {
  // It answers neither with data nor to the byte that ends listening.
  const { heard } = await afterEop(() => '\r\nCONNECT')
  expect(heard).toEqual({ got: 'frames', frames: [], damaged: true })
})

/** A page is to be heard. @param carriers what AT+FRM brings, one after the other */
async function page(...carriers: (Uint8Array | string)[]) {
  const [v17] = modulations
  if (!v17) throw new Error('the table has lost its rows')
  const { port, commands } = scriptedModem((said) =>
    said === 'AT+FRM=146' ? (carriers.shift() ?? '') : said === '18' ? 'OK' : undefined,
  )
  const heard = await new Carrier(port, false).hear(v17, true, 2_000)
  return { heard, asked: commands.length }
}

const carrier = (data: Uint8Array) =>
  Buffer.concat([Buffer.from('\r\nCONNECT\r\n'), dataThen(data, 'NO CARRIER')])

test('a modem that takes a click for a carrier, or gives up early, is asked again while the page may come', async () => {
  const data = new Uint8Array(500).fill(0x55)
  const { heard, asked } = await page(
    carrier(Uint8Array.of()),
    carrier(Uint8Array.of(7, 9)),
    'NO CARRIER',
    carrier(data),
  )
  expect(asked).toBe(4)
  expect(heard).toMatchObject({ got: 'fast' })
  expect(heard.got === 'fast' && heard.data.length).toBe(500)
})

test('a modem that says no at once is not asked without pause, and V.21 in place of a page is told', async () => {
  const { heard, asked } = await page(...new Array<string>(1_000).fill('NO CARRIER'))
  expect(heard).toEqual({ got: 'silence' })
  expect(asked).toBeLessThan(25)
  expect((await page('+FCERROR')).heard).toEqual({ got: 'other-carrier' })
})

test('a burst that breaks off and goes on is heard to its end', async () => {
  const { heard } = await afterEop((turn) =>
    turn === 0 ? Buffer.from('\r\nCONNECT\r\n\r\nNO CARRIER\r\n') : burst('MCF', false),
  )
  expect(heard.got === 'frames' && namesOf(heard.frames)).toEqual(['MCF'])
})

/** Frames as real machines sent them (captured between efax 0.9a, HylaFAX 6 and SpanDSP 0.0.6), and what they mean. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildCapabilities,
  buildChoice,
  choose,
  readCapabilities,
  readChoice,
} from '#fax/t30/capabilities.ts'
import { Block, blockBits, blocksOf, buildPartial, buildRequest, readRequest } from '#fax/t30/ecm.ts'
import { buildFrame, buildIdentity, type FrameName, readFrame, readIdentity } from '#fax/t30/frames.ts'
import { frameBits, framesIn } from '#fax/t30/hdlc.ts'
import {
  disBitsOf,
  ladder,
  modulationOf,
  modulations,
  modulationsOf,
  receivable,
} from '#fax/t30/modulation.ts'
import { goodTraining, trainingCheck } from '#fax/t30/training.ts'

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex')
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const v17 = modulations[0]
const v29 = modulations.find(({ code }) => code === 96)
if (!v17 || !v29) throw new Error('the table has lost its rows')

describe('captured frames', () => {
  test('CSI: twenty characters, the last one first', () => {
    const frame = readFrame(hex('ff0340 48434e4542584146202020202020202020202020 03ea'))
    expect(frame).toMatchObject({ name: 'CSI', final: false })
    expect(readIdentity(frame?.fif ?? hex(''))).toBe('FAXBENCH')
    expect(toHex(buildFrame({ name: 'TSI', fif: buildIdentity('+1 555 0100') }, true, false))).toBe(
      toHex(Buffer.concat([hex('ff0343'), Buffer.from('0010 555 1+         ')])),
    )
  })

  test('DIS of a machine with 9600 V.29, fine, two dimensions, no error correction', () => {
    const frame = readFrame(hex('ff13 80 00cefa80801101 0000'))
    expect(frame).toMatchObject({ name: 'DIS', final: true })
    expect(readCapabilities(frame?.fif ?? hex(''))).toMatchObject({
      receives: true,
      fine: true,
      twoDimensional: true,
      ecm: false,
      t6: false,
      rowTime: { 98: 0, 196: 0 },
    })
    expect(receivable(0xce).map(({ code }) => code)).toEqual([96, 72, 48, 24])
  })

  test('DCS of 9600 V.29 and of 14400 V.17', () => {
    const base = { resolution: 196, coding: 'MH', ecm: false, frameSize: 256, rowTime: 0 } as const
    expect(toHex(buildChoice({ ...base, modulation: v29 }))).toBe('004678')
    expect(toHex(buildChoice({ ...base, modulation: v17 }))).toBe('006278')
    expect(readChoice(hex('004678'))).toMatchObject({
      modulation: { code: 96 },
      resolution: 196,
      coding: 'MH',
    })
  })

  test.each<[FrameName, boolean, string]>([
    ['EOP', true, 'ff132f'],
    ['MPS', true, 'ff134f'],
    ['EOM', true, 'ff138f'],
    ['MCF', false, 'ff138c'],
    ['CFR', false, 'ff1384'],
    ['FTT', false, 'ff1344'],
    ['RTP', false, 'ff13cc'],
    ['RTN', false, 'ff134c'],
    ['DCN', false, 'ff13fa'],
    ['PPS', true, 'ff13bf'],
    ['PPR', false, 'ff13bc'],
    ['CTC', true, 'ff1313'],
    ['CTR', false, 'ff13c4'],
    ['RR', true, 'ff136f'],
    ['RNR', false, 'ff13ec'],
    ['EOR', true, 'ff13cf'],
    ['ERR', false, 'ff131c'],
    ['CRP', false, 'ff131a'],
  ])('%s', (name, caller, octets) => {
    expect(toHex(buildFrame({ name }, caller, true))).toBe(octets)
    // Whether X is set or not, it is the same field.
    for (const x of [true, false]) {
      expect(readFrame(Buffer.concat([buildFrame({ name }, x, true), hex('0000')]))?.name).toBe(name)
    }
  })

  test('what is no frame is none', () => {
    for (const bytes of ['', 'ff', 'ff13', 'ff138c', 'fe138c0000', 'ff238c0000']) {
      expect(readFrame(hex(bytes))).toBeUndefined()
    }
  })
})

describe('what is negotiated', () => {
  const settings = { station: '', ecm: true, maxRate: 14400 } as const

  test('every choice is read as it was written', () => {
    for (const modulation of modulations) {
      for (const resolution of [98, 196] as const) {
        for (const [coding, ecm] of [
          ['MH', false],
          ['MR', false],
          ['MH', true],
          ['MR', true],
          ['MMR', true],
        ] as const) {
          for (const frameSize of ecm ? ([64, 256] as const) : ([256] as const)) {
            const choice = { modulation, resolution, coding, ecm, frameSize, rowTime: 0 }
            expect(readChoice(buildChoice(choice))).toEqual(choice)
          }
        }
      }
    }
  })

  test('T.6 only with error correction, fine only where it is printed', () => {
    const other = readCapabilities(buildCapabilities(settings, modulations))
    expect(choose(settings, other, v17, 196)).toMatchObject({ coding: 'MMR', ecm: true, rowTime: 0 })
    expect(choose({ ...settings, ecm: false }, other, v17, 196)).toMatchObject({ coding: 'MR', ecm: false })
    const old = readCapabilities(hex('000200'))
    expect(choose(settings, old, v29, 196)).toMatchObject({ coding: 'MH', resolution: 98, rowTime: 20 })
    expect(old.modulations.map(({ rate }) => rate)).toEqual([2400])
  })

  // T.30, table 2: bits 21, 22, 23 of DIS as they follow one another on the line, so bit 21 is worth 10 in the third octet.
  test.each([
    ['000', 20, 20],
    ['001', 40, 40],
    ['010', 10, 10],
    ['100', 5, 5],
    ['011', 10, 5],
    ['110', 20, 10],
    ['101', 40, 20],
    ['111', 0, 0],
  ] as const)('a machine that prints slowly, bits 21 to 23 %s', (bits, standard, fine) => {
    const octet = (text: string) => [...text].reduce((sum, bit, at) => sum | (Number(bit) << (4 + at)), 0)
    const other = readCapabilities(Uint8Array.of(0, 0xce, octet(bits)))
    expect(other.rowTime).toEqual({ 98: standard, 196: fine })
    const told = new Map([
      [20, '000'],
      [40, '001'],
      [10, '010'],
      [5, '100'],
      [0, '111'],
    ])
    for (const [resolution, time] of [
      [98, standard],
      [196, fine],
    ] as const) {
      const choice = choose({ ...settings, ecm: false }, other, v17, resolution)
      expect(choice.rowTime).toBe(time)
      expect((buildChoice(choice)[2] ?? 0) & 0x70).toBe(octet(told.get(time) ?? ''))
    }
  })

  test('any length only where the other end has it', () => {
    const long = readCapabilities(buildCapabilities(settings, modulations))
    const cut = readCapabilities(hex('00ce70'))
    expect(buildChoice(choose({ ...settings, ecm: false }, long, v17, 98))[2]).toBe(0x78)
    expect(buildChoice(choose(settings, cut, v17, 98))[2]).toBe(0x70)
  })

  test('a choice that was not offered is none', () => {
    // Another width; a modulation that does not exist.
    expect(readChoice(hex('000201'))).toBeUndefined()
    expect(readChoice(hex('003e78'))).toBeUndefined()
  })

  test('the rates go down through every kind of carrier', () => {
    const steps = ladder(modulations, modulations, 14400)
    expect(steps.map(({ standard, rate }) => `${standard} ${rate}`)).toEqual([
      'V.17 14400',
      'V.17 12000',
      'V.17 9600',
      'V.29 7200',
      'V.27ter 4800',
      'V.27ter 2400',
    ])
    expect(ladder(modulations, receivable(0x0c), 14400).map(({ code }) => code)).toEqual([96, 72, 48, 24])
    expect(ladder(modulations, modulations, 4800).map(({ code }) => code)).toEqual([48, 24])
  })

  test('a modem says which carriers it has', () => {
    expect(modulationsOf('24,48,72,96').map(({ code }) => code)).toEqual([96, 72, 48, 24])
    expect(modulationsOf('(3,24,48,72-74,96-98,121,122,145,146)').length).toBe(8)
    expect(modulationsOf('?').length).toBe(8)
    expect(disBitsOf(modulationsOf('24,48,72,96'))).toBe(0x0c)
    expect(modulationOf(0x2c)?.code).toBe(73)
  })
})

describe('error correction', () => {
  test('frames pass through flags and inserted zeros, wherever the bits begin', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 2, maxLength: 40 }), { maxLength: 6 }), (frames) => {
        const out = [...framesIn(frameBits(frames, 3, 2), 64)]
        expect(out.map(toHex)).toEqual(frames.map(toHex))
      }),
    )
    // The check sequence of the standard's example: all ones are inserted into.
    expect([...framesIn(frameBits([new Uint8Array(20).fill(0xff)], 1, 1), 64)].length).toBe(1)
  })

  test('a damaged frame is left out, the others stay', () => {
    fc.assert(
      fc.property(fc.nat({ max: 8 * 300 - 1 }), (bit) => {
        const [block = []] = blocksOf(
          new Uint8Array(256 * 3).map((_, at) => at * 7),
          256,
        )
        const bits = blockBits(block, undefined, v29)
        const at = bits.length - 1 - (bit >> 3) - 100
        bits[at] = (bits[at] ?? 0) ^ (1 << (bit & 7))
        const heard = new Block()
        heard.take(bits, 256)
        expect(heard.missing(3).length).toBeLessThanOrEqual(2)
        for (const [number, frame] of heard.data(false).entries()) {
          expect(toHex(frame)).toBe(toHex(block[number] ?? hex('')))
        }
      }),
    )
  })

  test.each([64, 256] as const)(
    'a page in frames of %i octets comes together from what is sent again',
    (size) => {
      const data = Uint8Array.from({ length: 256 * size + 100 }, (_, at) => (at * 31) >> 3)
      const blocks = blocksOf(data, size)
      expect(blocks.map(({ length }) => length)).toEqual([256, Math.ceil(100 / size)])
      const [first = []] = blocks
      const block = new Block()
      expect(block.take(blockBits(first, [0, 2, 255], v17), size)).toBe(true)
      const missing = block.missing(256)
      expect(missing.length).toBe(253)
      expect(readRequest(buildRequest(missing), 256)).toEqual(missing)
      block.take(blockBits(first, missing, v17), size)
      expect(block.missing(256)).toEqual([])
      expect(Buffer.concat(block.data(true)).equals(data.subarray(0, 256 * size))).toBe(true)
    },
  )

  test('PPS counts from 0, and 256 frames as 255', () => {
    expect(toHex(buildPartial(0x2f, 258, 1, 256))).toBe('2f0201ff')
  })
})

test('training: a second of zeros without a break', () => {
  const check = trainingCheck(v17)
  expect(check.length).toBe(2700)
  expect(goodTraining(Buffer.concat([hex('0503'), check]), v17)).toBe(true)
  const broken = Uint8Array.from(check)
  for (let at = 0; at < broken.length; at += 1_000) broken[at] = 1
  expect(goodTraining(broken, v17)).toBe(false)
})

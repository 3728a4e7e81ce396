/** The network side's strictness: what a correct SMS-SUBMIT says, and which rule each wrong one breaks. */
import { describe, expect, it } from 'vitest'
import { encodeDeliver, encodeStatusReport } from '#simulator/deliver.ts'
import { decodeSeptets, encodeSeptets, pack, unpack } from '#simulator/gsm7.ts'
import { decodeSubmit, isPduProblem } from '#simulator/pdu.ts'
import { hello } from './terminal.ts'

const octets = (pdu: string) => pdu.length / 2 - 1 - Number.parseInt(pdu.slice(0, 2), 16)

function decoded(pdu: string) {
  const submit = decodeSubmit(pdu, octets(pdu))
  if (isPduProblem(submit)) throw new Error(`${submit.rule}: ${submit.detail}`)
  return submit
}

function rule(pdu: string, length = octets(pdu)): string {
  const submit = decodeSubmit(pdu, length)
  return isPduProblem(submit) ? submit.rule : 'none'
}

describe('a correct SMS-SUBMIT', () => {
  it('is read field by field', () => {
    expect(decoded(hello)).toMatchObject({
      smsc: undefined,
      to: '+49172123456',
      text: 'hellohello',
      reportWanted: true,
      rejectDuplicates: false,
      validity: 1440,
      class: undefined,
      concatenation: undefined,
    })
  })

  it('may bring its service centre, a national number, UCS-2 and a class', () => {
    const pdu = '07919471000000101100048121430018AA0420AC00E4'
    expect(decoded(pdu)).toMatchObject({
      smsc: '+491700000001',
      to: '1234',
      text: '€ä',
      class: 0,
      alphabet: 'ucs2',
    })
  })

  it('has its place among others in an 8-bit or 16-bit header', () => {
    const eight = '0041000481214300080C050003C80302D83DDE000041'
    expect(decoded(eight)).toMatchObject({
      text: '😀A',
      concatenation: { reference: 200, bits: 8, part: 2, parts: 3 },
    })
    const sixteen = '0041000481214300080906080412340302' + '0041'
    expect(decoded(sixteen)).toMatchObject({
      text: 'A',
      concatenation: { reference: 0x1234, bits: 16, part: 2, parts: 3 },
    })
  })

  it('may use national tables named in the header', () => {
    // Single shift Turkish: ESC 0x53 is a capital S with cedilla.
    const header = [3, 0x24, 1, 1]
    const skip = (7 - ((header.length * 8) % 7)) % 7
    const body = [...header, ...pack([0x1b, 0x53], skip)]
    const length = (header.length * 8 + skip) / 7 + 2
    const head = [0, 0x41, 0, 4, 0x81, 0x21, 0x43, 0, 0, length]
    expect(
      decoded(
        Buffer.from([...head, ...body])
          .toString('hex')
          .toUpperCase(),
      ).text,
    ).toBe('Ş')
  })
})

describe('a wrong SMS-SUBMIT', () => {
  it.each([
    ['half an octet', `${hello}0`, 'pdu-characters'],
    ['something else than digits', hello.replace('31', 'XY'), 'pdu-characters'],
    ['small letters', hello.toLowerCase(), 'pdu-lower-case'],
    ['another type of message', hello.replace('0031', '0030'), 'pdu-type'],
    ['a type of address without its top bit', hello.replace('0B91', '0B11'), 'pdu-address'],
    ['a digit instead of the filler', hello.replace('54F6', '5406'), 'pdu-address'],
    ['a reserved alphabet', hello.replace('F60000A7', 'F6000CA7'), 'pdu-coding'],
    ['fill bits', '000100048121430000' + '01C1', 'pdu-fill-bits'],
    ['a wrong TP-UDL', hello.replace('A70AE8', 'A70CE8'), 'pdu-length'],
    ['part 0', '0041000481214300080A050003C80300' + '00410042', 'pdu-header'],
    ['part 4 of 3', '0041000481214300080A050003C80304' + '00410042', 'pdu-header'],
    ['a header beyond the text', '00410004812143000802' + 'FF00', 'pdu-header'],
    ['a character cut in half', '00010004812143000802D83D', 'pdu-text'],
    ['an escape at the end', '000100048121430000011B', 'pdu-text'],
  ])('%s', (_name, pdu, expected) => {
    expect(rule(pdu)).toBe(expected)
  })

  it('has another length than announced', () => {
    expect(rule(hello, 22)).toBe('pdu-length')
  })

  it('is refused wherever it is cut', () => {
    for (let end = 0; end < hello.length; end += 2)
      expect(rule(hello.slice(0, end), Math.max(end / 2 - 1, 0))).not.toBe('none')
  })

  it('is longer than a message can be', () => {
    const body = 'AA'.repeat(141)
    expect(rule(`000100048121430004${(141).toString(16).toUpperCase()}${body}`)).toBe('pdu-length')
  })
})

describe('the alphabet', () => {
  it('comes back from septets and octets, whatever the fill bits', () => {
    const text = 'Grüße €[]{}~^|\\ @£$ \n Δ'
    const septets = encodeSeptets(text)
    expect(septets).toBeDefined()
    for (let skip = 0; skip < 7; skip++) {
      const back = unpack(pack(septets ?? [], skip), septets?.length ?? 0, skip)
      expect(back.clean).toBe(true)
      expect(decodeSeptets(back.septets)).toBe(text)
    }
  })

  it('has no Cyrillic', () => {
    expect(encodeSeptets('Ж')).toBeUndefined()
  })
})

describe('what phones receive', () => {
  it('is cut into parts that hold 153 septets or 67 characters, pairs kept whole', () => {
    const sizes = (text: string, bits: 8 | 16) =>
      encodeDeliver({ from: '+491', text, bits }, '+49', 0).map(({ length }) => length)
    expect(sizes('a'.repeat(160), 8)).toHaveLength(1)
    expect(sizes('a'.repeat(161), 8)).toHaveLength(2)
    expect(sizes('a'.repeat(152 * 3), 16)).toHaveLength(3)
    expect(sizes('ж'.repeat(70), 8)).toHaveLength(1)
    expect(sizes('ж'.repeat(71), 8)).toHaveLength(2)
    expect(sizes(`${'ж'.repeat(66)}😀${'ж'.repeat(10)}`, 8)).toHaveLength(2)
  })

  it('is written as the standard has it', () => {
    const at = Date.UTC(2026, 10, 21, 9, 8, 7)
    const [shown] = encodeDeliver({ from: 'Alarm', text: 'hellohello' }, '+491700000001', at)
    expect(shown?.pdu).toBe('07919471000000100409D0417658DE060000621112908070000AE8329BFD4697D9EC37')
    const report = encodeStatusReport(
      { to: '+49172123456', reference: 7, status: 0x46, submitted: at, done: at },
      '',
    )
    expect(report).toEqual({ pdu: '0006070B919471123254F6621112908070006211129080700046', length: 25 })
  })
})

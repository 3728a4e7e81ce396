/** Received PDUs: published ones with known answers, every coding, and anything a broken line may bring. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeIncoming } from '#sms/deliver.ts'
import { asDeliver, pdusOf } from './as-deliver.ts'

const utc = (text: string): number => Date.parse(text)
const centre = '0791447758100650'

/** An SMS-DELIVER from 333 with this coding and user data. */
const deliver = (coding: string, length: string, userData: string, first = '04', stamp = '62112190001000') =>
  `00${first}038133F300${coding}${stamp}${length}${userData}`
const textOf = (pdu: string): string => {
  const incoming = decodeIncoming(pdu)
  return incoming.type === 'deliver' ? incoming.text : `(${incoming.type})`
}

describe('published PDUs', () => {
  test.each([
    {
      pdu: '07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37',
      expected: {
        smsc: '+27381000015',
        from: '27838890001',
        text: 'hellohello',
        sentAt: utc('1999-03-29T13:16:59Z'),
      },
    },
    {
      pdu: '07919730071111F1000B919746121611F10000811170021222230DC8329BFD6681EE6F399B1C02',
      expected: {
        smsc: '+79037011111',
        from: '+79642161111',
        text: 'Hello, world!',
        sentAt: utc('2018-11-07T12:21:22Z'),
      },
    },
    {
      // West of Greenwich: the sign is bit 4 of the zone octet.
      pdu: '07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07',
      expected: {
        smsc: '+31624000000',
        from: '+31641600986',
        text: 'How are you?',
        sentAt: utc('2002-08-26T20:37:41Z'),
      },
    },
    {
      pdu: '0791447758100650040DD0F334FC1CA6970100008080312170224008D4F29CDE0EA7D9',
      expected: {
        smsc: '+447785016005',
        from: 'sipgate',
        text: 'Testmail',
        sentAt: utc('2008-08-13T11:07:22Z'),
      },
    },
    {
      pdu: '0791534850020290040c915348608475840008412060610141800e00540065007300740020D83DDE3B',
      expected: {
        alphabet: 'ucs2',
        from: '+358406485748',
        text: 'Test 😻',
        sentAt: utc('2014-02-06T14:10:14Z'),
      },
    },
  ])('$pdu', ({ pdu, expected }) => {
    expect(decodeIncoming(pdu)).toMatchObject({ type: 'deliver', ...expected })
  })

  test('three Cyrillic parts with an 8-bit reference', () => {
    const pdu =
      '038121F340048155550119906041001222044A0500031E0303043C043D043004420443002C0020043F043E043704300431044B0432000A' +
      '0434043004360435002C002004470442043E002000200431044B043B0020043D04300433002E'
    expect(decodeIncoming(pdu)).toMatchObject({
      smsc: '123',
      from: '5555',
      concatenation: { reference: 0x1e, width: 8, total: 3, part: 3 },
      text: 'мнату, позабыв\nдаже, что  был наг.',
    })
  })
})

describe('data coding (23.038 clause 4)', () => {
  const hello = 'C8329BFD06'
  test.each([
    ['00', 'gsm7', false],
    ['10', 'gsm7', true],
    ['11', 'gsm7', false],
    ['40', 'gsm7', false],
    ['50', 'gsm7', true],
    // Reserved alphabet and reserved groups count as the default alphabet.
    ['0C', 'gsm7', false],
    ['80', 'gsm7', false],
    ['B0', 'gsm7', false],
    ['F0', 'gsm7', true],
    ['F1', 'gsm7', false],
    ['C8', 'gsm7', false],
    ['D9', 'gsm7', false],
  ])('%s', (coding, alphabet, flash) => {
    const incoming = decodeIncoming(deliver(coding, '05', hello))
    expect(incoming).toMatchObject({ type: 'deliver', text: 'Hello', alphabet, flash })
  })

  test.each([
    ['04', 'data', '48656C6C6F', 'Hello'],
    ['F5', 'data', '48656C6C6F', 'Hello'],
    ['15', 'data', '4BFC680A21', 'Küh\n!'],
    ['04', 'data', '0148FF8000', '0148FF8000'],
    ['20', 'compressed', '48656C6C6F', '48656C6C6F'],
    ['68', 'compressed', '48656C6C6F', '48656C6C6F'],
    ['08', 'ucs2', '00480069FF', 'Hi'],
    ['48', 'ucs2', '00480069FF', 'Hi'],
    ['E0', 'ucs2', '00480069FF', 'Hi'],
  ])('%s as %s', (coding, alphabet, octets, text) => {
    expect(decodeIncoming(deliver(coding, '05', octets))).toMatchObject({ alphabet, text })
  })

  test('message waiting', () => {
    expect(decodeIncoming('07913366002020F8040B913366600600F100C83180706174148000')).toMatchObject({
      from: '+33660660001',
      text: '',
      waiting: { kind: 'voicemail', active: true, discard: true },
    })
    expect(decodeIncoming(deliver('D2', '00', ''))).toMatchObject({
      waiting: { kind: 'email', active: false, discard: false },
    })
    expect(decodeIncoming(deliver('00', '00', ''))).not.toHaveProperty('waiting')
  })
})

describe('senders', () => {
  test.each([
    ['international', '0B919471103254F7', '+49170123457'],
    ['national', '04810721', '7012'],
    ['with star and hash', '05811AB0F2', '*10#2'],
    ['letters, 13 semi-octets for 49 bits', '0DD0C8329BFD8EC900', 'Hello12'],
    ['letters, 14 semi-octets leave a zero septet', '0ED0C8329BFD8EC900', 'Hello12'],
    ['none', '0081', ''],
    ['none, international', '0091', ''],
  ])('%s', (_, address, from) => {
    expect(decodeIncoming(`0004${address}00006211219000100000`)).toMatchObject({ type: 'deliver', from })
  })
})

describe('header elements', () => {
  const withHeader = (header: string, length = '14'): string =>
    deliver('04', length, `${header}48656C6C6F`, '44')
  const concatenationOf = (pdu: string) => {
    const incoming = decodeIncoming(pdu)
    return incoming.type === 'deliver' ? [incoming.text, incoming.concatenation] : incoming
  }

  test('unknown ones are skipped', () => {
    expect(concatenationOf(withHeader('09' + '7F0201FF' + '00030A0201'))).toEqual([
      'Hello',
      { reference: 10, width: 8, total: 2, part: 1 },
    ])
  })

  test('of two concatenations the last counts', () => {
    expect(concatenationOf(withHeader('0B' + '00030A0201' + '080401020302'))).toEqual([
      'Hello',
      { reference: 0x102, width: 16, total: 3, part: 2 },
    ])
  })

  test.each(['00030A0200', '00030A0203', '00030A0000', '00020A02', '08030A0201'])(
    'an impossible concatenation is none: %s',
    (element) => {
      const length = (element.length / 2).toString(16).padStart(2, '0')
      expect(concatenationOf(withHeader(length + element))).toEqual(['Hello', undefined])
    },
  )

  test('an element that does not end with the header makes it void, the text stays', () => {
    expect(concatenationOf(withHeader('06' + '00030A0201' + '24'))).toEqual(['Hello', undefined])
    expect(concatenationOf(withHeader('05' + '00070A0201'))).toEqual(['Hello', undefined])
  })

  test('a header longer than the message is shown as it is', () => {
    expect(concatenationOf(deliver('04', '05', '48656C6C6F', '44'))).toEqual(['Hello', undefined])
  })
})

describe('what modems add and leave out', () => {
  const part = pdusOf('Störung an Pumpe 3', 8)[0] ?? ''
  const bare = asDeliver(part).slice(2)
  const whole = asDeliver(part, centre)
  const expected = decodeIncoming(whole)

  test("with or without the service centre's address, with or without the length", () => {
    expect(expected).toMatchObject({ type: 'deliver', smsc: '+447785016005', text: 'Störung an Pumpe 3' })
    const without = { ...expected, smsc: '' }
    const length = bare.length / 2
    expect(decodeIncoming(whole, length)).toEqual(expected)
    expect(decodeIncoming(bare)).toEqual(without)
    expect(decodeIncoming(bare, length)).toEqual(without)
    expect(decodeIncoming(`00${bare}`, length)).toEqual(without)
    // A length that counts the service centre's address too, or something else altogether.
    expect(decodeIncoming(whole, whole.length / 2)).toEqual(expected)
    for (const wrong of [0, 5, length - 1, length + 1, 200])
      expect(decodeIncoming(whole, wrong)).toEqual(expected)
  })

  test('lower case, white space around, and memory padding change nothing, not even the fingerprint', () => {
    expect(decodeIncoming(` ${whole.toLowerCase()}\r\n`)).toEqual(expected)
    expect(decodeIncoming(`${whole}${'FF'.repeat(30)}`)).toEqual(expected)
  })

  test('a PDU that lost octets on the line is not taken for the message', () => {
    expect(decodeIncoming(whole.slice(0, -4), bare.length / 2)).toEqual({
      type: 'bad',
      reason: 'The PDU is cut short.',
    })
  })

  test('without a length what is there is shown', () => {
    expect(textOf(deliver('00', '0A', 'E8329BFD46'))).toBe('hello')
    expect(textOf(deliver('08', '0A', '00480069'))).toBe('Hi')
  })

  test('a message that was sent, left in a memory, is not received', () => {
    expect(decodeIncoming(part).type).toBe('bad')
  })

  test.each(['99999999999999', '00000000000000', '62932190001000', '62200390521000', 'FFFFFFFFFFFFFF'])(
    'a time stamp that is no time is 0: %s',
    (stamp) => {
      const incoming = decodeIncoming(deliver('00', '05', 'C8329BFD06', '04', stamp))
      expect(incoming).toMatchObject({ type: 'deliver', sentAt: 0, text: 'Hello' })
    },
  )

  test('the fingerprint tells apart sender, time, coding and text, and nothing else', () => {
    const prints = [
      deliver('00', '05', 'C8329BFD06'),
      deliver('00', '05', 'C8329BFD46'),
      deliver('10', '05', 'C8329BFD06'),
      deliver('00', '05', 'C8329BFD06', '04', '62112190001100'),
      deliver('00', '05', 'C8329BFD06').replace('038133F3', '038134F3'),
    ].map((pdu) => {
      const incoming = decodeIncoming(pdu)
      return incoming.type === 'deliver' ? incoming.fingerprint : ''
    })
    expect(new Set(prints).size).toBe(prints.length)
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{64}$/)
    // More messages waiting (bit 3 of the first octet) changes between two deliveries of one message.
    expect(decodeIncoming(deliver('00', '05', 'C8329BFD06', '00'))).toEqual(
      decodeIncoming(deliver('00', '05', 'C8329BFD06')),
    )
  })
})

describe('status reports', () => {
  test.each([
    {
      pdu: '0006040D91945152991136F00160124130340A0160124130940A00',
      expected: {
        reference: 4,
        to: '+4915259911630',
        sentAt: utc('2010-06-21T19:03:43Z'),
        dischargedAt: utc('2010-06-21T19:03:49Z'),
        status: 0,
      },
    },
    {
      pdu: '0006060981' + '21436587F9' + '019012413064A0' + '019012413045A0' + '46',
      expected: { reference: 6, to: '123456789', status: 0x46 },
    },
    // Optional fields: parameter indicator, protocol, coding, user data (9.2.2.3).
    {
      pdu: '0006FF0D91945152991136F00160124130340A0160124130940A2007000005C8329BFD06',
      expected: { reference: 255, status: 0x20 },
    },
    {
      pdu: '000604008199999999999999' + '99999999999999' + '00',
      expected: { to: '', sentAt: 0, dischargedAt: 0 },
    },
  ])('$pdu', ({ pdu, expected }) => {
    expect(decodeIncoming(pdu)).toMatchObject({ type: 'statusReport', ...expected })
    expect(decodeIncoming(`${centre}${pdu.slice(2)}`)).toEqual(decodeIncoming(pdu))
  })

  test('without the service centre', () => {
    expect(decodeIncoming('06040D91945152991136F00160124130340A0160124130940A00')).toMatchObject({
      reference: 4,
    })
  })

  test('a given length tells a reference from a type of number where no time stamp does', () => {
    const pdu = '0691049194719999999999999999999999999999' + '00'
    expect(decodeIncoming(pdu, pdu.length / 2)).toMatchObject({
      type: 'statusReport',
      reference: 0x91,
      to: '+4917',
    })
  })

  test('one that ends early is bad', () => {
    expect(decodeIncoming('0006040D91945152991136F00160124130340A01601241309400').type).toBe('bad')
  })
})

describe('anything at all', () => {
  test.each([
    '',
    ' ',
    '0',
    'XY',
    '00',
    '0004',
    '07',
    'FF',
    '00'.repeat(600),
    '04'.repeat(200),
    'é',
    '+CMT: ,30',
  ])('bad, not thrown: %s', (pdu) => {
    const incoming = decodeIncoming(pdu)
    if (incoming.type === 'bad') expect(incoming.reason).toMatch(/\.$/)
  })

  test('random text, random octets, mutated PDUs and every prefix of one: always an answer', () => {
    const real = [...pdusOf('áé '.repeat(100), 16), ...pdusOf('[Störung] 😀'.repeat(20), 8)].map((pdu) =>
      asDeliver(pdu, centre),
    )
    const types = ['deliver', 'statusReport', 'bad']
    const check = (pdu: string, length?: number): void => {
      expect(types).toContain(decodeIncoming(pdu, length).type)
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (pdu) => check(pdu)),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.option(fc.integer({ min: -1, max: 300 })),
        (octets, length) => check(Buffer.from(octets).toString('hex'), length ?? undefined),
      ),
      { numRuns: 5_000 },
    )
    const mutation = fc.record({ at: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(
        fc.constantFrom(...real),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (pdu, mutations) => {
          const octets = Buffer.from(pdu, 'hex')
          for (const { at, value } of mutations) octets[at % octets.length] = value
          check(octets.toString('hex'))
        },
      ),
      { numRuns: 5_000 },
    )
    for (const pdu of real) for (let end = 0; end <= pdu.length; end++) check(pdu.slice(0, end), 100)
  })
})

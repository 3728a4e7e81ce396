/** The 7-bit alphabet: tables, septets, packing. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ESCAPE, lockingTables, singleTables, VOID } from '#sms/gsm7.table.ts'
import { fromSeptets, packSeptets, septetMap, septetsOf, toSeptets, unpackSeptets } from '#sms/gsm7.ts'

describe('tables', () => {
  test('there is one for each national language identifier, each of 128 places', () => {
    expect(lockingTables).toHaveLength(14)
    expect(singleTables).toHaveLength(14)
    lockingTables.forEach((table, id) => {
      if (id === 2) expect(table).toBeUndefined()
      else expect(table).toHaveLength(128)
    })
    for (const runs of singleTables) {
      let free = 0
      for (const [first, characters] of runs) {
        expect(first).toBeGreaterThanOrEqual(free)
        free = first + characters.length
        expect(characters).not.toContain(VOID)
      }
      expect(free).toBeLessThanOrEqual(128)
    }
  })

  test.each([
    [
      0,
      0,
      '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
    ],
    [0, 0, '\f^{}\\[~]|€'],
    [1, 1, 'ĞğİıŞşçÇ€'],
    [0, 2, 'áéíóúÁÍÓÚñÑçÇ¿¡'],
    [3, 3, 'ãõâêôáéíóúÃÕÂÊÔÁÉÍÓÚçÇ∞ªº'],
    [4, 4, 'আমি বাংলায় গান গাই ০১২৩৪৫৬৭৮৯'],
    [5, 5, 'ગુજરાતી, ભાષા. ૦૧૨૩૪૫૬૭૮૯'],
    [6, 6, 'नमस्ते दुनिया। ०१२३४५६७८९'],
    [7, 7, 'ಕನ್ನಡ ಭಾಷೆ ೦೧೨೩೪೫೬೭೮೯'],
    [8, 8, 'മലയാളം ഭാഷ ൦൧൨൩൪൫൬൭൮൯'],
    [9, 9, 'ଓଡ଼ିଆ ଭାଷା ୦୧୨୩୪୫୬୭୮୯'],
    [10, 10, 'ਪੰਜਾਬੀ ਭਾਸ਼ਾ ੦੧੨੩੪੫੬੭੮੯'],
    [11, 11, 'தமிழ் மொழி ௦௧௨௩௪௫௬௭௮௯'],
    [12, 12, 'తెలుగు భాష ౦౧౨౩౪౫౬౭౮౯'],
    [13, 13, 'اردو زبان ۰۱۲۳۴۵۶۷۸۹'],
  ])('locking %i with single %i holds what its language needs', (locking, single, text) => {
    const map = septetMap(locking, single)
    for (const character of text)
      expect([character, septetsOf(map, character.charCodeAt(0))]).not.toContain(0)
    expect(fromSeptets(toSeptets(text, map), locking, single)).toBe(text)
  })

  test('every character of every pair of tables survives', () => {
    for (let locking = 0; locking < 14; locking++) {
      for (let single = 0; single < 14; single++) {
        const map = septetMap(locking, single)
        let all = ''
        for (let unit = 0; unit < map.length; unit++)
          if (septetsOf(map, unit) > 0) all += String.fromCharCode(unit)
        expect(all.length).toBeGreaterThan(100)
        expect(fromSeptets(toSeptets(all, map), locking, single)).toBe(all)
      }
    }
  })

  test('nobody changed them by accident', () => {
    // Compared place by place with two independent implementations when they were written.
    const digest = createHash('sha256')
      .update(JSON.stringify([lockingTables, singleTables]))
      .digest('hex')
    expect(digest).toMatch(/^f2b933c4bf315b04/)
  })
})

describe('receiving', () => {
  test('what the single shift table lacks shows the character of the locking table (23.038 6.2.1.1)', () => {
    expect(fromSeptets([ESCAPE, 0x41, ESCAPE, 0x65], 0, 0)).toBe('A€')
    expect(fromSeptets([ESCAPE, 0x73], 1, 1)).toBe('ş')
    expect(fromSeptets([ESCAPE, 0x73], 0, 0)).toBe('s')
  })

  test('an escape that ends the text or follows an escape is a space', () => {
    expect(fromSeptets([0x41, ESCAPE], 0, 0)).toBe('A ')
    expect(fromSeptets([0x41, ESCAPE, ESCAPE, 0x42], 0, 0)).toBe('A B')
  })

  test('an unknown language is the default', () => {
    expect(fromSeptets([0x00, ESCAPE, 0x65], 99, 200)).toBe('@€')
    expect(septetsOf(septetMap(2, 0), 'è'.charCodeAt(0))).toBe(1)
  })
})

describe('packing', () => {
  test('known answers', () => {
    const pack = (text: string) => Buffer.from(packSeptets(toSeptets(text, septetMap(0, 0)))).toString('hex')
    expect(pack('hellohello')).toBe('e8329bfd4697d9ec37')
    expect(pack('')).toBe('')
    expect(pack('@@@@@@@@')).toBe('00000000000000')
    expect(pack('€')).toBe('9b32')
  })

  test('what was packed is unpacked, with any fill bits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 127 }), { maxLength: 160 }),
        fc.integer({ min: 0, max: 6 }),
        (septets, fill) => {
          const octets = packSeptets(septets, fill)
          expect(octets.length).toBe(Math.ceil((septets.length * 7 + fill) / 8))
          expect(unpackSeptets(octets, septets.length, fill)).toEqual(septets)
        },
      ),
    )
  })

  test('octets that end early give fewer septets', () => {
    expect(unpackSeptets(new Uint8Array([0xff]), 10)).toEqual([127])
    expect(unpackSeptets(new Uint8Array(), 10)).toEqual([])
  })
})

test('a character that stands twice in a table is written as the first', () => {
  expect(toSeptets('*¡', septetMap(4, 4))).toEqual([ESCAPE, 0x0b, ESCAPE, 0x13])
  expect(fromSeptets([ESCAPE, 0x18, ESCAPE, 0x15], 4, 4)).toBe('*¡')
})

test('a character that the tables lack goes out as a question mark', () => {
  expect(fromSeptets(toSeptets('a`b', septetMap(0, 0)), 0, 0)).toBe('a?b')
})

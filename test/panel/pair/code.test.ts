/**
 * The code as the panel checks it while it is typed, against codes that the appliance writes: every single wrong sign
 * and every two neighbours changed over are named by their group.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeCode } from '#pair/ceremony/code.ts'
import { codeRows, fingerprintGroups, typedCode } from '../../../src/panel/pair/code.ts'

const code = (seed: number, addresses = ['10.77.0.1:8884']) =>
  writeCode({
    addresses,
    fingerprint: seed.toString(16).padStart(64, '5'),
    secret: Buffer.alloc(10, seed),
  })

describe('a code that is typed', () => {
  it('is right as it was printed, in lower case, without dashes, and with the letters that look like digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const whole = code(seed)
        for (const typed of [
          whole,
          whole.toLowerCase(),
          whole.replaceAll('-', ' '),
          whole.replaceAll('0', 'o').replaceAll('1', 'L'),
        ])
          expect(typedCode(typed)).toEqual({ groups: whole.split('-') })
      }),
    )
  })

  it('names the group with a wrong sign, or with two signs changed over', () => {
    const whole = code(77)
    const groups = whole.split('-')
    for (const [index, group] of groups.slice(0, -1).entries()) {
      for (let at = 0; at < group.length; at += 1) {
        const wrong = `${group.slice(0, at)}${group[at] === '7' ? '8' : '7'}${group.slice(at + 1)}`
        expect(typedCode(groups.with(index, wrong).join('-')).wrong).toBe(index)
        const [a, b] = [group[at] ?? '', group[at + 1] ?? '']
        if (b === '' || a === b) continue
        const changed = `${group.slice(0, at)}${b}${a}${group.slice(at + 2)}`
        expect(typedCode(groups.with(index, changed).join('-')).wrong).toBe(index)
      }
    }
  })

  it('says nothing about a group that is still typed', () => {
    expect(typedCode(code(5).slice(0, 10))).toEqual({ groups: [code(5).slice(0, 6), code(5).slice(7, 10)] })
    expect(typedCode('')).toEqual({ groups: [] })
  })
})

describe('what is read aloud', () => {
  it('shows a code in rows and a fingerprint in groups of four', () => {
    expect(codeRows('AAAAAA-BBBBBB-CCCCCC', 2)).toEqual([['AAAAAA', 'BBBBBB'], ['CCCCCC']])
    expect(fingerprintGroups('ab:cd:ef01')).toEqual(['ABCD', 'EF01'])
    expect(fingerprintGroups('')).toEqual([])
  })
})

/** Lines of the failover log as members write them (src/pair/role), and one that is none. */
import { describe, expect, it } from 'vitest'
import { linesWith, readLine } from '../../../src/panel/records/failover-lines.ts'

describe('a line of the failover log', () => {
  it('is taken apart, and what matters is marked', () => {
    expect(
      readLine('14:48:27.734 box-b SWITCH THIS SERVER TO ACTIVE, term 2 of box-b: maximum heart beat fails'),
    ).toEqual({
      time: '14:48:27.734',
      node: 'box-b',
      text: 'SWITCH THIS SERVER TO ACTIVE, term 2 of box-b: maximum heart beat fails',
      weight: 'switch',
    })
    expect(readLine('14:48:07.579 box-b box-a: error detected, count = 2').weight).toBe('fault')
    expect(readLine('14:48:07.579 box-b box-a is LIVE').weight).toBe('good')
    expect(readLine('14:48:07.579 box-b the term is 4').weight).toBe('plain')
  })

  it('is shown as it stands when it is none', () => {
    expect(readLine('what is this')).toEqual({ time: '', node: '', text: 'what is this', weight: 'plain' })
  })

  it('is found by all words together', () => {
    const lines = [
      '14:48:07.579 box-b box-a: error detected, count = 2',
      '14:48:08.000 box-a SWITCH THIS SERVER TO STANDBY, told to',
    ]
    expect(linesWith(lines, 'box-a ERROR').map(({ node }) => node)).toEqual(['box-b'])
    expect(linesWith(lines, ' ')).toHaveLength(2)
    expect(linesWith(lines, 'befohlen', (text) => text.replace('told to', 'befohlen'))).toHaveLength(1)
  })
})

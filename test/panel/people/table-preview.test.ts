/** The lines of a table that something is wrong with, as the file has them. */
import { describe, expect, it } from 'vitest'
import { firstLines, markedLines } from '../../../src/panel/people/table-preview.ts'

const table = 'id,name,sms\r\nops,Operations,+491701234567\r\n9x,Bad,none\r\n'

describe('the preview of a table', () => {
  it('puts each message beside its line, in the order of the file', () => {
    const problems = [
      { line: 3, text: 'sms: "none" is no number' },
      { line: 2, text: 'groups: x' },
      { line: 3, text: 'id: not allowed' },
    ]
    expect(markedLines(table, problems)).toEqual({
      lines: [
        { line: 2, text: 'ops,Operations,+491701234567', problems: ['groups: x'] },
        { line: 3, text: '9x,Bad,none', problems: ['sms: "none" is no number', 'id: not allowed'] },
      ],
      more: 0,
    })
  })

  it('shows so many lines that a browser stays quick, and says how many more there are', () => {
    const many = Array.from({ length: 900 }, (_, index) => ({ line: index + 1, text: 'x' }))
    const { lines, more } = markedLines('a\n'.repeat(900), many)
    expect(lines.length + more).toBe(900)
    expect(more).toBeGreaterThan(0)
  })

  it('shortens what is no table at all', () => {
    expect(firstLines(`${'x'.repeat(10_000)}\nb`, 2)[0]?.length).toBeLessThan(200)
    expect(firstLines('a\n\nb')).toEqual(['a', 'b'])
  })
})

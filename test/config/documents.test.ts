/** The `documents` section. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '#config/load.ts'

const read = (text: string) => parseConfig(text, '/etc/twinline.yaml').documents

describe('documents', () => {
  it('has defaults, key by key', () => {
    expect(read('node: a')).toBeUndefined()
    expect(read('documents: {}')).toEqual({ maxPages: 200, maxSize: 20e6, paper: 'a4' })
    expect(read('documents: { maxPages: 5, maxSize: 1MB, paper: letter }')).toEqual({
      maxPages: 5,
      maxSize: 1e6,
      paper: 'letter',
    })
  })

  it.each([
    ['maxPages: 0', 'documents.maxPages'],
    ['maxPages: 1001', 'documents.maxPages'],
    ['maxSize: 101MB', 'from 1MB to 100MB'],
    ['paper: a3', 'allowed: a4, letter, legal'],
    ['pages: 5', 'unknown key'],
  ])('%s is refused', (text, expected) => {
    expect(() => read(`documents: { ${text} }`)).toThrow(expected)
  })

  it('is as the example shows it', () => {
    const example = readFileSync('firmware-config/twinline.example.yaml', 'utf8')
    const line = /^# (documents: .*)$/m.exec(example)?.[1] ?? ''
    expect(read(line)).toEqual(read('documents: {}'))
  })
})

/** Every code that a foreign interface refuses with is documented. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)

test('docs/errors.md has a row for every code in the source', () => {
  const room = new URL('src/intake/compat/', root)
  const source = readdirSync(room)
    .map((name) => readFileSync(new URL(name, room), 'utf8'))
    .join('\n')
  const codes = new Set(
    [/new Problem\(\s*\d+,\s*'([a-z0-9-]+)'/g, /misformed\(name, '([a-z-]+)'/g, /code: '([a-z-]+)'/g].flatMap(
      (pattern) => [...source.matchAll(pattern)].map(([, code]) => code ?? ''),
    ),
  )
  expect(codes.size).toBeGreaterThan(20)
  const documented = readFileSync(new URL('docs/errors.md', root), 'utf8')
  expect([...codes].filter((code) => !documented.includes(`\n| \`${code}\` |`))).toEqual([])
})

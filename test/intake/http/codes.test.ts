/** Every code that the HTTP intake can answer with is documented. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)

test('docs/errors.md has a row for every code in the source', () => {
  const rooms = new URL('src/intake/http/', root)
  const source = readdirSync(rooms)
    .map((name) => readFileSync(new URL(name, rooms), 'utf8'))
    .join('\n')
  const codes = new Set(
    [
      /new Problem\(\s*\d+,\s*'([a-z0-9-]+)'/g,
      /new CodedError\(\s*'([a-z0-9-]+)'/g,
      /refuse\(\s*'([a-z0-9-]+)'/g,
      /\[\s*\d{3},\s*'([a-z0-9-]+)',/g,
      /\['(address-[a-z]+)'/g,
      /'(?:[a-z]+(?:\[\])?) [a-zA-Z]+': '([a-z-]+)'/g,
      /'(disk-full|store-[a-z]+)'/g,
    ].flatMap((pattern) => [...source.matchAll(pattern)].map(([, code]) => code ?? '')),
  )
  expect(codes.size).toBeGreaterThan(40)
  const documented = new Set(
    [...readFileSync(new URL('docs/errors.md', root), 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(
      ([, code]) => code,
    ),
  )
  expect([...codes].filter((code) => !documented.has(code))).toEqual([])
})

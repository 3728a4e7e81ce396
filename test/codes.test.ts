/** Every code that a client, a timeline or a log may show is explained in docs/errors.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cmeErrors, cmsErrors } from '../src/sms/cms-errors.table.ts'
import { tpStatus } from '../src/sms/tp-status.table.ts'

const root = new URL('../', import.meta.url)

/** Sources but the simulator, which plays the far side and is never met in the field. */
function sources(): string {
  return readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('simulator/'))
    .map((name) => readFileSync(new URL(`src/${name}`, root), 'utf8'))
    .join('\n')
}

test('docs/errors.md has a row for every code', () => {
  const source = sources()
  const written = [
    /\bcode: '([A-Za-z-]+)'/g,
    /\? \{ code: '([A-Za-z-]+)'/g,
    /\b(?:blocked|notYet|fault)\(\s*'([A-Za-z-]+)'/g,
    /new Refusal\(\s*\d+,\s*'([a-z-]+)'/g,
    /\b(?:notNow|refuse)\(\s*'([a-z-]+)'/g,
    /new CodedError\(\s*'([A-Za-z-]+)'/g,
    /super\('([a-z]+-[a-z-]+)'/g,
    /\binvalid\(\s*(?:'[a-z]+'|`[^`]+`),\s*'([a-z-]+)'/g,
    /\brow\('[a-z]+', (?:true|false), '([A-Za-z-]+)'/g,
  ].flatMap((pattern) => [...source.matchAll(pattern)].map(([, code]) => code ?? ''))
  const refusals = [...cmsErrors.values(), ...cmeErrors.values()].map(({ code }) => code)
  const reports = Array.from({ length: 256 }, (_, status) => tpStatus(status).code)

  const codes = new Set([...written, ...refusals, ...reports])
  expect(codes.size).toBeGreaterThan(120)
  expect([...codes].filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).toEqual([])
  const documented = new Set(
    [...readFileSync(new URL('docs/errors.md', root), 'utf8').matchAll(/^\| `([A-Za-z0-9-]+)` \|/gm)].map(
      ([, code]) => code,
    ),
  )
  expect([...codes].filter((code) => !documented.has(code)).sort()).toEqual([])
})

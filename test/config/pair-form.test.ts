/** The form of the key `pair` against its reader: nothing is missing, nothing is offered that is refused. */
import { describe, expect, test } from 'vitest'
import type { FormField } from '#config/form.ts'
import { parseConfig } from '#config/load.ts'
import { pairForm } from '#config/pair-form.ts'
import { ConfigInvalid } from '#config/source.ts'

/** What must stand beside a key for it to be allowed. */
const beside: Record<string, object> = {
  'pair.vip.address': { vip: { interface: 'eth0' } },
  'pair.vip.interface': { vip: { address: '192.0.2.10/24' } },
  'pair.vip.driver': { vip: { address: '192.0.2.10/24', interface: 'eth0' } },
}
const byHand = { interval: '1s', misses: 100, lease: '3s', renew: '500ms', grantWait: '15m' }

function whole(path: string, value: unknown): object {
  const [, key = '', inner] = path.split('.')
  const rest = (beside[path] ?? {}) as Record<string, object>
  return {
    listen: '10.77.0.1:8883',
    ...rest,
    [key]: inner === undefined ? value : { ...rest[key], [inner]: value },
  }
}

function problems(pair: object): string[] {
  try {
    parseConfig(JSON.stringify({ node: 'a', pair }), 'test.yaml')
    return []
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems.map(({ key, text }) => `${key}: ${text}`)
    throw error
  }
}

const allowedAt = (pair: object): string[] =>
  /allowed: ([a-zA-Z, ]+)/
    .exec(problems(pair).find((one) => one.includes('unknown key')) ?? '')?.[1]
    ?.split(', ') ?? []

test('there is a field for every key that is read', () => {
  const sections = ['vip', 'lan', 'accept', 'allow']
  const top = allowedAt({ listen: '10.77.0.1:8883', zzzzzzzz: 1 })
  const keys = top.flatMap((key) =>
    sections.includes(key)
      ? allowedAt({ listen: '10.77.0.1:8883', [key]: { zzzzzzzz: 1 } }).map((inner) => `${key}.${inner}`)
      : [key],
  )
  expect(
    pairForm()
      .map(({ path }) => path.slice('pair.'.length))
      .sort(),
  ).toEqual(keys.sort())
  const profile = pairForm().find(({ path }) => path === 'pair.profile')
  expect(profile?.columns?.map(({ path }) => path).sort()).toEqual(
    allowedAt({ listen: '10.77.0.1:8883', profile: { zzzzzzzz: 1 } }).sort(),
  )
})

const fields = pairForm().flatMap((field): { field: FormField; around: (value: unknown) => object }[] => [
  { field, around: (value) => whole(field.path, value) },
  ...(field.columns ?? []).map((column) => ({
    field: column,
    around: (value: unknown) => whole(field.path, { ...byHand, [column.path]: value }),
  })),
])

describe.each(fields.map((one) => [one.field.path, one] as const))('%s', (_path, { field, around }) => {
  test('its choices, bounds and examples are those of the reader', () => {
    const good = [
      ...(field.choices ?? []),
      field.default,
      field.type === 'list' ? undefined : field.placeholder,
    ]
    for (const value of good.filter((one) => one !== undefined)) expect(problems(around(value))).toEqual([])
    if (field.type === 'list') expect(problems(around([field.placeholder]))).toEqual([])
    if (field.type === 'choice') expect(problems(around('nothing-such'))).not.toEqual([])
    if (field.type === 'boolean') expect(problems(around('maybe'))).not.toEqual([])
    if (typeof field.min === 'number') expect(problems(around(field.min - 1))).not.toEqual([])
    if (typeof field.max === 'number') expect(problems(around(field.max + 1))).not.toEqual([])
    // A lease and what depends on it have rules between them; each bound alone is what the reader says.
    if (field.type === 'duration' && field.max !== undefined) {
      const text = problems(around('9999w')).find((one) => one.includes('from'))
      expect(text).toContain(`from ${field.min} to ${field.max}`)
    }
  })
})

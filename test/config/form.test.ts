/** The form of the settings against the readers: nothing is missing, nothing is offered that is refused. */
import { describe, expect, test } from 'vitest'
import { type FormField, settingsForm } from '#config/form.ts'
import { type KnownLines, readSetting, sharedDefaults, sharedPaths, written } from '#config/shared.ts'

const known: KnownLines = { node: 'a', lines: ['gsm0'], paired: true }
const fields = settingsForm().flatMap((section) => section.fields)
const fieldAt = (path: string): FormField => {
  const found = fields.find((field) => field.path === path)
  if (found === undefined) throw new Error(`no field ${path}`)
  return found
}
const isPath = (path: string) => sharedPaths.find((one) => one === path) ?? 'validity'
const read = (path: string, value: unknown) => readSetting(isPath(path), value, known)
const accepts = (path: string, value: unknown) => !('problems' in read(path, value))
const problems = (path: string, value: unknown): string[] => {
  const result = read(path, value)
  return 'problems' in result ? result.problems.map(({ path: at, text }) => `${at}: ${text}`) : []
}

test('there is a field for every shared setting, once, and for nothing else', () => {
  expect(fields.map(({ path }) => path).sort()).toEqual([...sharedPaths].sort())
})

test('its default is what holds when nothing is set', () => {
  const defaults = written(sharedDefaults())
  for (const { path, default: value } of fields) expect(value).toEqual(defaults[isPath(path)])
})

/** Every field with the way to it, and a value around a value of it. */
function leaves(
  of: readonly FormField[],
  root: string,
  around: (value: unknown) => unknown,
): { field: FormField; root: string; around: (value: unknown) => unknown }[] {
  return of.flatMap((field) => {
    const within = (value: unknown) => around({ ...examples[`${root}.${field.path}`], [field.path]: value })
    if (field.columns === undefined) return [{ field, root, around: within }]
    const inner = (value: unknown) =>
      within(
        field.type === 'table'
          ? [complete(`${root}.${field.path}`, value)]
          : complete(`${root}.${field.path}`, value),
      )
    return [{ field, root, around: within }, ...leaves(field.columns, `${root}.${field.path}`, inner)]
  })
}
/** What must stand beside a field for it to be allowed at all. */
const examples: Record<string, object> = { 'storm.quiet': { zone: 'UTC' } }
const wholes: Record<string, object> = {
  routes: { match: '*', lines: ['gsm0'] },
  sources: { source: 'http:x', prefer: 'a' },
  contacts: { id: 'x', name: 'X', sms: '+491701234567' },
  groups: { id: 'x', members: [] },
  'storm.quiet': { to: ['*'], from: '22:00', until: '06:00' },
  'inbound.rules': { from: '*', do: { mqtt: true } },
}
const complete = (path: string, value: unknown) => ({ ...wholes[path], ...(value as object) })

describe.each(fields.map((field) => [field.path, field] as const))('%s', (path, whole) => {
  const inner = whole.columns
    ? leaves(whole.columns, path, (value) => (whole.type === 'table' ? [complete(path, value)] : value))
    : []
  const all = [{ field: whole, root: '', around: (value: unknown) => value }, ...inner]

  test('offers the keys that are read, and no other', () => {
    for (const { field, around } of all) {
      if (field.columns === undefined) continue
      const strange = { zzzzzzzz: '1' }
      const value = around(field.type === 'table' ? [strange] : strange)
      const text = problems(path, value).find((one) => one.includes('zzzzzzzz') && one.includes('allowed'))
      const allowed = /allowed: ([a-zA-Z, ]+)/
        .exec(text ?? '')?.[1]
        ?.split(', ')
        .sort()
      expect(allowed, `${path} ${field.path}`).toEqual(field.columns.map((column) => column.path).sort())
    }
  })

  test('its bounds, choices and defaults are those of the reader', () => {
    for (const { field, root, around } of all) {
      const name = `${root} ${field.path}`
      for (const value of [field.min, field.max, ...(field.choices ?? [])]) {
        if (value !== undefined) expect(problems(path, around(value)), name).toEqual([])
      }
      if (field.default !== undefined && root !== '')
        expect(accepts(path, around(field.default)), name).toBe(true)
      if (field.type === 'choice') expect(accepts(path, around('nothing-such')), name).toBe(false)
      if (field.type === 'boolean') expect(accepts(path, around('maybe')), name).toBe(false)
      if (typeof field.min === 'number') expect(accepts(path, around(field.min - 1)), name).toBe(false)
      if (typeof field.max === 'number') expect(accepts(path, around(field.max + 1)), name).toBe(false)
      if (field.type === 'duration') {
        expect(accepts(path, around('1ms')), name).toBe(false)
        expect(accepts(path, around('9999w')), name).toBe(false)
      }
      if (field.placeholder !== undefined && field.type !== 'list')
        expect(problems(path, around(field.placeholder)), name).toEqual([])
      if (field.placeholder !== undefined && field.type === 'list')
        expect(problems(path, around([field.placeholder])), name).toEqual([])
    }
  })

  test('what it calls required is', () => {
    for (const { field } of all) {
      if (field.type !== 'table') continue
      const full = wholes[path === field.path ? path : `${path}.${field.path}`] ?? {}
      for (const column of field.columns ?? []) {
        if (!column.required) continue
        const { [column.path]: _, ...rest } = { ...(full as Record<string, unknown>) }
        const value = field === whole ? [rest] : { zone: 'UTC', [field.path]: [rest] }
        expect(accepts(path, value), `${path} ${column.path}`).toBe(false)
      }
    }
  })
})

test('a field is found by its path', () => {
  expect(fieldAt('log.level').choices).toEqual(['debug', 'info', 'warn', 'error'])
})

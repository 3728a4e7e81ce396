/** The form of a member's own file against the readers: nothing is missing, nothing is offered that is refused. */
import { describe, expect, test } from 'vitest'
import type { FormField } from '#config/form.ts'
import { parseConfig } from '#config/load.ts'
import { ownForm } from '#config/own-form.ts'
import { sharedPaths } from '#config/shared.ts'
import { ConfigInvalid } from '#config/source.ts'

const gsm = { id: 'gsm0', kind: 'gsm', port: 'sim://gsm' }
const fax = { id: 'fax0', kind: 'fax', port: 'serial:///dev/ttyACM0' }
const poll = { id: 'x', url: 'tcp://192.0.2.1:502', register: 40021, when: '> 45', to: ['ops'] }
const vip = { address: '192.0.2.10/24', interface: 'eth0' }
const profile = { interval: '1s', misses: 100, lease: '3s', renew: '500ms', grantWait: '15m' }

/** What must stand at a path for it to be allowed at all. */
const wholes: Record<string, object> = {
  http: { listen: ':8080' },
  https: { listen: ':8443', certificate: 'a.pem', key: 'b.pem' },
  'lines gsm': gsm,
  'lines fax': fax,
  'lines fax.doNotDial': { from: '22:00', until: '06:00', zone: 'UTC' },
  'intake.smtp': { listen: ':2525', allow: ['10.0.0.0/8'] },
  'intake.compat.alertmanager': { to: ['ops'] },
  'intake.compat.grafana': { to: ['ops'] },
  'intake.compat.homeAssistant': { to: ['ops'] },
  'intake.compat.apprise': { to: ['ops'] },
  'intake.mqtt': { url: 'mqtts://broker.example.org', user: 'x' },
  'intake.modbus.poll': poll,
  'intake.modbus.server': { listen: ':502' },
  'intake.modbus.server.alerts': { register: 40101, to: ['ops'], text: 'x' },
  mail: { url: 'smtp://mail.example.org', from: 'a@example.org' },
  'inbound.webhook': { url: 'https://example.org', secret: 'a secret of some length' },
  ldap: { url: 'ldap://x', base: 'dc=x', bind: 'cn=a', password: 'x' },
  pair: { listen: '10.77.0.1:8883' },
  'pair.vip': vip,
  'pair.profile': profile,
}
const secrets: Record<string, string> = { pin: '1234', secret: 'a secret of some length', password: 'x' }

function problems(config: object): string[] {
  try {
    parseConfig(JSON.stringify(config), '/test.yaml')
    return []
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems.map(({ key, text }) => `${key}: ${text}`)
    throw error
  }
}

/** The keys that a message about an unknown one names. */
const allowedIn = (config: object): string[] =>
  /allowed: ([a-zA-Z, ]+)/
    .exec(problems(config).find((one) => one.includes('zzzzzzzz')) ?? '')?.[1]
    ?.split(', ')
    .sort() ?? []

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A configuration with a value at a path, and around it what has to be there. */
function at(path: string, value: unknown): object {
  const steps = path.split('.')
  return steps.reduceRight<unknown>((inner, step, index) => {
    const above = steps.slice(0, index).join('.')
    return { ...(wholes[above] ?? {}), [step]: inner }
  }, value) as object
}

interface Place {
  name: string
  field: FormField
  around: (value: unknown) => object
  /** Left away: its own whole without it. */
  without: () => object
}

/** Every field with a configuration around a value of it. `lines` is walked twice, once for each kind. */
function places(
  fields: readonly FormField[],
  base: string,
  wrap: (key: string, value: unknown) => object,
): Place[] {
  return fields.flatMap((field) => {
    const kinds = field.path === 'lines' ? [' gsm', ' fax'] : ['']
    return kinds.flatMap((kind) => {
      const name = `${base === '' ? '' : `${base}.`}${field.path}${kind}`
      const whole: Record<string, unknown> = { ...wholes[name] }
      const around = (value: unknown) => wrap(field.path, value)
      const own: Place = { name, field, around, without: () => wrap(field.path, undefined) }
      const columns = (field.columns ?? []).filter(
        ({ only }) => only === undefined || only.is.some((one) => ` ${one}` === kind),
      )
      const inner = (key: string, value: unknown) => {
        const entry = { ...whole, [key]: value }
        return around(field.type === 'table' ? [entry] : entry)
      }
      return [own, ...places(columns, name, inner)]
    })
  })
}

const fields = ownForm().flatMap((section) => section.fields)
const all = places(fields, '', (key, value) => at(key, value))

test('no field is there twice, and none is of a shared setting', () => {
  const paths = fields.map(({ path }) => path)
  expect(new Set(paths).size).toBe(paths.length)
  expect(paths.filter((path) => sharedPaths.some((shared) => shared === path))).toEqual([])
})

test('there is a field for every key of the file that is not shared', () => {
  const known = (path: string): boolean =>
    [...fields.map((field) => field.path), ...sharedPaths].some(
      (one) => one === path || one.startsWith(`${path}.`),
    )
  const top = allowedIn({ zzzzzzzz: 1 })
  expect(top.filter((key) => !known(key))).toEqual([])
  for (const section of [
    'intake',
    'intake.compat',
    'intake.modbus',
    'inbound',
    'pair',
    'pair.vip',
    'pair.lan',
  ]) {
    const keys = allowedIn(at(section, { ...wholes[section], zzzzzzzz: 1 }))
    expect(keys.length, section).toBeGreaterThan(0)
    expect(keys.filter((key) => !known(`${section}.${key}`))).toEqual([])
  }
  for (const section of ['pair.accept', 'pair.allow']) {
    const keys = allowedIn(at(section, { zzzzzzzz: 1 }))
    expect(keys.filter((key) => !known(`${section}.${key}`))).toEqual([])
  }
})

describe.each(all.map((one) => [one.name, one] as const))('%s', (name, { field, around, without }) => {
  test('its columns, choices, bounds, defaults and examples are those of the reader', () => {
    if (field.columns !== undefined) {
      const kind = /^lines (gsm|fax)$/.exec(name)?.[1]
      const whole = { ...wholes[name], zzzzzzzz: 1 }
      const keys = field.columns
        .filter(({ only }) => only === undefined || only.is.some((one) => one === kind))
        .map(({ path }) => path)
      expect(allowedIn(around(field.type === 'table' ? [whole] : whole))).toEqual(keys.sort())
    }
    const list = field.type === 'list'
    const kindOf = name.startsWith('lines') && field.path === 'kind'
    const good = [
      ...(kindOf ? [] : (field.choices ?? [])).filter((one) => !(name.endsWith('.type') && one === 'bit')),
      field.default,
      name === 'lines fax.port' ? undefined : list ? undefined : field.placeholder,
      ...(field.type === 'size' ? [field.min, field.max] : []),
      secrets[field.path],
    ]
    const also = name === 'intake.smtp.auth' ? [] : good
    for (const value of also.filter((one) => one !== undefined && !isRecord(one)))
      expect(problems(around(value)), String(value)).toEqual([])
    if (list) expect(problems(around([field.placeholder]))).toEqual([])
    if (field.type === 'choice') expect(problems(around('nothing-such'))).not.toEqual([])
    if (field.type === 'boolean') expect(problems(around('maybe'))).not.toEqual([])
    if (field.type === 'size') expect(problems(around('999999GB'))).not.toEqual([])
    for (const [bound, by] of [
      [field.min, -1],
      [field.max, 1],
    ] as const) {
      if (typeof bound !== 'number') continue
      expect(problems(around(bound))).toEqual([])
      expect(problems(around(bound + by))).not.toEqual([])
    }
    // A lease and what depends on it have rules between them; each bound alone is what the reader says.
    if (field.type === 'duration' && field.max !== undefined) {
      const text = problems(around('9999w')).find((one) => one.includes('from'))
      expect(text).toContain(`from ${field.min} to ${field.max}`)
      if (field.default !== undefined) expect(text).toContain(`such as ${field.default}`)
    }
  })

  test('is required where it says so', () => {
    if (field.required !== true) return
    expect(problems(without()).some((one) => /is missing|must name/.test(one))).toBe(true)
  })
})

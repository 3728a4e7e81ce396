/** `intake.compat` as people write it, and what they are told when it is wrong. */
import { expect, test } from 'vitest'
import { alertDefaults, readCompat } from '#config/compat.ts'
import { Section } from '#config/section.ts'
import { Source } from '#config/source.ts'

function read(yaml: string) {
  const source = new Source(yaml)
  const compat = readCompat(new Section(source, '', source.root()))
  return { compat, problems: source.problems.map(({ key, text }) => `${key}: ${text}`) }
}

test('everything is off until it is named', () => {
  expect(read('{}')).toEqual({ compat: undefined, problems: [] })
  expect(read('compat: {}')).toEqual({ compat: undefined, problems: [] })
  expect(read('compat: { kannel: false }').compat).toBeUndefined()
})

test('interfaces by name, alerts with their defaults and a template', () => {
  const { compat, problems } = read(`
compat:
  kannel: true
  alertmanager: { to: [ops, +4917012345] }
  grafana: { to: [ops], text: "{label.site} {alerts}", alert: "{name}", resolved: false, limit: 160 }
  apprise: { to: [ops] }
`)
  expect(problems).toEqual([])
  expect(compat).toEqual({
    smseagle: false,
    kannel: true,
    ozeki: false,
    twilio: false,
    smsGateway: false,
    apprise: { to: ['ops'] },
    alertmanager: { to: ['ops', '+4917012345'], ...alertDefaults, resolved: true },
    grafana: { to: ['ops'], text: '{label.site} {alerts}', alert: '{name}', resolved: false, limit: 160 },
  })
})

test.each([
  ['compat: { kanel: true }', /^compat.kanel: unknown key; .*did you mean kannel\?$/],
  ['compat: { kannel: yes please }', /^compat.kannel: must be true or false$/],
  ['compat: { alertmanager: true }', /^compat.alertmanager: must be a section/],
  ['compat: { alertmanager: { to: [] } }', /^compat.alertmanager.to: must name at least one/],
  [
    'compat: { grafana: { to: [a], text: "{alert}" } }',
    /^compat.grafana.text: .*in braces may stand: status, /,
  ],
  [
    'compat: { grafana: { to: [a], alert: "{alerts}" } }',
    /^compat.grafana.alert: .*in braces may stand: status, name/,
  ],
  ['compat: { grafana: { to: [a], limit: 3 } }', /^compat.grafana.limit: must be a whole number from 20/],
  ['compat: { apprise: { to: [a], limit: 30 } }', /^compat.apprise.limit: unknown key; allowed: to$/],
])('%s', (yaml, problem) => {
  expect(read(yaml).problems[0]).toMatch(problem)
})

/** The configuration of received messages and of outgoing mail: read, written, and refused with a reason. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inboundDefaults, inboundPaths } from '#config/inbound.ts'
import { parseConfig } from '#config/load.ts'
import { readSetting, written } from '#config/shared.ts'
import { ConfigInvalid } from '#config/source.ts'

const whole = `
node: a
mail: { url: smtps://u:p@mail.example.org, from: twinline@example.org, ca: ca.pem }
inbound:
  webhook: { url: https://duty.example.org/sms, secret: 0123456789abcdef }
  rules:
    - { from: "+49*", keyword: ON, do: { mail: [duty@example.org], webhook: true, mqtt: true, sms: [ops, "+49 170 1"], reply: "Taken." } }
    - { from: ADAC, do: { webhook: "https://x.example.org/a" } }
    - { do: { mqtt: true } }
  blacklist: [SPAM, "+4990*"]
  acknowledge: false
  replies: 5/2h
  own: ["+491701234567"]
`

test('everything is read, and written as people write it', () => {
  const config = parseConfig(whole, '/etc/twinline/twinline.yaml')
  expect(config.mail).toEqual({
    host: 'mail.example.org',
    port: 465,
    secure: true,
    login: { user: 'u', password: 'p' },
    from: 'twinline@example.org',
    ca: '/etc/twinline/ca.pem',
  })
  expect(config.webhook).toEqual({
    url: 'https://duty.example.org/sms',
    secret: '0123456789abcdef',
    timeout: 10_000,
    retryFor: 86_400_000,
  })
  expect(config.inbound).toMatchObject({
    blacklist: ['SPAM', '+4990*'],
    acknowledge: false,
    stop: true,
    replies: { most: 5, per: 7_200_000 },
    own: ['+491701234567'],
  })
  expect(config.inbound.rules).toEqual([
    {
      from: '+49*',
      keyword: 'ON',
      mail: ['duty@example.org'],
      webhook: true,
      mqtt: true,
      sms: ['ops', '+49 170 1'],
      reply: 'Taken.',
    },
    { from: 'ADAC', mail: [], webhook: 'https://x.example.org/a', mqtt: false, sms: [] },
    { from: '*', mail: [], mqtt: true, sms: [] },
  ])
  const known = { node: 'a', lines: [], paired: false }
  for (const path of inboundPaths) {
    const read = readSetting(path, written(config)[path], known)
    expect(read).toMatchObject({ value: written(config)[path] })
    expect('shared' in read && read.shared.inbound).toMatchObject({
      [path.slice('inbound.'.length)]: Reflect.get(config.inbound, path.slice('inbound.'.length)),
    })
  }
  // The secrets are in none of what members share.
  expect(JSON.stringify(written(config))).not.toMatch(/0123456789abcdef|smtps/)
})

test('without a word about it', () => {
  const config = parseConfig('node: a', 'x.yaml')
  expect(config.inbound).toEqual(inboundDefaults())
  expect(config).not.toHaveProperty('mail')
  expect(config).not.toHaveProperty('webhook')
})

const problems = (text: string): string => {
  try {
    parseConfig(text, 'x.yaml')
    return ''
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message
    throw error
  }
}

describe('what is wrong is said, with its place', () => {
  test.each([
    ['inbound: { rules: [{ from: "*" }] }', /inbound\.rules\[0\]\.do .*is missing/],
    ['inbound: { rules: [{ from: "*", do: {} }] }', /inbound\.rules\[0\]\.do .*does nothing/],
    ['inbound: { rules: [{ from: "+49**", do: { mqtt: true } }] }', /rules\[0\]\.from .*write "\*"/],
    ['inbound: { rules: [{ keyword: "two words", do: { mqtt: true } }] }', /keyword .*one word/],
    ['inbound: { rules: [{ do: { mail: [duty] } }] }', /do\.mail\[0\] .*duty@example\.org/],
    ['inbound: { rules: [{ do: { mail: [a@b.c] } }] }', /do\.mail .*mail\.url/],
    ['inbound: { rules: [{ do: { webhook: true } }] }', /do\.webhook .*inbound\.webhook/],
    ['inbound: { rules: [{ do: { webhook: "ftp://x" } }] }', /do\.webhook .*https/],
    ['inbound: { rules: [{ do: { sms: ["+4"] } }] }', /^(?!.*sms\[0\])/s],
    ['inbound: { rules: [{ do: { sms: ["a b"] } }] }', /do\.sms\[0\] .*contact/],
    ['inbound: { rules: [{ do: { reply: "" } }] }', /do\.reply .*1000 characters/],
    ['inbound: { rules: [{ do: { replay: x } }] }', /unknown key; .*did you mean reply/],
    ['inbound: { blacklist: ["+49 170"] }', /blacklist\[0\]/],
    ['inbound: { replies: often }', /replies .*3\/1h/],
    ['inbound: { own: [ADAC] }', /own\[0\]/],
    ['inbound: { webhook: { url: "https://x" } }', /webhook\.secret .*is missing/],
    ['inbound: { webhook: { url: "https://x", secret: short } }', /webhook\.secret .*16 to 200/],
    [
      'inbound: { webhook: { url: "https://u:p@x", secret: 0123456789abcdef } }',
      /webhook\.url .*without user/,
    ],
    ['mail: { url: "smtp://x" }', /mail\.from .*is missing/],
    ['mail: { url: "http://x", from: a@b.c }', /mail\.url .*smtps:/],
    ['mail: { url: "smtp://x", from: nobody }', /mail\.from .*duty@example\.org/],
  ])('%s', (text, wanted) => expect(problems(text)).toMatch(wanted))

  test('without repeating a secret', () => {
    const said =
      problems('mail: { url: "smtps://box:hunter22@h/path", from: a@b.c }') +
      problems('inbound: { webhook: { url: "https://u:hunter22@x", secret: hunter22 } }')
    expect(said).toContain('mail.url')
    expect(said).toContain('inbound.webhook.secret')
    expect(said).not.toContain('hunter22')
  })
})

test('the example is right where it is taken in', () => {
  const example = readFileSync('firmware-config/twinline.example.yaml', 'utf8')
  const [, own = ''] = /^# Outgoing mail.*?\n(# mail:\n.*?)\nlog:/ms.exec(example) ?? []
  const taken = own.split('\n').filter((line) => /^# {2,}|^# [a-z]+:$/.test(line))
  const config = parseConfig(taken.map((line) => line.slice(2)).join('\n'), 'x.yaml')
  expect(config.mail).toBeDefined()
  expect(config.webhook).toBeDefined()
  expect(config.inbound.rules).toHaveLength(1)
})

import { mkdtempSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig, parseConfig } from '#config/load.ts'
import { nodeName } from '#config/schema.ts'
import { sharedDefaults } from '#config/shared.ts'
import { ConfigInvalid } from '#config/source.ts'

const minute = 60_000
const day = 24 * 60 * minute

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, '/etc/twinline/twinline.yaml')
    return []
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    expect(error.code).toBe('config-invalid')
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
}

/** A configuration with one line that has these keys besides the needed ones. */
const line = (keys: string) => `lines:\n  - id: gsm0\n    kind: gsm\n    port: sim://gsm\n    ${keys}\n`

test('an empty file is a whole configuration', () => {
  expect(parseConfig('', '/etc/twinline/twinline.yaml')).toEqual({
    // What later features add is read in tests of their own.
    ...sharedDefaults(),
    node: nodeName(hostname()),
    data: '/var/lib/twinline',
    lines: [],
    routes: [],
    validity: 30 * minute,
    retention: { queue: 7 * day, archive: 400 * day },
    reserve: 16_000_000,
    log: { level: 'info' },
    given: [],
  })
})

test('every key is read, and paths start from the directory of the file', () => {
  const config = parseConfig(
    `
node: box-1
data: data
http: { listen: 127.0.0.1:8080 }
https: { listen: "[::]:8443", certificate: tls/server.pem, key: /etc/key.pem }
lines:
  - id: gsm0
    kind: gsm
    port: serial:///dev/ttyUSB2?baud=9600&rtscts=true
    reports: false
    profile: simcom-sim7600
    pin: 0123
    smsc: +491710760000
    imei: 861234567890123
    rate: 10/1m
    concatenation: 16
    disabled: true
  - { id: gsm1, kind: gsm, port: "tcp://[2001:db8::7]:4001" }
  - { id: sim, kind: gsm, port: "sim://gsm?network=2000&errors=CMS%2038" }
routes:
  - { match: "+49*", lines: [gsm0, gsm1], cost: 7 }
  - { match: "*", lines: [sim] }
validity: 2h
retention: { queue: 1d, archive: 2w }
reserve: 1GB
log: { level: warn }
`,
    '/etc/twinline/twinline.yaml',
  )
  expect(config).toEqual({
    ...sharedDefaults(),
    node: 'box-1',
    data: '/etc/twinline/data',
    http: { listen: { host: '127.0.0.1', port: 8080 } },
    https: {
      listen: { host: '::', port: 8443 },
      certificate: '/etc/twinline/tls/server.pem',
      key: '/etc/key.pem',
    },
    lines: [
      {
        id: 'gsm0',
        kind: 'gsm',
        port: {
          scheme: 'serial',
          path: '/dev/ttyUSB2',
          baud: 9600,
          rtscts: true,
        },
        reports: false,
        profile: 'simcom-sim7600',
        pin: '0123',
        smsc: '+491710760000',
        imei: '861234567890123',
        rate: { parts: 10, perMs: minute },
        concatenation: 16,
        disabled: true,
      },
      {
        id: 'gsm1',
        kind: 'gsm',
        port: { scheme: 'tcp', host: '2001:db8::7', port: 4001 },
        reports: true,
        concatenation: 8,
        disabled: false,
      },
      {
        id: 'sim',
        kind: 'gsm',
        port: {
          scheme: 'sim',
          kind: 'gsm',
          options: { network: '2000', errors: 'CMS 38' },
        },
        reports: true,
        concatenation: 8,
        disabled: false,
      },
    ],
    routes: [
      { match: '+49*', lines: ['gsm0', 'gsm1'], cost: 7 },
      { match: '*', lines: ['sim'], cost: 0 },
    ],
    validity: 120 * minute,
    retention: { queue: day, archive: 14 * day },
    reserve: 1e9,
    log: { level: 'warn' },
    given: ['routes', 'validity', 'retention.queue', 'retention.archive', 'reserve', 'log.level'],
  })
})

test.each([
  [':8080', '::', 8080],
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['localhost:80', 'localhost', 80],
  ['[::1]:443', '::1', 443],
  ['[fe80::1%eth0]:443', 'fe80::1%eth0', 443],
])('listens at %s', (text, host, port) => {
  expect(parseConfig(`http: { listen: "${text}" }`, 'x').http).toEqual({
    listen: { host, port },
  })
})

test.each<[string, string, RegExp]>([
  [
    'an unknown key',
    'lnies: []',
    /^lnies \(line 1, column 1\): unknown key; allowed: node, data, http, .*; did you mean lines\?$/,
  ],
  [
    'an unknown key of a line',
    line('prot: x'),
    /^lines\[0\]\.prot \(line 5, column 5\): unknown key; allowed: id, kind, port, .*; did you mean port\?$/,
  ],
  ['a key of nothing similar', 'zebra: 1', /^zebra .*allowed: node, data, .*log/],
  [
    'an unknown key of a section',
    'log: { lvl: info }',
    /^log\.lvl \(line 1, column 8\): unknown key; allowed: level/,
  ],
  [
    'a missing key',
    'lines:\n  - id: gsm0\n    kind: gsm',
    /^lines\[0\]\.port \(line 2, column 5\): is missing$/,
  ],
  ['a key without a value', 'node:', /^node \(line 1.*\): has no value/],
  ['a section where a word belongs', 'node: { a: 1 }', /^node .*must be a text$/],
  ['a word where a section belongs', 'log: debug', /^log .*must be a section/],
  ['a word where a list belongs', 'lines: gsm0', /^lines .*must be a list/],
  ['a word where a line belongs', 'lines: [gsm0]', /^lines\[0\] .*must be a section/],
  ['a name with a blank', 'node: my box', /^node .*"my box" is not allowed here; up to 63 letters/],
  ['http without an address', 'http:', /^http\.listen .*is missing$/],
  ['a bare port', 'http: { listen: 8080 }', /^http\.listen .*"8080" is not allowed here; write address:port/],
  ['a port too high', 'http: { listen: ":65536" }', /^http\.listen .*write address:port/],
  ['IPv6 without brackets', 'http: { listen: "::1:80" }', /^http\.listen .*\[::1\]:8080/],
  ['half a certificate', 'https: { listen: ":1", key: k }', /^https .*give both or neither/],
  [
    'one address twice',
    'http: { listen: ":1" }\nhttps: { listen: ":1" }',
    /^https .*cannot listen at the same address/,
  ],
  [
    'a kind that does not exist',
    'lines: [{ id: a, kind: gms, port: "sim://gsm" }]',
    /^lines\[0\]\.kind .*allowed: gsm, fax; did you mean gsm\?$/,
  ],
  [
    'a profile of a modem that does not exist',
    line('profile: simcom'),
    /^lines\[0\]\.profile \(line 5, column 14\): "simcom" is not allowed here; allowed: generic, .*simcom-sim7600/,
  ],
  [
    'a device without its scheme',
    'lines: [{ id: a, kind: gsm, port: /dev/ttyUSB0 }]',
    /^lines\[0\]\.port .*write serial:\/\/\/dev/,
  ],
  [
    'a device that is not a whole path',
    'lines: [{ id: a, kind: gsm, port: "serial://ttyUSB0" }]',
    /the whole path of the device/,
  ],
  [
    'an unknown option of a port',
    'lines: [{ id: a, kind: gsm, port: "serial:///dev/x?baudrate=9600" }]',
    /option "baudrate" is unknown; allowed: baud, rtscts$/,
  ],
  [
    'a wrong baud rate',
    'lines: [{ id: a, kind: gsm, port: "serial:///dev/x?baud=fast" }]',
    /baud is a whole number/,
  ],
  [
    'a device server without a port',
    'lines: [{ id: a, kind: gsm, port: "tcp://host" }]',
    /write tcp:\/\/host:port/,
  ],
  ['an unknown simulation', 'lines: [{ id: a, kind: gsm, port: "sim://fax" }]', /write sim:\/\/gsm$/],
  ['yes for true', line('reports: yes'), /^lines\[0\]\.reports .*must be true or false$/],
  ['a wrong service centre', line('smsc: none'), /^lines\[0\]\.smsc .*write a number/],
  ['a wrong IMEI', line('imei: 123'), /^lines\[0\]\.imei .*15 digits/],
  ['a wrong rate', line('rate: 10'), /^lines\[0\]\.rate .*such as 10\/1m$/],
  ['a wrong width', line('concatenation: 12'), /^lines\[0\]\.concatenation .*write 8 or 16/],
  [
    'one id twice',
    `${line('')}  - { id: gsm0, kind: gsm, port: "sim://gsm" }`,
    /^lines\[1\]\.id .*"gsm0" is already the id of lines\[0\]$/,
  ],
  [
    'one device twice',
    'lines:\n  - { id: a, kind: gsm, port: "serial:///dev/x" }\n  - { id: b, kind: gsm, port: "serial:///dev/x?baud=9600" }',
    /^lines\[1\]\.port .*\/dev\/x already belongs to line a$/,
  ],
  [
    'a route to no line',
    `${line('')}routes: [{ match: "*", lines: [gsm1] }]`,
    /^routes\[0\]\.lines\[0\] .*there is no line "gsm1"; lines: gsm0$/,
  ],
  [
    'a route without lines',
    `${line('')}routes: [{ match: "*", lines: [] }]`,
    /^routes\[0\]\.lines .*must name at least one line$/,
  ],
  [
    'a wrong pattern',
    `${line('')}routes: [{ match: "+49?", lines: [gsm0] }]`,
    /^routes\[0\]\.match .*a beginning such as "\+49\*"/,
  ],
  [
    'a wrong cost',
    `${line('')}routes: [{ match: "*", lines: [gsm0], cost: -1 }]`,
    /^routes\[0\]\.cost .*whole number from 0/,
  ],
  [
    'a span without a unit',
    'validity: 30',
    /^validity .*"30" is not allowed here; write a span such as 30m, from 5s to 63w/,
  ],
  ['a span too short', 'validity: 1s', /^validity .*from 5s/],
  ['a wrong size', 'reserve: 16', /^reserve .*such as 16MB/],
  [
    'a wrong level',
    'log: { level: warning }',
    /^log\.level .*allowed: debug, info, warn, error; did you mean warn\?$/,
  ],
  ['one key twice', 'node: a\nnode: b', /^line 2, column 1: this key stands here twice/],
  [
    'an unquoted star',
    'routes:\n  - match: *\n',
    /^line 2, column 12: a value that begins with \* needs quotes/,
  ],
  ['a tab', 'http:\n\tlisten: ":1"', /^line 2, column 1: YAML is indented with spaces/],
  ['a list as the whole file', '- a', /^the file must be|^line 1, column 1: the file must be/],
  ['something unfinished', 'http: { listen: ":1"', /^line 1, column \d+: not valid YAML/],
])('%s is refused, with its place and what is allowed', (_, text, expected) => {
  const problems = problemsOf(text)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(expected)
})

test('all problems are told at once, each with its place', () => {
  const problems = problemsOf('nod: a\nvalidity: 1\nlines:\n  - { id: a b, kind: gsm }\nreserve: x\n')
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'lines[0].port (line 4, column 5)',
    'lines[0].id (line 4, column 11)',
    'validity (line 2, column 11)',
    'reserve (line 5, column 10)',
    'nod (line 1, column 1)',
  ])
})

test.each([
  line('pin: "98765x"'),
  line('pin: 987654321'),
  line('pin: "98765" 4'),
  line('pin: "98765'),
  line('pin: *98765'),
])('a wrong PIN is never repeated', (text) => {
  const problems = problemsOf(text)
  expect(problems.length).toBeGreaterThan(0)
  expect(problems.join()).not.toContain('98765')
})

test('values may be shared by anchors', () => {
  expect(parseConfig('validity: &span 2h\nretention: { queue: *span }', 'x').retention.queue).toBe(
    120 * minute,
  )
})

test('a file that is not there is one problem of its own', () => {
  expect(() => loadConfig('/nonexistent/twinline.yaml')).toThrow(
    /twinline.yaml cannot be used:\n {2}cannot be read: ENOENT/,
  )
})

test('a huge file is refused unread', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'twinline-')), 'huge.yaml')
  writeFileSync(file, '#'.repeat(1_000_001))
  expect(() => loadConfig(file)).toThrow(/too large/)
})

test('the example holds', () => {
  const config = loadConfig('firmware-config/twinline.example.yaml')
  expect(config.lines.map(({ id }) => id)).toEqual(['gsm0', 'gsm1'])
  expect(config.routes).toHaveLength(2)
  expect(config.https).toEqual({ listen: { host: '::', port: 8443 } })
})

test('the example of a pair holds', () => {
  const { pair } = loadConfig('firmware-config/twinline.pair.example.yaml')
  expect(pair?.advertise).toEqual([{ host: '10.77.0.1', port: 8883 }])
  expect(pair?.vip?.driver).toBe('iproute2')
})

test.each([
  ['box', 'box'],
  ['my box_1.lan', 'my-box_1.lan'],
  ['-édge', 'dge'],
  ['', 'twinline'],
])('the host %j makes the node %s', (host, node) => {
  expect(nodeName(host)).toBe(node)
})

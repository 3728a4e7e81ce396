/** `intake.modbus` and `intake.mqtt` as people write them, and what they are told when it is wrong. */
import { describe, expect, test } from 'vitest'
import { holds, readModbus } from '#config/modbus.ts'
import { readMqtt } from '#config/mqtt.ts'
import { Section } from '#config/section.ts'
import { Source } from '#config/source.ts'

function read(yaml: string) {
  const source = new Source(yaml)
  const root = new Section(source, '', source.root())
  const path = (text: string) => ({ value: `/etc/${text}` })
  return {
    modbus: readModbus(root),
    mqtt: readMqtt(root, path),
    problems: source.problems.map(({ key, text }) => `${key}: ${text}`),
  }
}
const poll = (more: string) =>
  read(
    `modbus: { poll: [{ id: ups, url: tcp://10.0.0.9:502, register: 40021, when: "> 45", to: [ops], ${more} }] }`,
  )

describe('modbus', () => {
  test('a watched register with its defaults', () => {
    const { modbus, problems } = poll('scale: 0.1')
    expect(problems).toEqual([])
    expect(modbus?.poll[0]).toMatchObject({
      device: { scheme: 'tcp', host: '10.0.0.9', port: 502 },
      unit: 1,
      table: 'holding',
      address: 20,
      type: 'int16',
      scale: 0.1,
      when: { comparison: '>', limit: 45 },
      every: 1_000,
      lost: 10_000,
      latch: false,
      priority: 1,
    })
  })
  test.each([
    ['40021', 'holding', 20],
    ['400021', 'holding', 20],
    ['30001', 'input', 0],
    ['10017', 'discrete', 16],
    ['00001', 'coil', 0],
    ['465536', 'holding', 65_535],
  ])('register %s is address %s %i', (register, table, address) => {
    const { modbus, problems } = read(
      `modbus: { poll: [{ id: a, url: tcp://h:1, register: ${register}, when: "== 1", to: [x] }] }`,
    )
    expect(problems).toEqual([])
    expect(modbus?.poll[0]).toMatchObject({ table, address })
  })
  test('with a table the register is the address', () => {
    expect(poll('table: input, type: float32, words: little').problems).toEqual([])
    const { modbus } = read(
      'modbus: { poll: [{ id: a, url: tcp://h:1, table: input, register: 20, when: "> 1", to: [x] }] }',
    )
    expect(modbus?.poll[0]).toMatchObject({ table: 'input', address: 20 })
  })
  test('a serial line has baud and parity', () => {
    const { modbus, problems } = read(
      'modbus: { poll: [{ id: a, url: "serial:///dev/ttyS1?baud=9600&parity=even", register: 40001, when: "> 1", to: [x] }] }',
    )
    expect(problems).toEqual([])
    expect(modbus?.poll[0]?.device).toEqual({
      scheme: 'serial',
      path: '/dev/ttyS1',
      baud: 9_600,
      parity: 'even',
    })
  })
  test.each([
    ['clear: "> 40"', /poll\[0\]\.clear: .*both|clear: holds/],
    ['type: bit', /type: a register of table holding holds a number/],
    ['scale: 0', /scale: "0" is not allowed/],
    ['every: 1ms', /every: .*from 50ms/],
    ['latch: perhaps', /latch: must be true or false/],
    ['unit: 256', /unit: must be a whole number/],
    ['words: middle', /words: .*big, little/],
    ['limit: 3', /limit: unknown key/],
  ])('%s is refused', (more, why) => {
    expect(poll(more).problems.join('\n')).toMatch(why)
  })
  test.each(['50021', '40000', '4021', 'x'])('register %s is refused', (register) => {
    const { problems } = read(
      `modbus: { poll: [{ id: a, url: tcp://h:1, register: "${register}", when: "> 1", to: [x] }] }`,
    )
    expect(problems.join('\n')).toMatch(/register: .*such as 40021/)
  })
  test('the server: registers that raise alerts lie in their block, each once', () => {
    const { modbus, problems } = read(
      'modbus: { server: { listen: 0.0.0.0:1502, allow: [10.0.0.0/8], alerts: [{ register: 40101, to: [ops], text: "Pump" }] } }',
    )
    expect(problems).toEqual([])
    expect(modbus?.server).toMatchObject({ allow: ['10.0.0.0/8'], alerts: [{ address: 100, priority: 1 }] })
    const wrong = read(
      'modbus: { server: { listen: ":1502", alerts: [{ register: 40101, to: [a], text: x }, { register: 40101, to: [a], text: x }, { register: 40001, to: [], text: x }] } }',
    ).problems.join('\n')
    expect(wrong).toMatch(/already the register of/)
    expect(wrong).toMatch(/from 40101 to 40164/)
    expect(wrong).toMatch(/at least one recipient/)
  })
  test.each([
    ['>', 1, false],
    ['>=', 1, true],
    ['<', 1, false],
    ['<=', 1, true],
    ['==', 1, true],
    ['!=', 1, false],
  ] as const)('1 %s %i is %s', (comparison, limit, is) => {
    expect(holds({ comparison, limit }, 1)).toBe(is)
  })
})

describe('mqtt', () => {
  test('a broker with its defaults, and one with everything', () => {
    expect(read('mqtt: { url: mqtt://broker }')).toMatchObject({
      problems: [],
      mqtt: { broker: { tls: false, host: 'broker', port: 1883 }, topic: 'twinline', to: [] },
    })
    expect(
      read(
        'mqtt: { url: "mqtts://[fd00::1]:9000", topic: site/a, homeAssistant: true, user: u, password: p, ca: ca.pem, to: [ops] }',
      ),
    ).toMatchObject({
      problems: [],
      mqtt: {
        broker: { tls: true, host: 'fd00::1', port: 9000 },
        discovery: 'homeassistant',
        ca: '/etc/ca.pem',
        to: ['ops'],
      },
    })
  })
  test.each([
    ['{}', /url: is missing/],
    ['{ url: http://broker }', /write mqtt:/],
    ['{ url: mqtt://u:p@broker }', /keys of their own/],
    ['{ url: mqtt://b, topic: "a/#" }', /topic: /],
    ['{ url: mqtt://b, topic: "/a" }', /topic: /],
    ['{ url: mqtt://b, password: secret }', /password: needs a user/],
    ['{ url: mqtt://b, ca: x.pem }', /ca: is for TLS only/],
  ])('%s is refused', (section, why) => {
    const text = read(`mqtt: ${section}`).problems.join('\n')
    expect(text).toMatch(why)
    expect(text).not.toContain('secret')
  })
})

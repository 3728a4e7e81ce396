/** The `pair:` section: what each key becomes, and that each mistake names its key and what is allowed. */
import { expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { ConfigInvalid } from '#config/source.ts'
import type { PairConfig } from '#config/types.ts'

function pairOf(text: string): PairConfig {
  const { pair } = parseConfig(text, '/etc/twinline/twinline.yaml')
  if (pair === undefined) throw new Error('no pair')
  return pair
}

/** A pair with these keys besides the needed one. */
const withKeys = (...keys: string[]) =>
  `node: box-a\npair:\n  listen: 10.77.0.1:8883\n${keys.map((key) => `  ${key}\n`).join('')}`

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, '/etc/twinline/twinline.yaml')
    return []
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error.problems.map(({ key, line, text }) => `${key}:${line}: ${text}`)
  }
}

test('an appliance without the key has no pair', () => {
  expect(parseConfig('node: box-a', '/x.yaml')).not.toHaveProperty('pair')
})

test('one key is enough where the address is concrete', () => {
  expect(pairOf(withKeys())).toEqual({
    listen: { host: '10.77.0.1', port: 8883 },
    logListen: { host: '10.77.0.1', port: 8884 },
    advertise: [{ host: '10.77.0.1', port: 8883 }],
    priority: 100,
    profile: {
      name: 'normal',
      interval: 200,
      misses: 4,
      timeout: 0,
      lease: 1_000,
      renew: 250,
      grantWait: 1_650,
    },
    mode: 'active-standby',
    allow: {},
    preempt: false,
    switchover: 'automatic',
    accept: { wait: 500, oneDisk: 'accept' },
    aloneAfter: 30_000,
    selfCheck: 2_000,
    redirect: false,
  })
})

test('every key is read', () => {
  const pair = pairOf(`
node: box-a
pair:
  listen: 0.0.0.0:8883
  logListen: "[::]:9999"
  advertise: [10.77.0.1:8883, "[fd00:77::1]:8883", box-a.example:8883]
  priority: 150
  profile: fast
  mode: active-active
  master: box-b
  allow: { send: [10.0.0.0/8, 192.0.2.7], configure: [fd00::/8], sync: [10.77.0.0/24] }
  preempt: true
  switchover: manual
  vip: { address: fd00:77::100/64, interface: enp0s31f6, driver: nft }
  lan: { router: 10.77.0.254 }
  witness: 10.77.0.250:8885
  accept: { wait: 2s, oneDisk: refuse }
  aloneAfter: 1m
  selfCheck: 3s
  redirect: true
`)
  expect(pair).toEqual({
    listen: { host: '0.0.0.0', port: 8883 },
    logListen: { host: '::', port: 9999 },
    advertise: [
      { host: '10.77.0.1', port: 8883 },
      { host: 'fd00:77::1', port: 8883 },
      { host: 'box-a.example', port: 8883 },
    ],
    priority: 150,
    master: 'box-b',
    profile: {
      name: 'fast',
      interval: 100,
      misses: 3,
      timeout: 0,
      lease: 300,
      renew: 75,
      grantWait: 700,
    },
    mode: 'active-active',
    allow: { send: ['10.0.0.0/8', '192.0.2.7/32'], configure: ['fd00::/8'], sync: ['10.77.0.0/24'] },
    preempt: true,
    switchover: 'manual',
    vip: { address: 'fd00:77::100', prefix: 64, family: 6, interface: 'enp0s31f6', driver: 'nft' },
    lan: { router: '10.77.0.254' },
    witness: { host: '10.77.0.250', port: 8885 },
    accept: { wait: 2_000, oneDisk: 'refuse' },
    aloneAfter: 60_000,
    selfCheck: 3_000,
    redirect: true,
  })
})

test.each([
  ['fast', 100, 3, 0, 1_000, 100, 1_650],
  ['normal', 200, 4, 0, 1_000, 250, 1_650],
  ['calm', 1_000, 3, 0, 3_000, 750, 3_650],
  ['telisca', 30_000, 5, 10_000, 60_000, 30_000, 60_650],
])('profile %s', (name, interval, misses, timeout, lease, renew, grantWait) => {
  expect(pairOf(withKeys(`profile: ${name}`)).profile).toEqual({
    name,
    interval,
    misses,
    timeout,
    lease,
    renew,
    grantWait,
  })
})

test('a profile by hand fills in what follows from the rest', () => {
  const { profile } = pairOf(withKeys('profile: { interval: 500ms, misses: 5, lease: 2s, restart: 1900ms }'))
  expect(profile).toEqual({
    name: 'custom',
    interval: 500,
    misses: 5,
    timeout: 0,
    lease: 2_000,
    renew: 500,
    grantWait: 2_650,
  })
})

test('a driver that is somebody else needs no interface, and none needs nothing', () => {
  const external = pairOf(withKeys('vip: { driver: external, address: 192.0.2.1/24 }'))
  expect(external.vip).toEqual({
    address: '192.0.2.1',
    prefix: 24,
    family: 4,
    interface: '',
    driver: 'external',
  })
  expect(pairOf(withKeys('vip: { driver: none }'))).not.toHaveProperty('vip')
})

const line = 4
test.each([
  ['node: box-a\npair: {}', 'pair.listen:2: is missing'],
  [withKeys('preemt: true'), `pair.preemt:${line}: unknown key; allowed: listen, .*; did you mean preempt`],
  ['pair: { listen: "8883" }', 'pair.listen:1: "8883" is not allowed here; write address:port'],
  ['pair: { listen: 0.0.0.0:8883 }', 'pair.advertise:1: is missing: listen is every address of this box'],
  ['pair: { listen: 10.0.0.1:65535 }', 'pair.listen:1: no port comes after 65535'],
  [withKeys('logListen: 0.0.0.0:8883'), 'pair.logListen:4: must be another port than listen'],
  [`http: { listen: ":8884" }\n${withKeys()}`, 'pair.listen:4: http or https already listens at port 8884'],
  [`https: { listen: ":8883" }\n${withKeys()}`, 'pair.listen:4: http or https already listens there'],
  [withKeys('advertise: [":8883"]'), 'pair.advertise\\[0\\]:4: ":8883" is not allowed here; write the host'],
  [withKeys('advertise: ["10.0.0.1:0"]'), 'pair.advertise\\[0\\]:4: .* write the host and the port'],
  [withKeys('priority: 256'), 'pair.priority:4: must be a whole number from 1 to 255'],
  [withKeys('master: "-b"'), 'pair.master:4: "-b" is not allowed here; up to 63 letters'],
  [withKeys('profile: quick'), 'pair.profile:4: "quick" .* allowed: fast, normal, calm, telisca'],
  [withKeys('mode: hot'), 'pair.mode:4: .* allowed: active-standby, active-active, cold'],
  [withKeys('allow: { send: [10.0.0.0/33] }'), 'pair.allow.send\\[0\\]:4: .* write a network such as'],
  [withKeys('allow: { sync: [lan] }'), 'pair.allow.sync\\[0\\]:4: "lan" is not allowed here'],
  [withKeys('allow: { send: [] }'), 'pair.allow.send:4: must name at least one network'],
  [withKeys('preempt: 1'), 'pair.preempt:4: must be true or false'],
  [withKeys('switchover: never'), 'pair.switchover:4: .* allowed: automatic, manual'],
  [withKeys('vip: { interface: eth0 }'), 'pair.vip.address:4: is missing'],
  [withKeys('vip: { address: 10.77.0.100/24 }'), 'pair.vip.interface:4: is missing'],
  [withKeys('vip: { address: 10.77.0.100, interface: eth0 }'), 'pair.vip.address:4: .* and its prefix'],
  [withKeys('vip: { address: 10.77.0.0/24, interface: eth0 }'), 'pair.vip.address:4: .* free address'],
  [withKeys('vip: { address: 10.77.0.255/24, interface: eth0 }'), 'pair.vip.address:4: .* free address'],
  [withKeys('vip: { address: 224.0.0.18/24, interface: eth0 }'), 'pair.vip.address:4: .* free address'],
  [withKeys('vip: { address: 10.0.0.9/24, interface: "a b" }'), 'pair.vip.interface:4: .* network interface'],
  [withKeys('vip: { address: 10.0.0.9/24, interface: "-f" }'), 'pair.vip.interface:4: .* network interface'],
  [withKeys('vip: { address: 10.0.0.9/24, interface: a, driver: x }'), 'pair.vip.driver:4: .* iproute2, nft'],
  [
    withKeys('advertise: [10.0.0.9:8883]', 'vip: { address: 10.0.0.9/24, interface: eth0 }'),
    'pair.advertise\\[0\\]:4: is the virtual address, which moves',
  ],
  [withKeys('lan: {}'), 'pair.lan.router:4: is missing'],
  [withKeys('lan: { router: gateway }'), 'pair.lan.router:4: .* write an address'],
  [withKeys('witness: 10.77.0.250'), 'pair.witness:4: .* write the host and the port'],
  [withKeys('accept: { wait: 1h }'), 'pair.accept.wait:4: .* from 0ms to 30s'],
  [withKeys('accept: { oneDisk: maybe }'), 'pair.accept.oneDisk:4: .* allowed: accept, refuse'],
  [withKeys('aloneAfter: 0s'), 'pair.aloneAfter:4: .* from 1s'],
  [withKeys('selfCheck: 1ms'), 'pair.selfCheck:4: .* from 500ms'],
  [withKeys('redirect: yes'), 'pair.redirect:4: must be true or false'],
  [withKeys('profile: { interval: 1s }'), 'pair.profile.misses:4: is missing'],
  [withKeys('profile: { interval: 1ms, misses: 3 }'), 'pair.profile.interval:4: .* from 50ms to 5m'],
  [
    withKeys('profile: { interval: 1s, misses: 3, lease: 1500ms }'),
    'pair.profile.lease:4: must be whole sec',
  ],
  [
    withKeys('profile: { interval: 1s, misses: 3, renew: 600ms }'),
    'pair.profile.renew:4: must be at most ha',
  ],
  [
    withKeys('profile: { interval: 1s, misses: 3, grantWait: 1600ms }'),
    'grantWait:4: must be at least 1650ms',
  ],
  [
    withKeys('profile: { interval: 1s, misses: 3, restart: 2s }'),
    'pair.profile.restart:4: \\(misses - 1\\) × interval is 2s and must be longer than restart \\(2s\\).*misses: 4',
  ],
])('%s', (text, problem) => {
  const problems = problemsOf(text)
  expect(problems.join('\n')).toMatch(new RegExp(problem, 's'))
  expect(problems.length).toBe(1)
})

test('a pair that is no section is told so first', () => {
  expect(problemsOf('pair: 8883')[0]).toBe('pair:1: must be a section with keys of its own')
})

test('what a message proposes is allowed', () => {
  expect(problemsOf(withKeys('profile: { interval: 1s, misses: 4, restart: 2s }'))).toEqual([])
})

import { expect, test } from 'vitest'
import { profileNamed, profileNames } from '#config/heartbeat.ts'
import { allowedBy } from '#config/networks.ts'
import { type FaultPromise, promises } from '#config/promises.ts'

const outages = (rows: readonly FaultPromise[]) =>
  Object.fromEntries(rows.map(({ fault, outage }) => [fault, outage]))

test('the profile fast promises the figures that the lab holds it to', () => {
  const fast = profileNamed('fast', 'iproute2')
  expect(outages(promises(fast, { witness: false, driver: 'iproute2' }))).toEqual({
    'gateway-killed': 100,
    'gateway-hung': 2_300,
    'guard-killed': 1_700,
    'box-dead': 1_700,
    'link-down': 1_700,
    split: 0,
    heal: 150,
    handover: 50,
  })
  expect(outages(promises(fast, { witness: true, driver: 'iproute2' }))).toMatchObject({
    'box-dead': 2_100,
    'link-down': 2_100,
    split: 0,
  })
  expect(outages(promises(profileNamed('fast', 'nft'), { witness: true, driver: 'nft' }))).toMatchObject({
    'box-dead': 900,
  })
})

test('silence decides where it is longer than the lease', () => {
  const telisca = promises(profileNamed('telisca', 'iproute2'), { witness: false })
  expect(outages(telisca)).toMatchObject({ 'box-dead': 160_000, 'guard-killed': 60_700 })
})

test('only two members without a witness serve both, and only while they are split', () => {
  for (const name of profileNames) {
    const both = (witness: boolean) =>
      promises(profileNamed(name, 'iproute2'), { witness })
        .filter(({ bothServe }) => bothServe)
        .map(({ fault }) => fault)
    expect(both(true)).toEqual([])
    expect(both(false)).toEqual(['split'])
  }
})

test('a list of networks knows addresses as sockets name them', () => {
  const allowed = allowedBy(['10.0.0.0/8', '192.0.2.7/32', 'fd00::/8', 'fe80::/10'])
  for (const address of ['10.255.0.1', '::ffff:10.0.0.1', '192.0.2.7', 'fd12::1', 'fe80::1%eth0']) {
    expect(allowed(address), address).toBe(true)
  }
  for (const address of ['11.0.0.1', '::ffff:192.0.2.8', 'fc00::1', '', 'x']) {
    expect(allowed(address), address).toBe(false)
  }
  expect(allowedBy(undefined)('203.0.113.9')).toBe(true)
  expect(allowedBy([])('203.0.113.9')).toBe(false)
})

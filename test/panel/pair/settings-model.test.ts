/** The form of the pair's keys: every key has one place, and the figures follow what is typed. */
import { describe, expect, it } from 'vitest'
import { grouped, outlook } from '../../../src/panel/pair/settings-model.ts'

const field = (path: string) => ({ path, label: path, type: 'text' as const, help: '' })
const values =
  (given: Record<string, unknown>) =>
  (path: string): unknown =>
    given[path]

describe('the form', () => {
  it('has each key once, and shows a key that it does not know', () => {
    const fields = [
      'pair.listen',
      'pair.profile',
      'pair.vip.address',
      'pair.accept.wait',
      'pair.novelty',
    ].map(field)
    const groups = grouped(fields)
    expect(groups.flatMap((group) => group.fields.map(({ path }) => path)).sort()).toEqual(
      fields.map(({ path }) => path).sort(),
    )
    expect(groups.at(-1)).toMatchObject({ name: 'other', fields: [{ path: 'pair.novelty' }] })
  })
})

describe('the outlook', () => {
  it('is that of the named profile, and of the default where nothing is said', () => {
    expect(outlook(values({}), 0, false)?.served).toBe(1_700)
    expect(outlook(values({ 'pair.profile': 'telisca' }), 3_200, false)).toMatchObject({
      served: 160_000,
      sending: 163_200,
    })
    expect(outlook(values({ 'pair.witness': '10.0.0.9:8885' }), 0, false)?.served).toBe(2_100)
    expect(outlook(values({ 'pair.vip.driver': 'nft' }), 0, false)?.served).toBe(800)
  })

  it('follows figures by hand, as one section or key by key', () => {
    const section = { interval: '30s', misses: 5, timeout: '10s', lease: '60s', restart: '60s' }
    const whole = outlook(values({ 'pair.profile': section }), 0, false)
    const byKey = outlook(
      values(
        Object.fromEntries(Object.entries(section).map(([key, value]) => [`pair.profile.${key}`, value])),
      ),
      0,
      false,
    )
    expect(whole).toEqual(byKey)
    expect(whole).toMatchObject({ served: 160_000, patience: 120_000, restart: { kept: true } })
  })

  it('says that the rule about restarts is broken, and with how many failures it is kept', () => {
    const profile = { interval: '15s', misses: 4, restart: '60s' }
    expect(outlook(values({ 'pair.profile': profile }), 0, false)).toMatchObject({
      patience: 45_000,
      restart: { kept: false, enough: 6, takes: 60_000 },
    })
  })

  it('says how long a restart may take where nobody has said how long one does', () => {
    const look = outlook(values({ 'pair.profile': 'telisca' }), 0, false)
    expect(look).toMatchObject({ patience: 120_000 })
    expect(look?.restart).toBeUndefined()
  })

  it('is silent while a figure cannot be read', () => {
    expect(outlook(values({ 'pair.profile': { interval: '30', misses: 5 } }), 0, false)).toBeUndefined()
    expect(outlook(values({ 'pair.profile': { interval: '30s', misses: 'x' } }), 0, false)).toBeUndefined()
  })
})

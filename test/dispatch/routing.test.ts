/** Least-cost routing: cost, then order in the file; equal destinations share one set of tiers. */
import { expect, it } from 'vitest'
import type { LineConfig } from '#config/types.ts'
import { createRouter, matches } from '#dispatch/routing.ts'
import { faxLine } from './rig.ts'

const line = (id: string): LineConfig => ({
  id,
  kind: 'gsm',
  port: { scheme: 'sim', kind: 'gsm', options: {} },
  reports: true,
  concatenation: 8,
  disabled: false,
})
const lines = ['gsm0', 'gsm1', 'gsm2'].map(line)

it('uses every line in order when there are no routes', () => {
  expect(createRouter(lines, []).tiers('sms', '+49171')).toEqual([['gsm0', 'gsm1', 'gsm2']])
})

it('puts the cheapest first, and each line once, at its cheapest', () => {
  const router = createRouter(lines, [
    { match: '*', lines: ['gsm0', 'gsm2'], cost: 9 },
    { match: '+49*', lines: ['gsm1', 'gsm0'], cost: 7 },
  ])
  expect(router.tiers('sms', '+49171')).toEqual([['gsm1', 'gsm0'], ['gsm2']])
  expect(router.tiers('sms', '+48171')).toEqual([['gsm0', 'gsm2']])
  expect(router.tiers('sms', '+49171')).toBe(router.tiers('sms', '+49999'))
})

it('finds no way where no route matches, nor on a channel that no line has', () => {
  const router = createRouter(lines, [{ match: '+49*', lines: ['gsm1'], cost: 1 }])
  expect(router.tiers('sms', '112')).toEqual([])
  expect(router.tiers('fax', '+49171')).toEqual([])
})

it('merges routes of equal cost in the order of the file', () => {
  const router = createRouter(lines, [
    { match: '+4917*', lines: ['gsm2'], cost: 5 },
    { match: '+49*', lines: ['gsm0', 'gsm2'], cost: 5 },
  ])
  expect(router.tiers('sms', '+49171')).toEqual([['gsm2', 'gsm0']])
})

it('matches whole numbers and prefixes', () => {
  expect(matches('112', '112')).toBe(true)
  expect(matches('112', '1123')).toBe(false)
  expect(matches('112*', '1123')).toBe(true)
})

it('takes the fax line of the highest priority first, among those of one cost', () => {
  const router = createRouter(
    [line('gsm0'), faxLine('fax0'), faxLine('fax1', 200), faxLine('fax2', 255)],
    [
      { match: '*', lines: ['gsm0', 'fax0', 'fax1'], cost: 1 },
      { match: '*', lines: ['fax2'], cost: 2 },
    ],
  )
  expect(router.tiers('fax', '+4930')).toEqual([['fax1', 'fax0'], ['fax2']])
  expect(router.tiers('sms', '+4930')).toEqual([['gsm0']])
})

it('lets every fax line serve every number while no route names one', () => {
  const router = createRouter([line('gsm0'), faxLine('fax0')], [{ match: '+49*', lines: ['gsm0'], cost: 1 }])
  expect(router.tiers('fax', '+48')).toEqual([['fax0']])
  expect(router.tiers('sms', '+48')).toEqual([])
})

/** What clients of Kannel's and Twilio's interfaces are told, by what happened to a delivery. */
import { expect, test } from 'vitest'
import { noticesOf } from '#intake/compat/callback-words.ts'
import type { Delivery } from '#messages/message.ts'
import { acceptance, START } from '../../store/fixtures.ts'

const told = (api: 'kannel' | 'twilio', events: string[], state: Delivery['state'], mask = '31') => {
  const made = acceptance()
  const [first] = made.deliveries
  if (first === undefined) throw new Error('no delivery')
  const delivery = { ...first, state, timeline: events.map((event) => ({ at: START, event, state })) }
  const callback = { api, url: 'http://x/?%d', values: { mask } }
  return noticesOf(made.message, callback, delivery, 0).map(({ word }) => word)
}

test.each([
  [['accept'], 'queued', []],
  [['accept', 'defer'], 'queued', ['4']],
  [['accept', 'intend', 'accepted'], 'sent', ['8']],
  [['accept', 'intend', 'accepted', 'report'], 'delivered', ['8', '1']],
  [['accept', 'intend', 'accepted', 'reportFailed'], 'failed', ['8', '2']],
  [['accept', 'intend', 'fail'], 'failed', ['16']],
  [['accept', 'expire'], 'expired', ['16']],
  [['accept', 'intend', 'hold'], 'unknown', []],
] as const)('Kannel is told after %j: %s', (events, state, words) => {
  expect(told('kannel', [...events], state)).toEqual(words)
})

test.each([
  [['accept', 'intend', 'accepted'], 'sent', ['sent']],
  [['accept', 'intend', 'accepted', 'report'], 'delivered', ['sent', 'delivered']],
  [['accept', 'intend', 'accepted', 'reportFailed'], 'failed', ['sent', 'undelivered']],
  [['accept', 'cancel'], 'cancelled', ['failed']],
] as const)('Twilio is told after %j: %s', (events, state, words) => {
  expect(told('twilio', [...events], state)).toEqual(words)
})

test('a mask of nothing tells nothing', () => {
  expect(told('kannel', ['accept', 'intend', 'accepted', 'report'], 'delivered', '2')).toEqual([])
})

test('every escape of a dlr-url is filled in, encoded', () => {
  const made = acceptance({ to: ['+491700000001'] })
  const [first] = made.deliveries
  if (first === undefined) throw new Error('no delivery')
  const delivery: Delivery = {
    ...first,
    state: 'failed',
    reason: { code: 'no-network', text: '' },
    line: 'gsm0',
    timeline: [{ at: START, event: 'fail', state: 'failed' }],
  }
  const url = 'http://x/%d/%A/%p/%P/%q/%Q/%t/%T/%i/%n/%o/%%/%z/%'
  const values = { mask: '31', from: '00 49', user: 'u&', account: '' }
  const [notice] = noticesOf(made.message, { api: 'kannel', url, values }, delivery, 0)
  expect(notice?.request.url).toBe(
    'http://x/16/NACK%2Fno-network/%2B491700000001/00%2049/%2B491700000001/%2B%2049/2026-01-01%2000%3A00/1767225600/gsm0/u%26//%/%z/%',
  )
})

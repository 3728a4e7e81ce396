/** A message that several lines may not send now waits for the one that may first, in whatever order they were asked. */
import { expect, test } from 'vitest'
import { Rounds } from '#dispatch/rounds.ts'
import type { Outcome } from '#messages/outcome.ts'
import { rig } from './rig.ts'
import { refused } from './scripted-line.ts'

const waits = (line: string, pause: number): Outcome => ({
  result: 'notSent',
  reason: { code: 'do-not-dial', text: `${line} dials later.` },
  progress: { confirmed: 0 },
  again: { pause },
})

test('the shortest wait of a round counts, and what is left of it', () => {
  const rounds = new Rounds()
  const first = rounds.with('d', 'fax0')
  rounds.goOn('d', first, waits('fax0', 5_000), 1_000)
  rounds.goOn('d', rounds.with('d', 'fax1'), waits('fax1', 90_000), 2_000)
  expect([...(rounds.lines('d') ?? [])]).toEqual(['fax0', 'fax1'])
  expect(rounds.sum('d', waits('fax2', 60_000), 3_000)).toEqual({ ...waits('fax0', 3_000) })
  expect(rounds.sum('d', waits('fax2', 100), 3_000)).toEqual(waits('fax2', 100))
  // What is no wait says it for itself.
  expect(rounds.sum('d', refused('number'), 3_000)).toEqual(refused('number'))
  rounds.over('d')
  expect(rounds.lines('d')).toBeUndefined()
  expect(rounds.sum('d', waits('fax2', 60_000), 3_000)).toEqual(waits('fax2', 60_000))
})

test.each([
  [40_000, 900_000],
  [900_000, 40_000],
])('two lines that wait %i and %i ms', async (first, second) => {
  const r = await rig({
    scripts: { gsm0: async () => waits('gsm0', first), gsm1: async () => waits('gsm1', second) },
  })
  const { message } = await r.send()
  const delivery = async () => (await r.view(message.id)).deliveries[0]
  const sooner = first < second ? 'gsm0' : 'gsm1'
  await expect.poll(async () => (await delivery())?.reason?.text).toBe(`${sooner} dials later.`)
  await expect
    .poll(async () => ((await delivery())?.due ?? 0) - Date.now())
    .toSatisfy((left: number) => left > 20_000 && left <= 40_000)
})

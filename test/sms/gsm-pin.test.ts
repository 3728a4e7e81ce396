/** A PIN is entered once for a SIM, and remembered before that: whatever happens in between, it is not entered again. */
import { expect, it } from 'vitest'
import type { Answer } from '#lines/at-channel.ts'
import { allowPinAgain, confirmPin, unlock } from '#sms/gsm-pin.ts'
import { memoryOf } from './gsm-bench.ts'

const refused: Answer = { result: 'error', error: { kind: 'cme', code: 16, text: '' }, lines: [] }
const gone: Answer = { result: 'lost', lost: { how: 'closed' } }

/** A SIM that answers the PIN so; `entered` counts how often it was asked, with what was remembered at that moment. */
function sim(answer: Answer, known = new Map<string, string>(), retries = '+CPINR: SIM PIN,3,3') {
  const entered: (string | undefined)[] = []
  const memory = memoryOf(known)
  const attempt = () =>
    unlock({
      ask: async (text) => {
        if (!text.startsWith('AT+CPIN=')) return { result: 'ok', lines: [retries] }
        entered.push(known.get('sim/8949/pin'))
        return answer
      },
      memory,
      sim: '8949',
      pin: '1234',
      retriesQuery: 'AT+CPINR',
    })
  return { attempt, entered, known, memory }
}

it('is remembered before it is entered', async () => {
  const { attempt, entered } = sim(gone)
  expect(await attempt()).toEqual({ result: 'interrupted' })
  expect(entered).toEqual(['tried'])
})

it('is not entered again after an attempt without an end', async () => {
  const { attempt, entered } = sim(gone)
  await attempt()
  expect(await attempt()).toMatchObject({ result: 'blocked', reason: { code: 'pin-refused' } })
  expect(entered).toHaveLength(1)
})

it('that was right may be entered after every start, and survives one power cut in the middle', async () => {
  const known = new Map<string, string>()
  const right = sim({ result: 'ok', lines: [] }, known)
  for (let i = 0; i < 5; i++) expect(await right.attempt()).toEqual({ result: 'unlocked' })
  const cut = sim(gone, known)
  await cut.attempt()
  await cut.attempt()
  expect(await cut.attempt()).toMatchObject({ result: 'blocked' })
  expect(cut.entered).toEqual(['again', 'tried'])
})

it('that was right once and is refused now is not entered again', async () => {
  const known = new Map([['sim/8949/pin', 'accepted']])
  const changed = sim(refused, known)
  await changed.attempt()
  await changed.attempt()
  expect(changed.entered).toHaveLength(1)
})

it('is taken for right when the SIM turns out to be open', async () => {
  const { attempt, known, memory, entered } = sim(gone)
  await attempt()
  await confirmPin(memory, '8949')
  expect(known.get('sim/8949/pin')).toBe('accepted')
  await attempt()
  expect(entered).toHaveLength(2)
})

it('never takes the last attempt, not even when a person allows another', async () => {
  const { attempt, entered, memory } = sim(
    refused,
    new Map([['sim/8949/pin', 'tried']]),
    '+CPINR: SIM PIN,1,3',
  )
  await allowPinAgain(memory, '8949')
  expect(await attempt()).toMatchObject({ result: 'blocked', reason: { code: 'pin-last-try' } })
  expect(entered).toEqual([])
})

/** What a restore holds back, and who lets it go. */
import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { soleOwner } from '#dispatch/ownership.ts'
import { createRestoreHold } from '#dispatch/restored.ts'
import type { Message } from '#messages/message.ts'
import { newDelivery } from '#messages/message.ts'
import type { Change, RestoredView } from '#store/contract.ts'

afterEach(() => {
  vi.useRealTimers()
})

function rig(view: RestoredView | undefined, ids: string[] = [], membersAnswered?: () => boolean) {
  let state = view
  const recorded: Change[] = []
  let released = 0
  const waiting = [...ids]
  const hold = createRestoreHold({
    store: {
      restored: async () => state,
      heldBack: async (limit) => waiting.slice(0, limit),
      submitting: async () => [],
      async releaseRestored(how) {
        if (state) state = { ...state, held: false, copies: how === 'send', deliveries: 0 }
      },
      async record(changes) {
        recorded.push(...changes)
        waiting.splice(0, changes.length)
        return changes.map(() => true)
      },
    },
    clock: systemClock(0),
    log: silent,
    ...(membersAnswered === undefined ? {} : { membersAnswered }),
    released: () => {
      released += 1
    },
  })
  return { hold, recorded, released: () => released }
}
const held = (deliveries: number): RestoredView => ({
  backupAt: 1_000,
  at: 5_000,
  held: true,
  copies: false,
  deliveries,
})
const message = (at: number): Message => ({
  id: 'm',
  at,
  node: 'a',
  source: 't',
  text: 'x',
  priority: 2,
  validity: 1,
  onUnknown: 'resend',
  flash: false,
})
const copy = (at: number) => [newDelivery(message(at), 0, '+49', 'sms', 1), message(at)] as const

test('a store that never was a backup holds nothing back', async () => {
  const hold = await rig(undefined).hold
  expect(await hold.release('send')).toBe(false)
  expect(hold.flagging(soleOwner('a')).mayBeCopy(...copy(1))).toBe(false)
})

test('nothing was queued: nobody is asked', async () => {
  const hold = await rig(held(0)).hold
  expect(await hold.state()).toMatchObject({ held: false, copies: false })
})

test('what a person lets go is flagged, and what came since is not', async () => {
  const { hold: made, released } = rig(held(2), ['m.0', 'n.0'])
  const hold = await made
  const ownership = hold.flagging(soleOwner('a'))
  expect(ownership.mayBeCopy(...copy(4_000))).toBe(false)
  expect(await hold.release('send')).toBe(true)
  expect(released()).toBe(1)
  expect(ownership.mayBeCopy(...copy(4_000))).toBe(true)
  expect(ownership.mayBeCopy(...copy(6_000))).toBe(false)
  expect(await hold.release('send')).toBe(false)
})

test('what a person cancels is cancelled with a reason, all of it', async () => {
  const ids = Array.from({ length: 450 }, (_, n) => `m.${n}`)
  const { hold, recorded } = rig(held(450), ids)
  expect(await (await hold).release('cancel')).toBe(true)
  expect(recorded.map(({ delivery }) => delivery)).toEqual(ids)
  expect(recorded[0]?.event).toMatchObject({ event: 'cancel', reason: { code: 'restored' } })
})

test('the members let it go as soon as they have answered, unflagged', async () => {
  vi.useFakeTimers()
  let answered = false
  const { hold: made, released } = rig(held(2), ['m.0'], () => answered)
  const hold = await made
  await vi.advanceTimersByTimeAsync(5_000)
  expect(released()).toBe(0)
  answered = true
  await vi.advanceTimersByTimeAsync(1_500)
  expect(released()).toBe(1)
  expect(hold.flagging(soleOwner('a')).mayBeCopy(...copy(4_000))).toBe(false)
  expect(await hold.state()).toMatchObject({ held: false })
})

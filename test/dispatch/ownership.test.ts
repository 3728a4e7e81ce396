/** What a member of a pair may send, and when: the right to transmit comes and goes under the loop. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import type { Ownership, Replicas } from '#dispatch/ownership.ts'
import type { Reason } from '#messages/states.ts'
import { pair, rig } from './rig.ts'
import { sendParts } from './scripted-line.ts'

const standsBy: Reason = { code: 'standing-by', text: 'Another member transmits.' }

function changeable(node = 'a'): Ownership & { may: boolean; dead: Set<string>; copies: boolean } {
  const state = { may: false, dead: new Set<string>(), copies: false }
  return Object.assign(state, {
    term: { counter: 2, node },
    stop: () => (state.may ? undefined : standsBy),
    owner: () => ({ node, active: state.may }),
    mayBeCopy: () => state.copies,
    alive: (one: string) => !state.dead.has(one),
    adoptLost: async () => false,
    takers: () => [],
  })
}

it('accepts without the right to transmit, and sends once the right comes', async () => {
  const ownership = changeable()
  const { send, sent, settled, dispatch, view } = await rig({ ownership })
  const { message } = await send()
  await dispatch.loop.ownershipChanged()
  await turn()
  expect(sent).toEqual([])
  expect((await view(message.id)).deliveries[0]?.state).toBe('queued')
  ownership.may = true
  await dispatch.loop.ownershipChanged()
  await settled(message.id, 'sent')
  expect(sent).toHaveLength(1)
})

it('claims anew after a gap in its right: what waited here may be another member’s by now', async () => {
  const ownership = Object.assign(changeable(), { owner: () => ({ node: 'a', active: false }) })
  ownership.may = true
  const mine = { ...pair('accept'), mode: 'active-active' as const }
  const { send, sent, settled, dispatch, store } = await rig({ ownership, pair: mine, ready: false })
  const { deliveries } = await send({ text: 'taken over meanwhile' })
  await turn()
  ownership.may = false
  dispatch.loop.lineReady('gsm0')
  await store.operate({ op: 'hand', delivery: deliveries[0]?.id ?? '', to: 'b' })
  ownership.may = true
  dispatch.loop.lineReady('gsm0')
  const own = await send({ text: 'its own' })
  await settled(own.message.id, 'sent')
  expect(sent).toHaveLength(1)
})

it('stops before the irrevocable byte when the right goes, and sends it once when it is back', async () => {
  const ownership = changeable()
  ownership.may = true
  const { send, sent, settled, dispatch } = await rig({
    ownership,
    scripts: {
      gsm0: async (t, line) => {
        const taken = {
          ...t,
          delivery: t.delivery,
          from: t.from,
          message: t.message,
          concatenation: t.concatenation,
        }
        return sendParts(
          {
            ...taken,
            intend: async (part) => {
              await t.intend(part)
              // The lease ends after the intent was written, before the last question.
              if (first) ownership.may = false
              first = false
            },
            stop: () => t.stop(),
            yield: () => t.yield(),
            accepted: (reference) => t.accepted(reference),
            confirmed: (part, reference) => t.confirmed(part, reference),
          },
          line,
          sent,
        )
      },
    },
  })
  let first = true
  const { message } = await send()
  await settled(message.id, 'queued')
  await vi.waitFor(() => expect(first).toBe(false))
  expect(sent).toEqual([])
  ownership.may = true
  await dispatch.loop.ownershipChanged()
  const [delivery] = (await settled(message.id, 'sent')).deliveries
  expect(sent).toHaveLength(1)
  expect(delivery?.possibleDuplicate).toBe(false)
})

it('settles what a lost member had in hand, and leaves that of a living one to it', async () => {
  const ownership = changeable()
  const { send, store, sent, settled, dispatch, view } = await rig({ ownership })
  const { message } = await send()
  const id = `${message.id}.0`
  const intent = { event: 'intend', node: 'b', line: 'gsm7', part: 0, concatenation: 1 } as const
  await store.record([{ delivery: id, event: intent, at: message.at }])
  ownership.may = true
  await dispatch.loop.ownershipChanged()
  expect((await view(message.id)).deliveries[0]?.state).toBe('submitting')
  expect(sent).toEqual([])
  ownership.dead.add('b')
  await dispatch.loop.ownershipChanged()
  const [delivery] = (await settled(message.id, 'sent')).deliveries
  expect(delivery?.possibleDuplicate).toBe(true)
  expect(delivery?.timeline.map(({ event }) => event)).toEqual([
    'accept',
    'intend',
    'resend',
    'intend',
    'accepted',
  ])
})

it('flags what another member may have sent unknown to this one', async () => {
  const ownership = changeable()
  ownership.may = true
  ownership.copies = true
  const { send, settled } = await rig({ ownership })
  const { message } = await send()
  expect((await settled(message.id, 'sent')).deliveries[0]?.possibleDuplicate).toBe(true)
})

it('says whether another member has it on disk', async () => {
  let held = true
  const asked: number[] = []
  const replicas: Replicas = {
    acknowledged: async (_position, withinMs) => {
      asked.push(withinMs)
      return held
    },
    available: () => true,
    current: () => held,
  }
  const { dispatch } = await rig({ replicas, pair: pair('accept') })
  const submit = () => dispatch.submit({ to: ['+491701'], text: 'x', source: 'test' })
  const first = await submit()
  expect(first).toMatchObject({ result: 'accepted', replicated: true })
  expect(asked).toContain(200)
  held = false
  const second = await submit()
  expect(second).toMatchObject({ result: 'accepted', replicated: false })
  const replicated = (result: typeof first) =>
    result.result === 'accepted' && dispatch.replicated(result.view.message)
  expect(replicated(second)).toBe(false)
  held = true
  expect(replicated(second)).toBe(true)
})

it('accepts nothing on one disk where that is refused, and sends nothing of it', async () => {
  const replicas: Replicas = { acknowledged: async () => false, available: () => true, current: () => false }
  const { dispatch, sent, store } = await rig({ replicas, pair: pair('refuse') })
  expect(await dispatch.submit({ to: ['+491701'], text: 'x', source: 'test' })).toEqual({ result: 'oneDisk' })
  expect(sent).toEqual([])
  const { items } = await store.messages({ limit: 5 })
  expect(items.map(({ deliveries }) => deliveries[0]?.state)).toEqual(['cancelled'])
})

it('what was refused for want of a second disk is sent when the client asks again and another member has it', async () => {
  let held = false
  const replicas: Replicas = { acknowledged: async () => held, available: () => true, current: () => false }
  const { dispatch, settled, store } = await rig({ replicas, pair: pair('refuse') })
  const key = { key: 'k', bodyHash: 'h' }
  const submit = () => dispatch.submit({ to: ['+491701'], text: 'x', source: 'test', key })
  expect(await submit()).toEqual({ result: 'oneDisk' })
  expect(await submit()).toEqual({ result: 'oneDisk' })
  held = true
  expect(await submit()).toMatchObject({ result: 'accepted', replicated: true, replayed: true })
  const [only] = (await store.messages({ limit: 5 })).items
  await settled(only?.message.id ?? '', 'sent')
  expect(await submit()).toMatchObject({ result: 'accepted', replayed: true })
  expect((await store.messages({ limit: 5 })).items).toHaveLength(1)
})

it('a lone member refuses at once where one disk is not enough', async () => {
  const replicas: Replicas = { acknowledged: async () => false, available: () => false, current: () => false }
  const { dispatch, store } = await rig({ replicas, pair: pair('refuse') })
  expect(await dispatch.submit({ to: ['+491701'], text: 'x', source: 'test' })).toEqual({ result: 'oneDisk' })
  expect((await store.messages({ limit: 5 })).items).toEqual([])
})

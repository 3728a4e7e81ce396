/** Mode active-active: what a member has no line for goes to one that has, once to each, and is never lost. */
import { describe, expect, it, vi } from 'vitest'
import { silent } from '#core/log.ts'
import { chooseMember, handOn, isStranded, PATIENCE_MS } from '#dispatch/handing.ts'
import { type Ownership, soleOwner } from '#dispatch/ownership.ts'
import { createRouter } from '#dispatch/routing.ts'
import { Window } from '#dispatch/window.ts'
import { newDelivery } from '#messages/message.ts'
import type { Operation } from '#messages/operation.ts'
import type { MemberView } from '#pair/contract.ts'
import { messageOf } from '../messages/message-of.ts'
import { pair, rig } from './rig.ts'

const message = messageOf({ node: 'a', validity: 60_000 })
const delivery = newDelivery(message, 0, '+49171', 'sms', 1)
const well = (node: string, more: Partial<MemberView> = {}): MemberView => ({
  node,
  paths: [],
  signal: 'LIVE',
  healthy: true,
  linesHealthy: 1,
  queued: 0,
  ...more,
})

describe('whom', () => {
  const claim = { delivery, message }

  it('one that is heard, well and has a line that works', () => {
    const others = [
      well('b', { signal: 'DEAD' }),
      well('c', { healthy: false }),
      well('d', { linesHealthy: 0 }),
      well('e'),
    ]
    expect(chooseMember(claim, undefined, others)).toBe('e')
    expect(chooseMember(claim, undefined, others.slice(0, 3))).toBeUndefined()
  })

  it('the one with the shortest queue, of those whose lines the routes name', () => {
    const others = [well('b', { queued: 9 }), well('c', { queued: 3 }), well('d')]
    expect(chooseMember(claim, undefined, others)).toBe('d')
    expect(chooseMember(claim, ['b', 'c'], others)).toBe('c')
    expect(chooseMember(claim, ['x'], others)).toBeUndefined()
  })

  it('nobody twice; at the end the one that accepted it, where it stays', () => {
    const had = (...handed: string[]) => ({ message, delivery: { ...delivery, handed } })
    expect(chooseMember(had('a', 'b'), undefined, [well('a'), well('c')])).toBe('c')
    expect(chooseMember(had('a', 'b', 'c'), undefined, [well('a'), well('b')])).toBe('a')
    expect(chooseMember(had('a', 'b', 'c'), undefined, [well('b'), well('c')])).toBeUndefined()
  })
})

describe('when', () => {
  it('no own line serves it, or each has been out of use for a while', () => {
    const used = new Map([
      ['gsm0', 100],
      ['gsm1', 200],
    ])
    const usedAt = (line: string) => used.get(line)
    expect(isStranded([], usedAt, 0)).toBe(true)
    expect(isStranded([['box-b/gsm0']], usedAt, 0)).toBe(true)
    expect(isStranded([['gsm0'], ['gsm1']], usedAt, 200 + PATIENCE_MS)).toBe(false)
    expect(isStranded([['gsm0'], ['gsm1']], usedAt, 201 + PATIENCE_MS)).toBe(true)
  })

  it('keeps it when the disk refuses the entry', async () => {
    const window = new Window(10)
    window.add(delivery, message, [])
    const released: string[] = []
    const store = {
      operate: () => Promise.reject(new Error('disk full')),
      release: async (ids: readonly string[]) => {
        released.push(...ids)
      },
    }
    const deps = { store, log: silent, ownership: { takers: () => [well('b')] } }
    await expect(handOn(deps, window, createRouter([], []), () => undefined, 0)).rejects.toThrow('disk full')
    expect(released).toEqual([delivery.id])
    expect(window.size).toBe(0)
  })
})

it('a route names the members whose lines alone will do', () => {
  const lines = ['box-b/gsm0', 'gsm1']
  const only = { match: '+49*', lines: ['box-b/gsm0'], cost: 0, members: ['box-b'] }
  const router = createRouter([], [only, { match: '+4930*', lines, cost: 1 }])
  expect(router.members('+49171')).toEqual(['box-b'])
  expect(router.members('+4930')).toBeUndefined()
  expect(router.members('112')).toEqual([])
  expect(createRouter([], []).members('112')).toBeUndefined()
})

it('hands on what its routes have only lines of another member for, and sends the rest itself', async () => {
  const operations: Operation[] = []
  const ownership: Ownership = { ...soleOwner('a'), takers: () => [well('b')] }
  const { send, store, settled, sent } = await rig({
    ownership,
    routes: [
      { match: '+48*', lines: ['b/gsm0'], cost: 0, members: ['b'] },
      { match: '+49*', lines: ['gsm0'], cost: 0 },
    ],
    pair: { ...pair('accept'), mode: 'active-active' },
  })
  const theirs = await send({ to: ['+48171'] })
  const own = await send({ to: ['+49171'] })
  await settled(own.message.id, 'sent')
  await vi.waitFor(
    async () => {
      const entries = await store.entries('a', 0, 100)
      operations.push(...entries.map((entry) => entry.operation).filter(({ op }) => op === 'hand'))
      expect(operations).not.toEqual([])
    },
    { timeout: 10_000 },
  )
  expect(operations[0]).toEqual({ op: 'hand', delivery: theirs.deliveries[0]?.id, to: 'b' })
  const after = await store.message(theirs.message.id)
  expect(after?.deliveries).toMatchObject([{ state: 'queued', owner: 'b', handed: ['a', 'b'] }])
  expect(sent.length).toBe(1)
})

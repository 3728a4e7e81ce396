/** A member that another one removed: it holds nothing and takes nothing, until it joins again or is told to go on alone. */
import { describe, expect, it } from 'vitest'
import { onlyAt, roles, settled, times, untilActive } from './situations.ts'

const removed = { input: 'members', members: [], joined: false, removed: true } as const
const alone = { ...removed, removed: false }

describe('a member that was removed', () => {
  it('stands by and says why, whatever becomes of the others', () => {
    const world = settled()
    world.give(world.b, removed)
    world.kill(world.a)
    world.run(60_000)
    expect(world.b.gateway.role).toMatchObject({
      role: 'standby',
      reason: 'this appliance was removed from its pair',
    })
    expect(times(world, 'b', 'addAddress')).toEqual([])
    expect(world.b.gateway.transmitUntil).toBeLessThanOrEqual(world.now)
  })

  it('gives up what it holds, and does not take it again', () => {
    const world = settled()
    const at = world.now
    world.give(world.a, removed)
    expect(untilActive(world, world.b)).toBeDefined()
    world.run(30_000)
    expect(roles(world)).toEqual(['standby', 'active'])
    expect(onlyAt(world, world.b)).toBe(true)
    expect(times(world, 'a', 'addAddress', at)).toEqual([])
    expect(world.violations).toEqual([])
  })

  it('takes nothing when it was on its way to', () => {
    const world = settled()
    world.kill(world.a)
    expect(world.until(10_000, () => world.b.machine?.phase !== 'waiting')).toBeDefined()
    world.give(world.b, removed)
    world.run(30_000)
    expect(world.b.gateway.role?.role).toBe('standby')
    expect(world.b.machine?.phase).toBe('waiting')
    expect(world.holders()).toEqual([])
  })

  it('goes on alone on command, once it is told that it is single', () => {
    const world = settled()
    world.give(world.b, removed)
    world.kill(world.a)
    world.run(5_000)
    world.give(world.b, alone)
    world.give(world.b, { input: 'command', id: 1, command: 'takeover' })
    world.run(3_000)
    expect(world.b.gateway.role?.role).toBe('single')
    expect(world.b.results).toMatchObject([{ id: 1, result: 'done' }])
  })
})

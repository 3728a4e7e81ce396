/** When a member takes the address and when it does not: pair.md rules 2, 8, 9, 12, 13, 16, 19, 20, 21 and 24. */
import { describe, expect, it, test } from 'vitest'
import { fast, normal } from './box.ts'
import { deeds, onlyAt, roles, settled, times, untilActive } from './situations.ts'
import { World } from './world.ts'

describe('rule 2: faults of processes never make two holders, and the other one takes over', () => {
  it.each([false, true])('guard killed without a word (witness %s)', (witness) => {
    const world = settled({ witness })
    world.kill(world.a)
    const took = untilActive(world, world.b)
    expect(took).toBeGreaterThan(1_000)
    expect(took).toBeLessThan(witness ? 2_100 : 1_750)
    expect(world.violations).toEqual([])
  })
  it('everything frozen for five seconds: it gives up before anything else when it goes on', () => {
    const world = settled()
    world.freeze(world.a, 5_000)
    expect(untilActive(world, world.b)).toBeLessThan(1_750)
    const thawed = world.now + 3_000
    world.run(6_000)
    expect(roles(world)).toEqual(['standby', 'active'])
    expect(times(world, 'a', 'renewAddress', thawed)).toEqual([])
    expect(world.violations).toEqual([])
  })
  it('cable out: the other one takes over, never both', () => {
    const world = settled()
    world.setCarrier(world.a, false)
    expect(untilActive(world, world.b)).toBeLessThan(1_750)
    world.setCarrier(world.a, true)
    world.run(5_000)
    expect(roles(world)).toEqual(['standby', 'active'])
    expect(world.violations).toEqual([])
  })
})

test('rule 8: two members wait out the lease, counted from the last heartbeat', () => {
  const world = settled()
  const last = world.now
  world.kill(world.a)
  untilActive(world, world.b)
  const [added] = times(world, 'b', 'addAddress', last)
  expect(added ?? 0).toBeGreaterThan(last + fast.grantWait - fast.interval)
})

describe('rule 9: a word of the guard is proof, a closed connection is not', () => {
  it('a crash of the gateway moves the address in less than 50 ms', () => {
    const world = settled()
    world.give(world.a, { input: 'gatewayGone' })
    expect(untilActive(world, world.b)).toBeLessThan(50)
    expect(world.violations).toEqual([])
    // Its guard ends; a new one comes up as standby.
    world.run(100)
    expect(world.a.machine).toBeUndefined()
    world.start(world.a)
    world.run(3_000)
    expect(roles(world)).toEqual(['standby', 'active'])
  })
  it('closed connections make a member ask its witness at once, which refuses until the lease is over', () => {
    const slow = { ...fast, interval: 1_000, misses: 10 }
    const world = settled({ witness: true, profile: slow })
    const at = world.now
    world.kill(world.a)
    const took = untilActive(world, world.b, 20_000)
    // Silence alone would take ten seconds.
    expect(took).toBeLessThan(2_500)
    expect(took).toBeGreaterThan(1_000)
    expect(times(world, 'b', 'askWitness', at).length).toBeGreaterThan(0)
    expect(world.violations).toEqual([])
  })
  it('closed connections of two members without a witness change nothing', () => {
    const world = settled()
    world.give(world.b, { input: 'paths', node: 'a', paths: [{ address: 'p0', up: false }] })
    world.run(3_000)
    expect(roles(world)).toEqual(['active', 'standby'])
  })
})

describe('rule 12: the standby takes over only when', () => {
  it('its own carrier was up meanwhile: a cable that comes back does not take over (the first real bug)', () => {
    const world = settled()
    world.setCarrier(world.b, false)
    world.run(4_000)
    world.setCarrier(world.b, true)
    world.run(5_000)
    expect(world.takeovers).toHaveLength(1)
    expect(times(world, 'b', 'addAddress')).toEqual([])
  })
  it('what it knows of the other one is newer than its own carrier (the second real bug)', () => {
    const world = settled()
    // The active gives up while this one has no carrier, and is active again when the cable comes back.
    world.setCarrier(world.b, false)
    world.run(3_000)
    world.cut(world.a, world.b, 900)
    world.setCarrier(world.b, true)
    world.run(850)
    expect(times(world, 'b', 'addAddress')).toEqual([])
    world.run(3_000)
    expect(world.takeovers).toHaveLength(1)
  })
  it('its own loop was on time: own lateness is not the silence of others', () => {
    const world = settled()
    for (let turn = 0; turn < 5; turn += 1) {
      world.freeze(world.b, 2_500)
      world.run(2_700)
    }
    expect(times(world, 'b', 'addAddress')).toEqual([])
    expect(world.b.signals).not.toContain('a DEAD')
  })
  it('its own health is good, unless nobody serves for aloneAfter', () => {
    const world = settled({ settings: { aloneAfter: 8_000 } })
    world.b.gateway.problem = true
    world.run(500)
    world.kill(world.a)
    world.run(7_000)
    expect(world.b.gateway.role).toMatchObject({ role: 'error', reason: 'no line works' })
    expect(untilActive(world, world.b)).toBeLessThan(2_500)
  })
  it('it has what the others hold, unless nobody serves for aloneAfter', () => {
    const world = settled({ settings: { aloneAfter: 8_000 } })
    world.b.gateway.synchronised = false
    world.run(500)
    world.kill(world.a)
    world.run(7_000)
    expect(world.b.gateway.role).toMatchObject({ role: 'standby', reason: 'synchronising' })
    expect(untilActive(world, world.b)).toBeLessThan(2_500)
  })
  it('a majority of three or more members agrees', () => {
    const world = settled({ members: 4 })
    // a and b on one side, c and d on the other: two of four are no majority.
    for (const one of [0, 1])
      for (const other of [2, 3]) world.cutBoth(world.box(one), world.box(other), 6_000)
    world.run(5_900)
    expect(world.transmitting()).toEqual([])
    expect(world.holders()).toEqual([])
    world.run(6_000)
    expect(roles(world).filter((role) => role === 'active')).toHaveLength(1)
    expect(world.violations).toEqual([])
  })
})

test('rule 13: grant, then the term on disk, then the address, then the announcement, then the role', () => {
  const world = settled({ witness: true })
  const from = world.now
  world.kill(world.a)
  untilActive(world, world.b)
  const order = deeds(world, 'b', from, [
    'askWitness',
    'storeTerm',
    'addAddress',
    'announce',
    'lease',
    'role',
  ])
  const first = (kind: string) => order.indexOf(kind)
  expect(order.filter((kind) => kind === 'storeTerm')).toHaveLength(1)
  expect(first('askWitness')).toBeLessThan(first('storeTerm'))
  expect(first('storeTerm')).toBeLessThan(first('addAddress'))
  expect(first('addAddress')).toBeLessThan(first('announce'))
  const active = world.effects.find(
    ({ node, at, effect }) =>
      at >= from && node === 'b' && effect.effect === 'role' && effect.state.role === 'active',
  )
  const [announced = 0] = times(world, 'b', 'announce', from)
  expect(active?.at).toBe(announced)
  expect(world.b.disk).toMatchObject({ node: 'b' })
  world.run(1_000)
  expect(times(world, 'b', 'announce', from).map((at) => Math.round(at - announced))).toEqual([
    0, 50, 200, 600,
  ])
})

test('rule 13: a disk that takes two seconds delays a take-over but makes no second holder', () => {
  const world = settled({ witness: true })
  world.b.diskDelay = 2_000
  world.kill(world.a)
  expect(untilActive(world, world.b)).toBeLessThan(5_000)
  expect(world.violations).toEqual([])
})

describe('rule 16: no preemption unless wanted', () => {
  it('the one with the higher priority stays standby when it is back', () => {
    const world = settled()
    world.kill(world.a)
    untilActive(world, world.b)
    world.start(world.a)
    world.run(20_000)
    expect(roles(world)).toEqual(['standby', 'active'])
  })
  it.each([{ preempt: true }, { preempt: true, master: 'a', priority: 1 }])(
    '%o takes back after some steady time',
    (own) => {
      const { preempt, ...both } = own
      const world = settled({ own: [own, both] })
      world.kill(world.a)
      untilActive(world, world.b)
      world.start(world.a)
      world.run(3_000)
      expect(roles(world)).toEqual(['standby', 'active'])
      expect(untilActive(world, world.a, 5_000)).toBeDefined()
      world.run(20_000)
      expect(roles(world)).toEqual(['active', 'standby'])
      expect(world.takeovers).toHaveLength(3)
      expect(world.violations).toEqual([])
    },
  )
})

test('rule 19: a second path counts: a member is silent only when it is silent on all', () => {
  const world = settled()
  const { a, b } = world
  world.run(1_000)
  const beats = world.effects.filter(({ node, effect }) => node === 'a' && effect.effect === 'send')
  expect(beats.length).toBeGreaterThan(0)
  for (let turn = 0; turn < 30; turn += 1) {
    // One path closes and opens; the other one goes on.
    world.give(b, {
      input: 'paths',
      node: a.node,
      paths: [
        { address: 'p0', up: turn % 2 === 0 },
        { address: 'p1', up: true },
      ],
    })
    world.run(100)
  }
  expect(roles(world)).toEqual(['active', 'standby'])
})

describe('rule 20: the witness', () => {
  it('keeps the address where it is when only a and b are cut apart', () => {
    const world = settled({ witness: true })
    world.cutBoth(world.a, world.b, 20_000)
    world.run(20_000)
    expect(world.takeovers).toHaveLength(1)
    expect(onlyAt(world, world.a)).toBe(true)
  })
  it('lets the other one take over when the active is cut off from everybody, which stops within its lease', () => {
    const world = settled({ witness: true })
    world.cutBoth(world.a, world.b, 8_000)
    world.cutUntil.set('a>w', world.now + 8_000)
    expect(world.until(2_000, () => !world.a.address.here)).toBeLessThan(1_550)
    expect(untilActive(world, world.b)).toBeLessThan(2_100)
    expect(world.violations).toEqual([])
  })
  it('may be lost: the active goes on with what its peer acknowledges, and stops when that dies too', () => {
    const world = settled({ witness: true })
    world.witnessDownUntil = world.now + 60_000
    world.run(6_000)
    expect(onlyAt(world, world.a)).toBe(true)
    expect(world.takeovers).toHaveLength(1)
    world.kill(world.b)
    expect(world.until(2_000, () => world.transmitting().length === 0)).toBeLessThan(1_200)
    world.run(2_000)
    expect(world.holders()).toEqual([])
  })
  it('refuses everybody for one grant wait after its own start', () => {
    const world = settled({ witness: true })
    world.kill(world.a)
    world.restartWitness()
    const took = untilActive(world, world.b)
    expect(took).toBeGreaterThan(fast.grantWait)
    expect(took).toBeLessThan(2_200)
  })
})

describe('rule 21: terms', () => {
  it('grow with every take-over and outlive a crash', () => {
    const world = settled()
    for (let turn = 0; turn < 4; turn += 1) {
      const active = world.box(turn % 2)
      world.kill(active)
      untilActive(world, world.box((turn + 1) % 2))
      world.start(active)
      world.run(2_000)
    }
    expect(world.takeovers.map(({ term }) => term.counter)).toEqual([1, 2, 3, 4, 5])
  })
  it('are not held before they are on disk: a disk that refuses makes no holder', () => {
    const world = settled()
    world.b.diskDelay = 60_000
    world.kill(world.a)
    world.run(5_000)
    world.give(world.b, { input: 'termRefused', text: 'no space left' })
    world.run(2_000)
    expect(times(world, 'b', 'addAddress')).toEqual([])
    expect(world.b.alarms).toContain('term-not-stored')
  })
})

describe('rule 24: both begin cold', () => {
  it.each([
    [{}, {}, 'a'],
    [{ priority: 10 }, { priority: 20 }, 'b'],
    [{ priority: 10, master: 'a' }, { priority: 20, master: 'a' }, 'a'],
  ])('the preferred one becomes active as soon as they hear each other (%o, %o)', (one, other, winner) => {
    const world = new World({ members: 2, witness: false, seed: 5, own: [one, other] })
    world.startAll()
    world.run(2_000)
    expect(world.takeovers.map(({ node }) => node)).toEqual([winner])
  })
  it('one that hears nobody waits for aloneAfter', () => {
    const world = new World({ members: 2, witness: false, seed: 5 })
    world.start(world.box(0))
    world.run(2_900)
    expect(roles(world)).toEqual(['standby', undefined])
    expect(world.box(0).gateway.role?.reason).toBe('waiting for the other members')
    expect(untilActive(world, world.box(0), 500)).toBeDefined()
  })
  it('or for the button', () => {
    const world = new World({ members: 2, witness: false, seed: 5, settings: { aloneAfter: 60_000 } })
    world.start(world.box(0))
    world.run(3_000)
    world.give(world.box(0), { input: 'command', id: 7, command: 'takeover' })
    expect(untilActive(world, world.box(0), 1_000)).toBeDefined()
    world.run(10)
    expect(world.box(0).results).toEqual([{ id: 7, result: 'done' }])
  })
  it('one that hears an active stands by', () => {
    const world = new World({ members: 2, witness: false, seed: 5 })
    world.start(world.box(1))
    world.run(5_000)
    world.start(world.box(0))
    world.run(5_000)
    expect(roles(world)).toEqual(['standby', 'active'])
  })
  it('probes the address that no member held, and leaves it to a stranger', () => {
    const world = new World({ members: 2, witness: false, seed: 5 })
    world.stranger = true
    world.startAll()
    world.run(8_000)
    expect(world.holders()).toEqual([])
    expect(world.takeovers).toEqual([])
    expect(world.boxes.flatMap(({ alarms }) => alarms)).toContain('address-taken')
    world.stranger = false
    world.run(8_000)
    expect(world.takeovers).toHaveLength(1)
  })
})

test('whoever handed over takes over again at once when it is named itself', () => {
  const world = settled()
  world.give(world.a, { input: 'command', id: 1, command: 'handover' })
  expect(untilActive(world, world.b)).toBeLessThan(100)
  world.run(300)
  world.give(world.b, { input: 'command', id: 2, command: 'handover' })
  expect(untilActive(world, world.a)).toBeLessThan(100)
  expect(world.violations).toEqual([])
})

test('one that is joined while it stores its first term, alone, does not go on with that', () => {
  const world = new World({ members: 2, witness: false, seed: 5 })
  const [a, b] = [world.box(0), world.box(1)]
  const members = world.boxes.map(({ node, settings }) => ({ node, priority: settings.priority }))
  a.diskDelay = 400
  world.start(b, [b])
  world.run(500)
  expect(roles(world)).toEqual([undefined, 'single'])
  world.give(b, { input: 'members', members, joined: true })
  world.run(60)
  world.start(a, [a])
  world.run(30)
  world.give(a, { input: 'members', members, joined: false })
  expect(world.until(4_000, () => roles(world).includes('active'))).toBeDefined()
  world.run(1_000)
  expect(world.violations).toEqual([])
})

test('two that split the votes of four members in step come to an end: found by the simulation', () => {
  const world = new World({ members: 4, witness: false, seed: 1_597_046_437, profile: normal })
  world.startAll()
  world.run(475)
  world.restartWitness()
  world.run(778)
  for (const other of world.boxes) world.cutBoth(world.box(0), other, 548)
  world.run(1_552)
  world.loss = 0.3
  world.lossUntil = world.now + 1_211
  world.run(1_002)
  world.give(world.box(3), { input: 'command', id: 7, command: 'takeover' })
  world.run(1_000)
  const active = () => roles(world).filter((role) => role === 'active').length === 1
  expect(world.until(5_000, active)).toBeDefined()
  expect(world.violations).toEqual([])
})

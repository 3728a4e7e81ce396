/** The runner over model stores and links in memory: what the rest of the program sees of replication. */
import { afterEach, describe, expect, it } from 'vitest'
import { monotonic } from '../../../src/core/clock.ts'
import { silent } from '../../../src/core/log.ts'
import { type Replication, startReplication } from '../../../src/pair/replication/replication.ts'
import { MemoryNetwork, type ModelStore, modelStore } from './model-store.ts'

const running: Replication[] = []
afterEach(async () => {
  for (const replication of running.splice(0)) await replication.stop()
})

interface Member {
  store: ModelStore
  replication: Replication
  alarms: string[]
}

async function member(
  network: MemoryNetwork,
  node: string,
  others: string[],
  store = modelStore(node),
): Promise<Member> {
  const alarms: string[] = []
  const replication = await startReplication({
    store,
    openLinks: network.links(node),
    members: others.map((other) => ({ node: other, fingerprint: '', addresses: [] })),
    clock: { monotonic },
    log: silent,
    events: { alarm: (code) => alarms.push(code) },
  })
  running.push(replication)
  return { store, replication, alarms }
}

const until = async (condition: () => boolean): Promise<void> => {
  await expect.poll(condition, { timeout: 10_000, interval: 5 }).toBe(true)
}

const state = ({ replication }: Member, node: string) =>
  replication.views().find((view) => view.node === node)?.state

async function pairOf(network: MemoryNetwork): Promise<[Member, Member]> {
  const a = await member(network, 'a', ['b'])
  const b = await member(network, 'b', ['a'])
  await until(() => state(a, 'b') === 'current' && state(b, 'a') === 'current')
  return [a, b]
}

describe('replication', () => {
  it('puts what one member accepts on the disk of the other, and says so', async () => {
    const [a, b] = await pairOf(new MemoryNetwork())
    const position = await a.store.accept('one', 'two')
    expect(await a.replication.acknowledged(position, 5_000)).toBe(true)
    expect(b.store.disk.reach(position.incarnation)).toBe(2)
    expect(a.replication.current()).toBe(true)
    expect(b.replication.synchronised()).toBe(true)
    expect(b.replication.positions().merged).toEqual([position])
  })

  it('waits for nobody when nobody is connected', async () => {
    const network = new MemoryNetwork()
    const a = await member(network, 'a', ['b'])
    const position = await a.store.accept('one')
    expect(a.replication.available()).toBe(false)
    expect(await a.replication.acknowledged(position, 60_000)).toBe(false)
    expect(a.replication.synchronised()).toBe(false)
  })

  it('waits once in vain for a member, then no more until it has caught up', async () => {
    const [a, b] = await pairOf(new MemoryNetwork())
    let go = (): void => {}
    b.store.slow = new Promise((resolve) => {
      go = resolve
    })
    expect(await a.replication.acknowledged(await a.store.accept('slow'), 30)).toBe(false)
    expect(state(a, 'b')).toBe('lagging')
    expect(await a.replication.acknowledged(await a.store.accept('not waited for'), 60_000)).toBe(false)
    go()
    await until(() => state(a, 'b') === 'current')
    expect(await a.replication.acknowledged(await a.store.accept('again'), 5_000)).toBe(true)
  })

  it('goes on where it was after a cut', async () => {
    const network = new MemoryNetwork()
    const [a, b] = await pairOf(network)
    network.cut('a', 'b')
    for (let n = 0; n < 300; n++) await a.store.accept(`a${n}`)
    await b.store.accept('b')
    expect(state(a, 'b')).toBe('disconnected')
    network.join('a', 'b')
    await until(() => a.store.disk.facts.size === 301 && b.store.disk.facts.size === 301)
    await until(() => a.replication.synchronised() && b.replication.synchronised())
  })

  it('tells that the disk of a member is full, and goes on when it is not', async () => {
    const [a, b] = await pairOf(new MemoryNetwork())
    b.store.broken = 'no space left'
    const position = await a.store.accept('one')
    await until(() => a.replication.views()[0]?.problem === 'no space left')
    expect(a.alarms).toEqual(['member-disk'])
    expect(b.alarms).toEqual(['own-disk'])
    expect(b.replication.synchronised()).toBe(false)
    b.store.broken = undefined
    await until(() => b.store.disk.reach(position.incarnation) === 1)
    await until(() => a.replication.views()[0]?.problem === undefined)
    expect(b.replication.synchronised()).toBe(true)
  })

  it('brings a third member a dead one’s log from the one that holds it', async () => {
    const network = new MemoryNetwork()
    const a = await member(network, 'a', ['b', 'c'])
    const b = await member(network, 'b', ['a', 'c'])
    const position = await a.store.accept('one', 'two', 'three')
    expect(await until(() => b.store.disk.reach(position.incarnation) === 3))
    await a.replication.stop()
    const c = await member(network, 'c', ['a', 'b'])
    await until(() => c.store.disk.reach(position.incarnation) === 3)
    await until(() => c.replication.synchronised())
  })

  it('fetches the tail that the own disk has lost', async () => {
    const network = new MemoryNetwork()
    const [a, b] = await pairOf(network)
    const position = await a.store.accept('one')
    await a.store.accept('two')
    await until(() => b.store.disk.reach(position.incarnation) === 2)
    await a.replication.stop()
    a.store.disk.crash(1)
    expect(a.store.disk.reach(position.incarnation)).toBe(1)
    const again = await member(network, 'a', ['b'], modelStore('a', a.store.disk))
    await until(() => again.store.disk.reach(position.incarnation) === 2)
    await until(() => again.replication.synchronised())
    expect(again.replication.positions().own.incarnation).not.toBe(position.incarnation)
  })

  it('brings a snapshot to a member that lacks entries which are gone', async () => {
    const network = new MemoryNetwork()
    const a = await member(network, 'a', ['b'])
    for (let n = 0; n < 250; n++) await a.store.accept(`a${n}`)
    a.store.disk.trim(3)
    const b = await member(network, 'b', ['a'])
    await b.store.accept('own')
    await until(() => b.replication.synchronised())
    await until(() => a.store.disk.facts.size === 251 && b.store.disk.facts.size === 251)
    const position = await a.store.accept('after')
    await until(() => b.store.disk.reach(position.incarnation) === position.sequence)
    await until(() => state(a, 'b') === 'current')
    expect(await a.replication.acknowledged(await a.store.accept('last'), 5_000)).toBe(true)
  })

  it('carries an entry that is larger than any payload', async () => {
    const [a, b] = await pairOf(new MemoryNetwork())
    const position = await a.store.accept('x'.repeat(3_000_000), 'small')
    expect(await a.replication.acknowledged(position, 10_000)).toBe(true)
    expect(b.store.disk.reach(position.incarnation)).toBe(2)
  })

  it('tells the store up to where nobody needs entries any more', async () => {
    const [a] = await pairOf(new MemoryNetwork())
    const position = await a.store.accept('one', 'two')
    await until(() => a.store.retained.get(position.incarnation) === 2)
  })

  it('waits before a stop until the others have everything', async () => {
    const network = new MemoryNetwork()
    const [a, b] = await pairOf(network)
    let go = (): void => {}
    b.store.slow = new Promise((resolve) => {
      go = resolve
    })
    const position = await a.store.accept('one')
    expect(await a.replication.flush(20)).toBe(false)
    const flushed = a.replication.flush(10_000)
    go()
    expect(await flushed).toBe(true)
    expect(b.store.disk.reach(position.incarnation)).toBe(1)
  })
})

describe('questions to a member', () => {
  it('are answered, refused, bounded and given up', async () => {
    const network = new MemoryNetwork()
    const [a, b] = await pairOf(network)
    b.replication.handle('echo', async (from, body) => ({ result: 'answered', body: `${from} ${body}` }))
    b.replication.handle('refuse', async () => ({ result: 'failed', code: 'not-active', text: 'standby' }))
    b.replication.handle('silent', () => new Promise(() => {}))
    const ask = (topic: string, body: string, ms = 5_000) => a.replication.request('b', topic, body, ms)
    expect(await ask('echo', 'x'.repeat(200_000))).toEqual({
      result: 'answered',
      body: `a ${'x'.repeat(200_000)}`,
    })
    expect(await ask('refuse', '')).toMatchObject({ code: 'not-active' })
    expect(await ask('nothing', '')).toMatchObject({ code: 'member-question-unknown' })
    expect(await ask('echo', 'x'.repeat(300_000))).toMatchObject({ code: 'member-question-too-large' })
    expect(await ask('silent', '', 20)).toMatchObject({ code: 'member-no-answer' })
    const many = Array.from({ length: 40 }, () => ask('silent', ''))
    expect(await many[39]).toMatchObject({ code: 'member-busy' })
    network.cut('a', 'b')
    expect(await many[0]).toMatchObject({ code: 'member-no-answer' })
    expect(await ask('echo', '')).toMatchObject({ code: 'member-unreachable' })
  })
})

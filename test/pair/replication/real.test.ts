/** Replication with its real parts: SQLite, TLS, MQTT. */
import { afterEach, expect, it } from 'vitest'
import { acceptance, type RealMember, RealPair } from './real-pair.ts'

let pair: RealPair | undefined
afterEach(async () => {
  await pair?.end()
  pair = undefined
})

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  await expect.poll(condition, { timeout: 20_000, interval: 10 }).toBe(true)
}

const current = async (...members: RealMember[]): Promise<void> => {
  await until(() =>
    members.every(({ replication }) => replication.views().every(({ state }) => state === 'current')),
  )
}

const accept = async ({ store }: RealMember, text: string, recipients = 1): Promise<string> => {
  const wanted = acceptance(text, recipients)
  expect(await store.accept([wanted])).toEqual([{ result: 'accepted' }])
  return wanted.message.id
}

it('puts accepted messages on two disks', async () => {
  pair = await RealPair.make(['a', 'b'])
  const [a, b] = [pair.member('a'), pair.member('b')]
  await current(a, b)
  const id = await accept(a, 'pump 3')
  expect(await a.replication.acknowledged(a.store.logged(), 10_000)).toBe(true)
  expect((await b.store.message(id))?.message.text).toBe('pump 3')
  expect(b.replication.synchronised()).toBe(true)
  expect(b.replication.positions().merged).toEqual([a.store.logged()])
})

it('carries a message to 20,000 recipients', async () => {
  pair = await RealPair.make(['a', 'b'])
  const [a, b] = [pair.member('a'), pair.member('b')]
  await current(a, b)
  const id = await accept(a, 'a whole campus', 20_000)
  await a.replication.acknowledged(a.store.logged(), 20_000)
  await until(async () => (await b.store.message(id)) !== undefined)
  expect((await b.store.message(id))?.count).toBe(20_000)
})

it('catches up after a restart, in both directions', async () => {
  pair = await RealPair.make(['a', 'b'])
  const a = pair.member('a')
  await current(a, pair.member('b'))
  await pair.member('b').stop()
  const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => accept(a, `while b is away ${n}`)))
  expect(await a.replication.acknowledged(a.store.logged(), 10_000)).toBe(false)
  const b = await pair.start('b')
  await current(a, b)
  await until(() => b.replication.synchronised())
  for (const id of ids) expect(await b.store.message(id)).toBeDefined()
  const back = await accept(b, 'from b')
  expect(await b.replication.acknowledged(b.store.logged(), 10_000)).toBe(true)
  expect(await a.store.message(back)).toBeDefined()
})

it('takes a third member into a running pair', async () => {
  pair = await RealPair.make(['a', 'b'])
  const [a, b] = [pair.member('a'), pair.member('b')]
  await current(a, b)
  const before = [await accept(a, 'one'), await accept(b, 'two')]
  const c = await pair.start('c')
  await current(a, b, c)
  await until(() => c.replication.synchronised())
  for (const id of before) expect(await c.store.message(id)).toBeDefined()
})

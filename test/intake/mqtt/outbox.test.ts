/** What waits for the broker: the newest of each state, the last thousand events, in order, whatever fails in between. */
import { expect, test } from 'vitest'
import { Outbox } from '#intake/mqtt/outbox.ts'

/** A broker that answers when the test says so. */
function outlet() {
  const open: { text: string; resolve: () => void; reject: (error: Error) => void }[] = []
  const got: string[] = []
  const state = {
    up: false,
    open,
    got,
    connected: () => state.up,
    publish: (topic: string, payload: string, retain: boolean) =>
      new Promise<void>((resolve, reject) => {
        open.push({ text: `${topic}=${payload}${retain ? ' kept' : ''}`, resolve, reject })
      }),
    /** Acknowledges everything, also what is published because of it. */
    async acknowledge() {
      for (let one = open.shift(); one !== undefined; one = open.shift()) {
        got.push(one.text)
        one.resolve()
        await new Promise(setImmediate)
      }
    },
    async fail() {
      state.up = false
      for (const one of open.splice(0)) one.reject(new Error('gone'))
      await new Promise(setImmediate)
    },
  }
  return state
}

test('while the broker is away only the newest of a state is kept, and it is published once', async () => {
  const broker = outlet()
  const outbox = new Outbox(broker, () => {})
  outbox.state('role', 'STANDBY')
  outbox.state('role', 'ACTIVE')
  outbox.event('e', '1')
  broker.up = true
  outbox.up()
  outbox.state('role', 'ACTIVE')
  await broker.acknowledge()
  expect(broker.got).toEqual(['role=ACTIVE kept', 'e=1'])
})

test('after a new connection every state is published again: the broker may have forgotten', async () => {
  const broker = outlet()
  const outbox = new Outbox(broker, () => {})
  broker.up = true
  outbox.state('a', '1')
  await broker.acknowledge()
  outbox.up()
  await broker.acknowledge()
  expect(broker.got).toEqual(['a=1 kept', 'a=1 kept'])
})

test('what was under way when the connection ended comes again, in order, before what came after', async () => {
  const broker = outlet()
  const outbox = new Outbox(broker, () => {})
  broker.up = true
  for (let n = 0; n < 200; n += 1) outbox.event('e', String(n))
  expect(broker.open.length).toBeLessThan(100)
  await broker.fail()
  outbox.event('e', '200')
  broker.up = true
  outbox.up()
  await broker.acknowledge()
  expect(broker.got).toEqual(Array.from({ length: 201 }, (_, n) => `e=${n}`))
})

test('the oldest events beyond a thousand are dropped, and how many is said', async () => {
  const dropped: number[] = []
  const broker = outlet()
  const outbox = new Outbox(broker, (count) => dropped.push(count))
  for (let n = 0; n < 1_500; n += 1) outbox.event('e', String(n))
  broker.up = true
  outbox.up()
  await broker.acknowledge()
  expect(dropped).toEqual([500])
  expect(broker.got).toHaveLength(1_000)
  expect(broker.got[0]).toBe('e=500')
})

test('a client that refuses in the same turn, as one that is being closed does, stops nothing else', async () => {
  let asked = 0
  const refusing = {
    connected: () => true,
    publish: () => {
      asked += 1
      return Promise.reject(new Error('client disconnecting'))
    },
  }
  const outbox = new Outbox(refusing, () => {})
  outbox.state('role', 'ACTIVE')
  outbox.event('e', '1')
  await new Promise(setImmediate)
  expect(asked).toBe(2)
})

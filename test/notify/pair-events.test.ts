/** One list of callbacks: everybody hears, whoever fails. */
import { expect, it } from 'vitest'
import { type Log, silent } from '#core/log.ts'
import { createPairEvents } from '#notify/pair-events.ts'

it('tells every listener in order, and one that fails keeps nobody from hearing', async () => {
  const logged: object[] = []
  const log: Log = { ...silent, error: (fields) => logged.push(fields) }
  const list = createPairEvents(log)
  const heard: string[] = []
  list.add('breaks', {
    signal() {
      throw new Error('broken')
    },
  })
  list.add('breaks later', {
    async alarm() {
      await Promise.resolve()
      throw new Error('broken later')
    },
  })
  const remove = list.add('first', {
    signal: (node, signal) => heard.push(`first ${node} ${signal}`),
    failover: (text) => heard.push(`first ${text}`),
  })
  list.add('second', {
    signal: (node, signal) => heard.push(`second ${node} ${signal}`),
    alarm: (code) => heard.push(`second ${code}`),
    role: ({ role }) => heard.push(`second ${role}`),
  })
  const { events } = list
  events.signal('box-b', 'DEAD')
  events.alarm('pair-two-active', 'two are active')
  events.role({ role: 'active', term: { counter: 1, node: 'box-a' }, since: 0, reason: 'r' })
  remove()
  events.signal('box-b', 'LIVE')
  events.failover('nobody hears this')
  await new Promise((resolve) => setImmediate(resolve))

  expect(heard).toEqual([
    'first box-b DEAD',
    'second box-b DEAD',
    'second pair-two-active',
    'second active',
    'second box-b LIVE',
  ])
  expect(logged).toEqual([
    { listener: 'breaks', event: 'signal', error: 'broken' },
    { listener: 'breaks', event: 'signal', error: 'broken' },
    { listener: 'breaks later', event: 'alarm', error: 'broken later' },
  ])
})

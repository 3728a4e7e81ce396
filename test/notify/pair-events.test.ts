/** One list of callbacks: everybody hears, whoever fails. */
import { expect, it } from 'vitest'
import { type Log, silent } from '#core/log.ts'
import { createPairEvents } from '#notify/pair-events.ts'
import { pairRecords } from '#notify/pair-records.ts'

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

it('writes a role down once, and a changed reason only into the general log', () => {
  const audited: string[] = []
  const said: string[] = []
  const lines: string[] = []
  const records = pairRecords({
    node: 'box-a',
    audit: { write: (who, what, text) => audited.push(`${who} ${what} ${text}`) },
    failover: { write: (text) => lines.push(text) },
    log: { ...silent, debug: (_fields, text) => said.push(text), warn: (_fields, text) => said.push(text) },
  })
  const term = { counter: 1, node: 'box-b' }
  records.role({ role: 'standby', term, since: 0, reason: 'listening' })
  records.role({ role: 'standby', term, since: 0, reason: 'box-b is active' })
  records.role({ role: 'active', term: { counter: 2, node: 'box-a' }, since: 0, reason: 'box-b gave up' })
  records.failover('error detected, count = 1')
  records.alarm('clock-skew', 'clocks differ')
  expect(audited).toEqual([
    'box-a role-changed standby in term 1 of box-b: listening',
    'box-a role-changed active in term 2 of box-a: box-b gave up',
  ])
  expect(said).toEqual(['box-b is active', 'clocks differ'])
  expect(lines).toEqual(['error detected, count = 1'])
})

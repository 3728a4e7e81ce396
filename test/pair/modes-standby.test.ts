/** Real appliances that do not take over by themselves: cold, switched by hand, removed. */
import { expect, test } from 'vitest'
import { modem, pairOf } from './boxes.ts'

const line = (id: string, port: string, more = '') =>
  `{ id: ${id}, kind: gsm, port: '${port}', reports: false${more} }`

test.each([
  ['cold', 'mode: cold'],
  ['switchover by hand', 'switchover: manual'],
])('%s: the standby has everything and waits for a person', { timeout: 120_000 }, async (_name, key) => {
  const [modemA, modemB] = [await modem('60000'), await modem('20')]
  const [a, b] = await pairOf(
    { lines: [line('gsm0', modemA.address)], pair: [key] },
    { lines: [line('gsm0', modemB.address)], pair: [key] },
  )
  await Promise.all([a.line('gsm0', 'ready'), b.line('gsm0', 'ready')])
  const ids = [await a.send('in hand'), await a.send('waits')]
  await a.kill()
  await b.sees('box-a', 'DEAD')
  await b.reason(/on command only/)
  expect((await b.status())?.role).toBe('standby')
  expect(modemB.texts()).toEqual([])

  expect(await b.ask('POST', '/pair/takeover', {})).toMatchObject({ status: 200 })
  await b.is('active')
  const [inHand, waited] = await Promise.all(ids.map((id) => b.sent(id)))
  expect(inHand).toMatchObject({ node: 'box-b', possibleDuplicate: true })
  expect(waited).toMatchObject({ node: 'box-b', possibleDuplicate: false })
  expect(modemB.texts().toSorted()).toEqual(['in hand', 'waits'])
})

test('a removed member stands by and takes nothing until it is told to go on alone; then it flags', {
  timeout: 120_000,
}, async () => {
  const [modemA, modemB] = [await modem('60000'), await modem('20')]
  const [a, b] = await pairOf(
    { lines: [line('gsm0', modemA.address)] },
    { lines: [line('gsm0', modemB.address)] },
  )
  await Promise.all([a.line('gsm0', 'ready'), b.line('gsm0', 'ready')])
  await a.send('in hand')
  const held = await a.send('held by both')
  expect(await a.ask('POST', '/pair/remove', { node: 'box-b' })).toMatchObject({ status: 200 })
  await b.reason(/was removed from its pair/)
  expect(await b.status()).toMatchObject({ role: 'standby', standing: 'removed' })
  const refused = await b.ask('POST', '/messages', { to: ['+4915112345'], text: 'x' })
  expect(refused).toMatchObject({ status: 503, body: { code: 'removed-from-pair' } })
  await b.kill()
  await b.start()
  await b.reason(/was removed from its pair/)
  expect(modemB.texts()).toEqual([])

  expect(await b.ask('POST', '/pair/takeover', {})).toMatchObject({ status: 200 })
  await b.is('single')
  expect(await b.sent(held)).toMatchObject({ node: 'box-b', possibleDuplicate: true })
  expect(await b.sent(await b.send('its own'))).toMatchObject({ possibleDuplicate: false })
})

/** Received messages in a pair: whichever member gets one, the active acts, and the one that follows it goes on. */
import { expect, onTestFinished, test } from 'vitest'
import { startHookSink } from '../notify/sinks.ts'
import { until } from '../system/appliance.ts'
import { modem, PATIENCE_MS, type PairBox, pairOf } from './boxes.ts'

const PHONE = '+491702222222'

async function items(box: PairBox, path: string): Promise<Record<string, unknown>[]> {
  const { body } = await box.ask('GET', path)
  return Array.isArray(body['items']) ? body['items'] : []
}

test('the active acts for both, and after a failover the other one goes on: each event and each reply once', {
  timeout: 180_000,
}, async () => {
  const hook = await startHookSink()
  onTestFinished(() => hook.stop())
  const [modemA, modemB] = [await modem('20'), await modem('20')]
  const more = `inbound:
  webhook: { url: ${hook.url}, secret: 0123456789abcdef, timeout: 60s }
  rules: [{ from: "*", do: { webhook: true, reply: "Taken." } }]
`
  const line = (port: string) => `{ id: gsm0, kind: gsm, port: '${port}', reports: false }`
  const [a, b] = await pairOf(
    { lines: [line(modemA.address)], more },
    { lines: [line(modemB.address)], more },
  )
  await Promise.all([a.line('gsm0', 'ready'), b.line('gsm0', 'ready')])
  const told = () => hook.calls.map(({ body }) => body['text'])
  const soon = (holds: () => boolean | Promise<boolean>, what: string) => until(holds, what, PATIENCE_MS)

  modemB.receive(PHONE, 'to the standby')
  await soon(() => hook.calls.length === 1, 'the active tells of it')
  expect(hook.calls[0]?.body).toMatchObject({ text: 'to the standby', node: 'box-b' })

  hook.script = [422]
  modemA.receive('+491703333333', 'not wanted')
  await soon(
    async () => (await items(b, '/inbound/dead')).length === 1,
    'the standby lists what was given up',
  )
  const [dead] = await items(b, '/inbound/dead')
  expect(await b.ask('POST', `/inbound/dead/${dead?.['id']}/replay`)).toMatchObject({ status: 200 })
  await soon(() => hook.calls.length === 3, 'the active tries it again')
  expect(told().slice(1)).toEqual(['not wanted', 'not wanted'])

  modemA.receive('+491704444444', 'STOP')
  await soon(async () => (await items(b, '/inbound/stopped')).length === 1, 'the standby knows of the stop')
  await soon(() => hook.calls.length === 4, 'it was told as well')

  hook.script = ['hang']
  modemA.receive(PHONE, 'before the failover')
  await soon(() => hook.calls.length === 5, 'the event hangs')
  await soon(
    async () => (await items(b, '/inbox')).some(({ text }) => text === 'before the failover'),
    'the standby holds it',
  )
  await a.kill()
  await b.is('active')
  await soon(() => hook.calls.length === 6, 'the other one tells of it')
  expect(hook.calls[5]?.body['id']).toBe(hook.calls[4]?.body['id'])
  const refused = await b.ask('POST', '/messages', { to: ['+491704444444'], text: 'no' })
  expect(refused.body['deliveries']).toMatchObject([{ state: 'cancelled' }])

  modemB.receive('+491705555555', 'after it')
  await soon(() => hook.calls.length === 7, 'and acts')
  await a.start()
  await Promise.all([a.inStepWith('box-b'), b.inStepWith('box-a')])
  modemA.receive('+491706666666', 'to the one that came back')
  await soon(() => hook.calls.length === 8, 'whichever member gets it')
  // As many events as messages, and one reply to each but the STOP.
  expect(new Set(hook.calls.map(({ body }) => body['id'])).size).toBe(6)
  const replies = async () => {
    const messages = await items(b, '/messages')
    return messages.filter(({ source }) => source === 'inbound:reply').length
  }
  await soon(async () => (await replies()) === 5, 'five replies')
})

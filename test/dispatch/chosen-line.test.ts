/** Lines that a person chose or muted, at the loop over a real store: which line sends, and when another one stands in. */
import { describe, expect, test, vi } from 'vitest'
import { tiersVia } from '#dispatch/via.ts'
import { rig } from './rig.ts'
import { refused, type Script, sendParts } from './scripted-line.ts'

const two = (gsm1?: Script) => {
  const made = rig({
    scripts: {
      gsm0: async (t, line) => sendParts(t, line, (await made).sent),
      gsm1: gsm1 ?? (async (t, line) => sendParts(t, line, (await made).sent)),
    },
    routes: [
      { match: '*', lines: ['gsm0'], cost: 0 },
      { match: '*', lines: ['gsm1'], cost: 5 },
    ],
  })
  return made
}
const hour = () => Date.now() + 3_600_000

describe('tiers', () => {
  const usual = [['gsm0', 'gsm1'], ['gsm2']]
  test.each([
    ['nobody chose', undefined, usual],
    ['chosen here', { node: 'a', line: 'gsm2', only: false }, [['gsm2'], ['gsm0', 'gsm1']]],
    ['of a tier', { node: 'a', line: 'gsm1', only: false }, [['gsm1'], ['gsm0'], ['gsm2']]],
    ['alone', { node: 'a', line: 'gsm1', only: true }, [['gsm1']]],
    ['on another member', { node: 'b', line: 'gsm1', only: true }, usual],
  ])('%s', (_, via, expected) => {
    expect(tiersVia(via === undefined ? {} : { via }, 'a', usual)).toEqual(expected)
  })
})

describe('a muted line', () => {
  test('sends nothing, dearer ones do, and it goes on when that is over', async () => {
    const r = await two()
    await r.dispatch.mute('gsm0', hour())
    expect(r.dispatch.lineStatus().map(({ muted }) => muted !== undefined)).toEqual([true, false])
    await r.settled((await r.send()).message.id, 'sent')
    expect(r.sent.at(-1)?.line).toBe('gsm1')
    await r.dispatch.mute('gsm1', hour())
    const waiting = (await r.send()).message.id
    const urgent = (await r.send({ priority: 0 })).message.id
    expect((await r.view(urgent)).deliveries[0]?.state).toBe('queued')
    await r.dispatch.unmute('gsm1')
    await r.settled(urgent, 'sent')
    await r.settled(waiting, 'sent')
    expect(r.sent.slice(-2).map(({ line, priority }) => `${line} ${priority}`)).toEqual(['gsm1 0', 'gsm1 2'])
  })

  test('is what a delivery waits for, with the end of it, and nothing where another line may go', async () => {
    const r = await two()
    const until = hour()
    await r.dispatch.mute('gsm0', until)
    await r.dispatch.mute('gsm1', until)
    const { message } = await r.send()
    const waiting = async () =>
      r.dispatch.waiting((await r.view(message.id)).deliveries).get(`${message.id}.0`)
    expect(await waiting()).toEqual([
      { line: 'gsm0', until, reason: { code: 'muted', text: 'The line is muted' } },
      { line: 'gsm1', until, reason: { code: 'muted', text: 'The line is muted' } },
    ])
    await r.dispatch.unmute('gsm1')
    await r.settled(message.id, 'sent')
    expect(await waiting()).toEqual([])
  })

  test('ends by time alone', async () => {
    const r = await two()
    await r.dispatch.mute('gsm1', hour())
    await r.dispatch.mute('gsm0', Date.now() + 50)
    const { message } = await r.send()
    await r.settled(message.id, 'sent')
    expect(r.dispatch.lineStatus()[0]).not.toHaveProperty('muted')
  })
})

describe('a chosen line', () => {
  test('sends what was moved to it, though another one is cheaper', async () => {
    const r = await two()
    for (const line of ['gsm0', 'gsm1']) await r.dispatch.mute(line, hour())
    const { message } = await r.send()
    expect(await r.dispatch.move(message.id, 'gsm1')).toMatchObject({ result: 'done' })
    await r.dispatch.unmute('gsm1')
    await r.dispatch.unmute('gsm0')
    const view = await r.settled(message.id, 'sent')
    expect(view.deliveries[0]).toMatchObject({ line: 'gsm1', via: { node: 'a', line: 'gsm1', only: false } })
    expect(view.deliveries[0]?.timeline.map(({ event }) => event)).toEqual([
      'accept',
      'move',
      'intend',
      'accepted',
    ])
    expect(await r.dispatch.move(message.id, 'gsm0')).toMatchObject({ result: 'tooLate' })
  })

  test('that is out of use has others stand in for it', async () => {
    const r = await two(async () => refused('line'))
    for (const line of ['gsm0', 'gsm1']) await r.dispatch.mute(line, hour())
    const { message } = await r.send()
    await r.dispatch.move(message.id, 'gsm1')
    for (const line of ['gsm1', 'gsm0']) await r.dispatch.unmute(line)
    await r.settled(message.id, 'sent')
    expect(r.sent.at(-1)?.line).toBe('gsm0')
  })

  test('that is to be tried has nobody stand in for it', async () => {
    let tries = 0
    const r = await two(async () => {
      tries += 1
      return refused('line')
    })
    const { message } = await r.send({ line: 'gsm1' })
    await vi.waitFor(() => expect(tries).toBeGreaterThan(0))
    await r.settled((await r.send()).message.id, 'sent')
    expect((await r.view(message.id)).deliveries[0]?.state).not.toBe('sent')
    expect(r.sent.map(({ line }) => line)).toEqual(['gsm0'])
  })

  test('must be a line, and there', async () => {
    const r = await two()
    await r.dispatch.mute('gsm0', hour())
    await r.dispatch.mute('gsm1', hour())
    const { message } = await r.send()
    expect(await r.dispatch.move(message.id, 'gsm9')).toEqual({ result: 'noLine', allowed: ['gsm0', 'gsm1'] })
    expect(await r.dispatch.move('nobody', 'gsm1')).toEqual({ result: 'notFound' })
    expect(await r.dispatch.submit({ to: ['+491701'], text: 'x', source: 't', line: 'gsm9' })).toMatchObject({
      result: 'invalid',
      code: 'line-unknown',
    })
  })
})

/** What an operator does from the panel, at a real appliance with simulated modems: lines, queue, a change on trial. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RunningAppliance, startAppliance } from './appliance.ts'

interface Line {
  id: string
  state: string
  muted?: string
  node: string
}
interface Message {
  id: string
  deliveries: { id: string; state: string; line?: string }[]
  timeline: { event: string; line?: string; node?: string }[]
}

describe('an operator', { timeout: 60_000 }, () => {
  let directory: string
  let appliance: RunningAppliance

  const start = async (ports: readonly string[] = ['sim://gsm', 'sim://gsm']) => {
    appliance = await startAppliance({ directory, ports })
    await appliance.ready(ports.length)
  }
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operate-'))
    await start()
  })
  afterEach(async () => {
    await appliance.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  const ok = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await appliance.call(method, `/api/v1${path}`, body)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body as T
  }
  const refused = async (method: string, path: string, body?: unknown): Promise<string> =>
    String((await appliance.call(method, `/api/v1${path}`, body)).body['code'])
  const send = async (text: string) =>
    (await ok<{ id: string }>('POST', '/messages', { to: ['+491701234567'], text })).id
  const message = (id: string) => ok<Message>('GET', `/messages/${id}`)
  const line = (id: string) => ok<Line>('GET', `/lines/${id}`)
  async function until(id: string, state: string): Promise<Message> {
    for (let tries = 0; tries < 400; tries += 1) {
      const found = await message(id)
      if (found.deliveries.every((delivery) => delivery.state === state)) return found
      await pause(25)
    }
    throw new Error(`${id} did not become ${state}: ${JSON.stringify(await message(id))}`)
  }

  test('mutes a line over a restart, and others send meanwhile', async () => {
    const muted = await ok<Line>('POST', '/lines/gsm0/mute', { for: '1h' })
    expect(Date.parse(muted.muted ?? '')).toBeGreaterThan(Date.now())
    expect(muted.node).toBe('box-a')
    for (const text of ['one', 'two', 'three']) {
      expect((await until(await send(text), 'sent')).deliveries[0]?.line).toBe('gsm1')
    }
    await appliance.kill('SIGKILL')
    await start()
    expect((await line('gsm0')).muted).toBe(muted.muted)
    await ok('POST', '/lines/gsm1/mute', { for: '1h' })
    const waiting = await send('four')
    const nobody = await appliance.call('POST', '/api/v1/lines/gsm0/test', { to: 'nobody', text: 'test' })
    expect(nobody).toMatchObject({ status: 400, body: { code: 'invalid-recipient', field: 'to' } })
    const tried = await ok<{ id: string }>('POST', '/lines/gsm0/test', { to: '+491701234567', text: 'test' })
    expect((await message(waiting)).deliveries[0]?.state).toBe('queued')
    await ok('POST', '/lines/gsm0/unmute')
    expect((await line('gsm0')).muted).toBeUndefined()
    expect((await until(waiting, 'sent')).deliveries[0]?.line).toBe('gsm0')
    expect((await until(tried.id, 'sent')).deliveries[0]?.line).toBe('gsm0')
    expect(await refused('POST', '/lines/gsm0/mute', { for: '31d' })).toBe('out-of-range')
    expect(await refused('POST', '/lines/gsm7/mute', { for: '1h' })).toBe('line-unknown')
  })

  test('a mute ends by itself', async () => {
    await ok('POST', '/lines/gsm0/mute', { for: '1s' })
    await ok('POST', '/lines/gsm1/disable')
    expect((await until(await send('soon'), 'sent')).deliveries[0]?.line).toBe('gsm0')
    expect((await line('gsm0')).muted).toBeUndefined()
  })

  test('tries exactly one line and watches it speak, with nothing secret in sight', async () => {
    const before = await ok<{ next: number }>('GET', '/lines/gsm1/trace')
    const { id } = await ok<{ id: string }>('POST', '/lines/gsm1/test', {
      to: '+491701234567',
      text: 'Probe 12345678',
    })
    const sent = await until(id, 'sent')
    expect(sent.timeline.filter(({ event }) => event === 'intend').map((entry) => entry.line)).toEqual([
      'gsm1',
    ])
    const trace = await ok<{ next: number; entries: { n: number; direction: string; text: string }[] }>(
      'GET',
      `/lines/gsm1/trace?after=${before.next}`,
    )
    expect(trace.entries[0]?.n).toBe(before.next + 1)
    expect(trace.entries.map(({ direction }) => direction)).toEqual(expect.arrayContaining(['>', '<']))
    expect(trace.entries.some(({ text }) => text.includes('CMGS'))).toBe(true)
    expect(JSON.stringify(trace)).not.toMatch(/1234567/)
    expect(
      (await ok<{ entries: unknown[] }>('GET', `/lines/gsm1/trace?after=${trace.next}`)).entries,
    ).toEqual([])
  })

  test('moves what waits to another line, and acts on many at once', async () => {
    for (const id of ['gsm0', 'gsm1']) await ok('POST', `/lines/${id}/mute`, { for: '1h' })
    const ids = [await send('one'), await send('two'), await send('three')]
    expect((await ok<{ states: { queued: number } }>('GET', '/messages/counts')).states.queued).toBe(3)
    const moved = await ok<Message>('POST', `/messages/${ids[0]}/move`, { line: 'gsm1' })
    expect(moved.timeline.at(-1)).toMatchObject({ event: 'move', line: 'gsm1', node: 'box-a' })
    expect(await refused('POST', `/messages/${ids[0]}/move`, { line: 'gsm9' })).toBe('line-unknown')
    const { results } = await ok<{ results: { id: string; done: boolean; code?: string }[] }>(
      'POST',
      '/messages/actions',
      {
        action: 'move',
        line: 'gsm1',
        ids: [...ids.slice(1), 'nobody'],
      },
    )
    expect(results.map(({ done, code }) => code ?? done)).toEqual([true, true, 'message-unknown'])
    // A muted line is out of use, and gsm0 would stand in for it.
    await ok('POST', '/lines/gsm1/unmute')
    await ok('POST', '/lines/gsm0/unmute')
    for (const id of ids) expect((await until(id, 'sent')).deliveries[0]?.line).toBe('gsm1')
    const cancelled = await send('four')
    await until(cancelled, 'sent')
    const last = await ok<{ results: { done: boolean; code?: string }[] }>('POST', '/messages/actions', {
      action: 'cancel',
      ids: [cancelled],
    })
    expect(last.results).toEqual([expect.objectContaining({ done: false, code: 'too-late' })])
    expect(await refused('POST', '/messages/actions', { action: 'move', ids })).toBe('missing-field')
    const { items } = await ok<{ items: Message[] }>(
      'GET',
      '/messages?state=sent,delivered&line=gsm1&source=local',
    )
    expect(items.map(({ id }) => id)).toContain(ids[0])
    expect(await refused('GET', '/messages?state=sent,gone')).toBe('not-allowed')
  })

  test('a change on trial is looked at first, and is taken back over a crash unless confirmed', async () => {
    const validity = async () =>
      (await ok<{ items: { path: string; value: unknown }[] }>('GET', '/config')).items.find(
        ({ path }) => path === 'validity',
      )?.value
    const checked = await ok<{ problems: { path: string }[]; diff: unknown[] }>('POST', '/config/check', {
      changes: { validity: '45m', 'log.level': 'loud' },
    })
    expect(checked).toMatchObject({ problems: [{ path: 'log.level' }], diff: [] })
    expect(await ok('POST', '/config/check', { changes: { validity: '45m' } })).toEqual({
      problems: [],
      diff: [{ path: 'validity', before: '30m', after: '45m' }],
    })
    const applied = await ok<{ revision: string; confirmBy: string }>('POST', '/config/apply', {
      changes: { validity: '45m' },
      confirmWithin: '10s',
    })
    expect(await validity()).toBe('45m')
    expect(await ok('GET', '/config')).toMatchObject({ trial: { revision: applied.revision } })
    expect(
      await refused('POST', '/config/apply', { changes: { validity: '1h' }, confirmWithin: '10s' }),
    ).toBe('trial-pending')
    expect(await refused('POST', '/config/apply', { changes: { validity: '1h' }, confirmWithin: '9s' })).toBe(
      'out-of-range',
    )
    await appliance.kill('SIGKILL')
    await start()
    const restarted = await validity()
    // On a busy machine the start itself may take as long as the trial.
    if (Date.now() < Date.parse(applied.confirmBy)) expect(restarted).toBe('45m')
    for (let tries = 0; tries < 200 && (await validity()) === '45m'; tries += 1) await pause(100)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(applied.confirmBy))
    expect(await validity()).toBe('30m')
    const history = await ok<{ items: { author: string }[] }>('GET', '/config/history')
    expect(history.items.map(({ author }) => author)).toEqual(['rollback', 'local'])
    expect(await refused('POST', '/config/confirm', { revision: applied.revision })).toBe('trial-unknown')

    const second = await ok<{ revision: string }>('POST', '/config/apply', {
      changes: { validity: '2h' },
      confirmWithin: '90s',
    })
    await ok('POST', '/config/confirm', { revision: second.revision })
    expect((await ok<{ trial?: object }>('GET', '/config')).trial).toBeUndefined()
    expect(await validity()).toBe('2h')
    await ok('POST', '/config/revert', { revision: second.revision })
    expect(await validity()).toBe('30m')
  })
})

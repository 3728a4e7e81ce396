/**
 * What the panel asks of a pair, at two real appliances: each member's lines from the other one, a drill measured, a
 * change on trial that outlives a takeover, a member restored from its backup that learns what was sent since.
 */
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { joined, type PairRig, type RigBox, startPair } from '../panel/pair-rig.ts'
import { type Answer, until } from './appliance.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

describe('a pair, as the panel asks it', { timeout: 120_000 }, () => {
  let rig: PairRig
  let network = 60

  beforeEach(async () => {
    network += 1
    rig = await startPair(network)
    await Promise.all([rig.a, rig.b].map((box) => box.running().ready(1)))
    await joined(rig)
  }, 60_000)
  afterEach(() => rig.stop())

  const call = (box: RigBox, method: string, path: string, body?: unknown): Promise<Answer> =>
    box.running().call(method, `/api/v1${path}`, body)
  const role = async (box: RigBox) => (await call(box, 'GET', '/pair').catch(() => undefined))?.body['role']
  const becomes = (box: RigBox, wanted: string) =>
    until(async () => (await role(box)) === wanted, `${box.node} ${wanted}`)
  const validity = async (box: RigBox) =>
    ((await call(box, 'GET', '/config')).body['items'] as { path: string; value: unknown }[]).find(
      ({ path }) => path === 'validity',
    )?.value
  const delivery = async (box: RigBox, id: string) =>
    (
      (await call(box, 'GET', `/messages/${id}`)).body['deliveries'] as
        | { state: string; possibleDuplicate: boolean }[]
        | undefined
    )?.[0]
  const send = async (box: RigBox, text: string) =>
    String((await call(box, 'POST', '/messages', { to: ['+491701234567'], text })).body['id'])

  test('takes nobody that joins for a stranger', async () => {
    for (const box of [rig.a, rig.b]) {
      const records = (await call(box, 'GET', '/audit?limit=500')).body['items'] as { what: string }[]
      const told = records.map(({ what }) => what)
      expect(told).toContain(box === rig.a ? 'pair-admitted' : 'pair-joined')
      expect(told).not.toContain('unknown-certificate')
    }
  })

  test('shows and commands the other member by name, and measures a drill', async () => {
    const { a, b } = rig
    const every = (await call(a, 'GET', '/lines?node=*')).body['items'] as { id: string; node: string }[]
    expect(every.map(({ node, id }) => `${node}/${id}`)).toEqual(['box-a/gsm0', 'box-b/gsm0'])
    expect((await call(a, 'POST', '/lines/gsm0/mute?node=box-b', { for: '1h' })).body).toMatchObject({
      node: 'box-b',
    })
    expect((await call(b, 'GET', '/lines/gsm0')).body).toHaveProperty('muted')
    expect((await call(a, 'GET', '/lines/gsm0')).body).not.toHaveProperty('muted')
    expect((await call(a, 'POST', '/lines/gsm0/unmute?node=box-b')).status).toBe(200)
    expect((await call(a, 'GET', '/lines/gsm0/trace?node=box-b')).body['entries']).not.toEqual([])
    expect(
      (await call(a, 'POST', '/lines/gsm0/test?node=box-b', { to: '+491701234567', text: 'x' })).body['code'],
    ).toBe('line-standing-by')
    expect((await call(a, 'GET', '/lines?node=box-c')).body['code']).toBe('member-unreachable')
    expect((await call(a, 'GET', '/own-configuration?node=box-b')).body).toMatchObject({ node: 'box-b' })
    expect((await call(a, 'POST', '/modems/search?node=box-b')).body).toMatchObject({ node: 'box-b' })
    const renamed = await call(a, 'POST', '/own-configuration/check?node=box-b', {
      changes: { node: 'box-c' },
    })
    expect(renamed.body['problems']).toEqual([
      { path: 'node', message: expect.stringContaining('remove it from the pair first') },
    ])
    expect((await call(a, 'GET', '/pair?node=box-b')).body).toMatchObject({ node: 'box-b', role: 'standby' })
    // Eight heartbeats of 300 ms, as the rig has them.
    expect((await call(a, 'GET', '/pair')).body).toMatchObject({
      failover: { silence: 2_400, start: 0, expected: 2_400 },
    })

    const begun = await call(b, 'POST', '/pair/drill?node=box-a', { kind: 'freeze' })
    expect(begun.status, JSON.stringify(begun.body)).toBe(200)
    await becomes(b, 'active')
    const id = await send(b, 'meanwhile')
    type Report = {
      id: string
      state: string
      node: string
      takenBy?: string
      seconds?: number
      text: string
    }
    const report = async (box: RigBox) =>
      ((await call(box, 'GET', '/pair/drills')).body['items'] as Report[] | undefined)?.[0]
    await until(async () => (await report(b))?.takenBy === 'box-b', 'the takeover is written down')
    await becomes(a, 'standby')
    await until(async () => (await report(a))?.state === 'done', 'the report on the other member', 60_000)
    const found = await report(a)
    expect(found).toMatchObject({
      id: begun.body['id'],
      node: 'box-a',
      role: 'active',
      takenBy: 'box-b',
      lost: 0,
    })
    expect(found?.seconds).toBeGreaterThan(0)
    expect(found?.seconds).toBeLessThan(20)
    expect(found?.text).toContain('box-b was active after')
    expect((await delivery(a, id))?.state).toBe('sent')
  })

  test('tells of everything that happened to a message at which member it was', async () => {
    const { a, b } = rig
    for (const node of ['box-a', 'box-b'])
      await call(a, 'POST', `/lines/gsm0/mute?node=${node}`, { for: '1h' })
    const message = { to: ['+491701234567'], text: 'to and fro', validity: '6s' }
    const id = String((await call(a, 'POST', '/messages', message)).body['id'])
    const moved = await call(a, 'POST', `/messages/${id}/move`, { line: 'gsm0' })
    expect(moved.status, JSON.stringify(moved.body)).toBe(200)
    // The standby has the active one do it.
    await until(
      async () => (await call(b, 'DELETE', `/messages/${id}`)).status === 200,
      'cancelled over the other',
    )
    const handedOver = async () => (await call(a, 'POST', '/pair/handover')).status === 200
    await until(handedOver, 'the standby holds everything')
    await becomes(b, 'active')
    expect((await call(b, 'POST', `/messages/${id}/retry`)).status).toBe(200)
    await until(async () => (await delivery(a, id))?.state === 'expired', 'it expires')
    for (const box of [a, b]) {
      const timeline = (await call(box, 'GET', `/messages/${id}`)).body['timeline'] as {
        event: string
        node?: string
      }[]
      expect(timeline.map(({ event, node }) => `${event} at ${node}`)).toEqual([
        'accept at box-a',
        'move at box-a',
        'cancel at box-a',
        'retry at box-b',
        'expire at box-b',
      ])
    }
  })

  test('takes a change on trial back after a takeover', async () => {
    const { a, b } = rig
    const applied = await call(b, 'POST', '/config/apply', {
      changes: { validity: '47m' },
      confirmWithin: '15s',
    })
    expect(applied.status, JSON.stringify(applied.body)).toBe(200)
    await until(async () => (await validity(b)) === '47m', 'the change on both')
    await a.running().kill('SIGKILL')
    await becomes(b, 'active')
    const takenOver = await validity(b)
    const { confirmBy } = applied.body
    expect(confirmBy).toEqual(expect.any(String))
    // On a busy machine the takeover itself may take as long as the trial.
    if (Date.now() < Date.parse(String(confirmBy))) expect(takenOver).toBe('47m')
    await until(async () => (await validity(b)) === '30m', 'the change taken back', 40_000)
    const [newest] = (await call(b, 'GET', '/config/history')).body['items'] as {
      author: string
      node: string
    }[]
    expect(newest).toMatchObject({ author: 'rollback', node: 'box-b' })
  })

  test('a member restored from its backup sends nothing again that went out since', async () => {
    const { a, b } = rig
    await call(a, 'POST', '/lines/gsm0/mute', { for: '1h' })
    const before = await send(a, 'queued in the backup')
    const file = join(dirname(a.directory), 'a.backup')
    const config = join(a.directory, 'twinline.yaml')
    expect(await twinline(['backup', '--out', file, '--config', config])).toBe(0)
    await call(a, 'POST', '/lines/gsm0/unmute')
    await until(
      async () => (await delivery(b, before))?.state === 'sent',
      'it is sent, and the other one knows',
    )
    expect(await twinline(['restore', file, '--config', config])).toBe(0)
    await until(
      async () => (await call(a, 'GET', '/restore').catch(() => undefined))?.body['since'] !== undefined,
      'the restore',
    )
    await until(
      async () => (await call(a, 'GET', '/restore').catch(() => undefined))?.body['held'] === false,
      'the other one has answered',
    )
    expect(await delivery(a, before)).toMatchObject({ state: 'sent', possibleDuplicate: false })
    const after = await send(a, 'after')
    await until(async () => (await delivery(b, after))?.state === 'sent', 'it is a pair again')
  })
})

function twinline(words: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { timeout: 60_000 }, (error) =>
      resolve(error === null ? 0 : Number(error.code)),
    )
    child.stdin?.end('correct horse battery\n')
  })
}

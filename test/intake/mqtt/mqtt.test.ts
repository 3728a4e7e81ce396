/** MQTT against a real mosquitto: what comes in, what is told, and what a broker that is away costs. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { MqttConfig } from '#config/mqtt.ts'
import { type Mqtt, type MqttOptions, startMqtt } from '#intake/mqtt/mqtt.ts'
import { describeWith } from '../../requirements.ts'
import { StandInLine } from '../http/stand-ins.ts'
import { acceptance, common, storeOnDisk, until } from '../modbus/rig.ts'
import { type Mosquitto, type MosquittoOptions, startListener, startMosquitto } from './rig.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function broker(options?: MosquittoOptions): Promise<Mosquitto> {
  const started = await startMosquitto(options)
  stops.push(() => started.remove())
  return started
}

async function listener(port: number, options = {}) {
  const started = await startListener(port, options)
  stops.push(() => started.stop())
  return started
}

/** One member, active unless said otherwise, on a store of its own. */
async function member(port: number, more: Partial<MqttConfig> = {}, options: Partial<MqttOptions> = {}) {
  const disk = await storeOnDisk()
  stops.push(() => disk[Symbol.asyncDispose]())
  const taken = acceptance()
  const line = new StandInLine('gsm0')
  const all: MqttOptions = {
    ...common,
    config: { broker: { tls: false, host: '127.0.0.1', port }, topic: 'site/twinline', to: [], ...more },
    dispatch: taken.dispatch,
    store: disk.store,
    node: 'box-a',
    version: '1.2.3',
    lines: () => [line],
    role: () => 'ACTIVE',
    ...options,
  }
  const mqtt: Mqtt = startMqtt(all)
  stops.push(() => mqtt.stop())
  return { mqtt, taken, line, disk, options: all }
}
const TOPIC = 'site/twinline'

describeWith(['mosquitto'], 'messages over MQTT', () => {
  test('JSON has the fields of the HTTP interface, and its result comes under its id', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const { mqtt, taken } = await member(port)
    mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    await other.publish(
      `${TOPIC}/send`,
      JSON.stringify({
        id: 'order-1',
        to: ['+491710001'],
        text: 'Grüße',
        priority: 0,
        validity: '5m',
        tag: 't',
        flash: true,
        onUnknown: 'hold',
      }),
    )
    await until(() => other.on(`${TOPIC}/result/order-1`).length === 1, 'result')
    expect(other.json(`${TOPIC}/result/order-1`)).toEqual([
      { id: 'order-1', result: 'accepted', message: 'm1', replicated: false, replayed: false, recipients: 1 },
    ])
    expect(taken.taken).toEqual([
      {
        to: ['+491710001'],
        text: 'Grüße',
        priority: 0,
        validity: 300_000,
        tag: 't',
        flash: true,
        onUnknown: 'hold',
        source: 'mqtt',
        key: { key: 'order-1', bodyHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ])
    await other.publish(`${TOPIC}/send`, JSON.stringify({ id: 'order-1', to: ['+491710001'], text: 'Grüße' }))
    await until(() => other.on(`${TOPIC}/result/order-1`).length === 2, 'replay')
    expect(taken.taken).toHaveLength(1)
  })

  test('plain text goes to the configured recipients, as mosquitto_pub sends it', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const { mqtt, taken } = await member(port, { to: ['ops'] })
    mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    const sent = spawnSync('mosquitto_pub', [
      '-p',
      String(port),
      '-q',
      '1',
      '-t',
      `${TOPIC}/send`,
      '-m',
      'Pump 3 stopped',
    ])
    expect(sent.status).toBe(0)
    await until(() => taken.taken.length === 1, 'taken')
    expect(taken.taken[0]).toMatchObject({ to: ['ops'], text: 'Pump 3 stopped', source: 'mqtt' })
  })

  test('what is wrong is refused with field and code, leaves nothing, and the next one is taken', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const { mqtt, taken } = await member(port)
    mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    const wrong: [string | Buffer, string, string | undefined][] = [
      ['{"to":["+1"]', 'malformed-json', undefined],
      [Buffer.from([0xff, 0xfe]), 'not-utf8', undefined],
      ['plain', 'no-recipient', 'to'],
      ['{"to":["+1"]}', 'missing-field', 'text'],
      ['{"text":"x","to":[5]}', 'invalid-recipient', 'to[0]'],
      ['{"text":"x","to":["1"],"prio":1}', 'unknown-field', 'prio'],
      ['{"text":"\\ud800","to":["1"]}', 'malformed-text', 'text'],
      ['{"text":"x","to":["1"],"priority":9}', 'invalid-priority', 'priority'],
      ['{"text":"x","to":["1"],"validity":"soon"}', 'invalid-validity', 'validity'],
    ]
    for (const [payload] of wrong) await other.publish(`${TOPIC}/send`, payload)
    await other.publish(`${TOPIC}/send`, JSON.stringify({ id: 'ok', text: 'x', to: ['+491710001'] }))
    await until(() => other.on(`${TOPIC}/result/ok`).length === 1, 'the last')
    expect(other.json(`${TOPIC}/result/refused`).map(({ code, field }) => [code, field])).toEqual(
      wrong.map(([, code, field]) => [code, field]),
    )
    expect(taken.taken).toHaveLength(1)
  })

  test('a retained message may be old and is refused', async () => {
    const { port } = await broker()
    const other = await listener(port)
    await other.publish(`${TOPIC}/send`, JSON.stringify({ text: 'old', to: ['+491710001'] }), true)
    const { mqtt, taken } = await member(port)
    mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/result/refused`).length === 1, 'refused')
    expect(taken.taken).toHaveLength(0)
  })

  test('what cannot be stored is not acknowledged: the broker keeps it and sends it again', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const { mqtt, taken } = await member(port)
    taken.answer = { result: 'full' }
    mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    await other.publish(`${TOPIC}/send`, JSON.stringify({ text: 'kept', to: ['+491710001'] }))
    await until(() => other.on(`${TOPIC}/result/waiting`).length === 1, 'said')
    // The member goes away with the message in hand; whoever comes next has the same session.
    mqtt.follow(false)
    const next = await member(port, {}, { node: 'box-b' })
    next.mqtt.follow(true)
    await until(() => next.taken.taken.length === 1, 'taken by the next')
    expect(next.taken.taken[0]).toMatchObject({ text: 'kept' })
  })

  test('a message that was accepted and not yet acknowledged when the member died is not made twice', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const first = await member(port)
    const { submit } = first.taken.dispatch
    // Accepted, and then the power goes: the answer never comes back.
    first.taken.dispatch.submit = async (request) => {
      await submit(request)
      return new Promise(() => {})
    }
    first.mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    await other.publish(`${TOPIC}/send`, JSON.stringify({ text: 'once', to: ['+491710001'] }))
    await until(() => first.taken.taken.length === 1, 'accepted')
    first.taken.dispatch.submit = submit
    const second = await member(
      port,
      {},
      { node: 'box-b', store: first.disk.store, dispatch: first.taken.dispatch },
    )
    second.mqtt.follow(true)
    await until(() => other.heard.some(({ topic }) => topic.startsWith(`${TOPIC}/result/`)), 'answered')
    await other.publish(`${TOPIC}/send`, JSON.stringify({ text: 'once', to: ['+491710001'] }))
    await until(() => first.taken.taken.length === 2, 'the same text, published again, is another message')
    expect(first.taken.taken).toHaveLength(2)
  })

  test('only the active member takes messages; the broker keeps them for it', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const first = await member(port)
    first.mqtt.follow(true)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online')
    first.mqtt.follow(false)
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'offline', 'offline')
    await other.publish(`${TOPIC}/send`, JSON.stringify({ text: 'meanwhile', to: ['+491710001'] }))
    const second = await member(port, {}, { node: 'box-b' })
    expect(first.taken.taken).toHaveLength(0)
    second.mqtt.follow(true)
    await until(() => second.taken.taken.length === 1, 'taken')
    await until(() => other.on(`${TOPIC}/status`).at(-1) === 'online', 'online again')
  })
})

describeWith(['mosquitto'], 'what is told', () => {
  test('role, queue, lines and discovery are retained; the end is told as well', async () => {
    const { port } = await broker()
    const { mqtt, line } = await member(port, { discovery: 'homeassistant', to: ['ops'] })
    mqtt.follow(true)
    const other = await listener(port)
    const own = `${TOPIC}/node/box-a`
    await until(() => other.on(`${own}/queue`).length > 0 && other.on(`${own}/line/gsm0`).length > 0, 'state')
    await until(
      () => other.on('homeassistant/sensor/twinline_box-a/signal_gsm0/config').length > 0,
      'discovery',
    )
    expect(other.on(`${own}/status`)).toEqual(['online'])
    expect(other.on(`${own}/role`)).toEqual(['ACTIVE'])
    expect(other.json(`${own}/line/gsm0`)[0]).toMatchObject({ state: 'ready' })
    expect(other.json('homeassistant/notify/twinline_site_twinline/config')[0]).toMatchObject({
      command_topic: `${TOPIC}/send`,
      availability_topic: `${TOPIC}/status`,
    })
    line.state = 'absent'
    await until(() => other.json(`${own}/line/gsm0`).at(-1)?.['state'] === 'absent', 'the line')
    await mqtt.stop()
    await until(() => other.on(`${own}/status`).at(-1) === 'offline', 'offline')
  })

  test('what happens to a message, without its text', async () => {
    const { port } = await broker()
    const other = await listener(port)
    const { mqtt, taken } = await member(port)
    const result = await taken.dispatch.submit({ to: ['+491710001'], text: 'secret', source: 'test' })
    if (result.result !== 'accepted') throw new Error('not accepted')
    mqtt.accepted(result.view)
    const change = { delivery: 'm1.0', at: 1_000 }
    mqtt.recorded({
      ...change,
      event: { event: 'intend', node: 'box-a', line: 'gsm0', part: 0, concatenation: 1 },
    })
    mqtt.recorded({ ...change, event: { event: 'accepted', reference: 7 } })
    mqtt.recorded({ ...change, event: { event: 'report', part: 0 } })
    await until(() => other.on(`${TOPIC}/message/m1`).length === 4, 'all')
    expect(other.json(`${TOPIC}/message/m1`).map(({ state }) => state)).toEqual([
      'queued',
      'submitting',
      'sent',
      'delivered',
    ])
    expect(other.heard.map(({ text }) => text).join()).not.toContain('secret')
    await mqtt.inbound({ id: 'e1', type: 'received' })
    await until(() => other.on(`${TOPIC}/inbound`).length === 1, 'inbound')
  })

  test('a broker that is away blocks nothing; what happened meanwhile is told when it is back', async () => {
    const away = await broker()
    const { mqtt, taken } = await member(away.port)
    await away.stop('SIGKILL')
    const result = await taken.dispatch.submit({ to: ['+491710001'], text: 'x', source: 'test' })
    if (result.result !== 'accepted') throw new Error('not accepted')
    for (let n = 0; n < 3_000; n += 1)
      mqtt.accepted({ ...result.view, message: { ...result.view.message, id: `n${n}` } })
    await expect(mqtt.inbound({ id: 'e1' })).rejects.toThrow('no connection')
    await away.again()
    const other = await listener(away.port)
    await until(() => other.on(`${TOPIC}/message/n2999`).length === 1, 'the newest')
    expect(other.on(`${TOPIC}/message/n1999`)).toEqual([])
    expect(other.on(`${TOPIC}/node/box-a/status`).at(-1)).toBe('online')
  })

  test('what a broker took in and never acknowledged is known not to have been told', async () => {
    const away = await broker()
    const other = await listener(away.port)
    const { mqtt } = await member(away.port)
    await until(() => other.on(`${TOPIC}/node/box-a/status`).at(-1) === 'online', 'online')
    away.freeze()
    const told = expect(mqtt.inbound({ id: 'e1' })).rejects.toThrow()
    await away.stop('SIGKILL')
    await told
  })

  test('user and password; a wrong one is tried again and blocks nothing', async () => {
    const { port } = await broker({ user: { name: 'twin', password: 'right' } })
    const other = await listener(port, { username: 'twin', password: 'right' })
    const refused = await member(port, { user: 'twin', password: 'wrong' }, { node: 'box-b' })
    const { mqtt } = await member(port, { user: 'twin', password: 'right' })
    await until(() => other.on(`${TOPIC}/node/box-a/status`).at(-1) === 'online', 'online')
    await expect(refused.mqtt.inbound({})).rejects.toThrow()
    await mqtt.stop()
    expect(other.on(`${TOPIC}/node/box-b/status`)).toEqual([])
  })
})

describeWith(['mosquitto', 'openssl'], 'TLS', () => {
  test('the broker must show a certificate of the configured authority', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tls-'))
    stops.push(() => rm(directory, { recursive: true }))
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
      ...[
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
    ])
    expect(made.status).toBe(0)
    const { port } = await broker({ listener: `certfile ${certificate}\nkeyfile ${key}` })
    const tls = { broker: { tls: true, host: '127.0.0.1', port } }
    const trusted = await member(port, { ...tls, ca: certificate })
    const other = await member(port, tls, { node: 'box-b' })
    const told = () =>
      trusted.mqtt.inbound({}).then(
        () => true,
        () => false,
      )
    while (!(await told())) await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(other.mqtt.inbound({})).rejects.toThrow('no connection')
    expect(() =>
      startMqtt({ ...other.options, config: { ...other.options.config, ca: '/nonexistent' } }),
    ).toThrow('intake.mqtt.ca')
  })
})

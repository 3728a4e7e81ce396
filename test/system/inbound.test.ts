/** Received messages, end to end: a phone answers, and mail, webhooks and other phones learn of it, once. */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { twinline } from '../cli/program.ts'
import { until } from './appliance.ts'
import { type InboundRig, items, SECRET, startRig } from './inbound-rig.ts'

// Several starts of an appliance, beside other suites on a small machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let rig: InboundRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

const fail = (): never => {
  throw new Error('the appliance is gone')
}

const DUTY = '+491711111111'
const PHONE = '+491702222222'

test('a keyword goes to mail, to the webhook, to another phone, and is answered', async () => {
  rig = await startRig(
    `  rules:
    - { from: "+49*", keyword: on, do: { mail: [duty@example.org], webhook: true, sms: ["${DUTY}"], reply: "Taken." } }
    - { from: "*", keyword: off, do: { mail: [boss@example.org] } }`,
  )
  const { box, mail, hook } = rig
  rig.receive(PHONE, 'On, please: pump 3 läuft')
  await until(
    () => mail.mails.length === 1 && hook.calls.length === 1 && rig?.sent().length === 2,
    'all told',
  )
  expect(mail.mails[0]).toMatchObject({
    to: ['duty@example.org'],
    mail: {
      subject: `SMS from ${PHONE}: On, please: pump 3 läuft`,
      from: { address: 'twinline@example.org' },
    },
  })
  expect(mail.mails[0]?.mail.text).toContain('On, please: pump 3 läuft')
  expect(mail.mails[0]?.mail.headers).toContainEqual(
    expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
  )
  const [entry] = await items(box, '/api/v1/inbox')
  const [call] = hook.calls
  expect(call?.body).toMatchObject({
    type: 'received',
    inbox: entry?.['id'],
    from: PHONE,
    text: 'On, please: pump 3 läuft',
    node: 'box-a',
    line: 'gsm0',
    complete: true,
    rule: '+49* on',
  })
  expect(call?.headers['x-twinline-event']).toBe(call?.body['id'])
  const [, seconds, given] =
    /^t=([0-9]+),v1=([0-9a-f]{64})$/.exec(String(call?.headers['x-twinline-signature'])) ?? []
  expect(given).toBe(createHmac('sha256', SECRET).update(`${seconds}.${call?.text}`).digest('hex'))
  expect(rig.sent().sort()).toEqual(
    [`${DUTY}: ${PHONE}: On, please: pump 3 läuft`, `${PHONE}: Taken.`].sort(),
  )
  const metrics = await (await fetch(`${box.address}/metrics`)).text()
  expect(metrics).toMatch(/accepted[^\n]*"inbound"[^\n]* 2$/m)
  // The secrets of the ways out are no business of the log, nor is what people write.
  expect(box.log()).not.toContain(SECRET)
  expect(box.log()).not.toContain('pump 3')
})

test('a receiver that fails and hangs gets every event in order, each with one id, and none twice', async () => {
  rig = await startRig('  rules: [{ from: "*", do: { webhook: true } }]')
  const { hook } = rig
  hook.script = [500, 'hang']
  for (const text of ['first', 'second', 'third']) rig.receive(PHONE, text)
  await until(() => hook.calls.length === 5, 'five calls')
  expect(hook.calls.map(({ body }) => body['text'])).toEqual(['first', 'first', 'first', 'second', 'third'])
  const ids = hook.calls.map(({ body }) => body['id'])
  expect(new Set(ids).size).toBe(3)
  expect(new Set(ids.slice(0, 3)).size).toBe(1)
  expect(await items(rig.box, '/api/v1/inbound/dead')).toEqual([])
})

test('what cannot be told is laid aside, listed, and told when somebody wants it again', async () => {
  rig = await startRig(
    '  rules: [{ from: "*", do: { webhook: true, mail: [duty@example.org] } }]',
    ', retryFor: 1s',
  )
  const { box, hook, mail } = rig
  hook.script = [422, 503, 503, 503]
  mail.refuse = { code: 550, text: 'no such user' }
  rig.receive(PHONE, 'not understood')
  rig.receive(PHONE, 'too late')
  const dead = () => items(box, '/api/v1/inbound/dead')
  await until(async () => (await dead()).length === 4, 'all given up')
  expect((await dead()).map(({ action, reason }) => [action, reason]).sort()).toEqual([
    ['mail', { code: 'mail-refused', text: expect.stringContaining('550') }],
    ['mail', { code: 'mail-refused', text: expect.stringContaining('550') }],
    ['webhook', { code: 'webhook-refused', text: 'The receiver answered 422.' }],
    ['webhook', { code: 'webhook-refused', text: 'The receiver answered 503.' }],
  ])
  mail.refuse = undefined
  hook.script = []
  const before = hook.calls.length
  const one = (await dead()).find(({ action }) => action === 'webhook')
  expect(await box.call('POST', `/api/v1/inbound/dead/${one?.['id']}/replay`)).toMatchObject({
    status: 200,
    body: { replayed: 1 },
  })
  await until(() => hook.calls.length === before + 1, 'told again')
  expect(hook.calls.at(-1)?.body).toMatchObject({ id: one?.['id'], text: 'not understood' })
  expect((await box.call('POST', `/api/v1/inbound/dead/${one?.['id']}/replay`)).status).toBe(404)
  expect((await box.call('POST', '/api/v1/inbound/dead/replay')).body).toEqual({ replayed: 3 })
  await until(() => mail.mails.length === 2 && hook.calls.length === before + 2, 'all told')
  await until(async () => (await dead()).length === 0, 'nothing left')
})

test('killed between receipt and action, it acts after the restart, and never twice', async () => {
  rig = await startRig(
    `  rules: [{ from: "*", do: { webhook: true, sms: ["${DUTY}"], reply: "Taken.", mail: [duty@example.org] } }]`,
  )
  const { hook, mail } = rig
  hook.script = ['hang', 'hang']
  rig.receive(PHONE, 'before the kill')
  await until(() => hook.calls.length === 1, 'the webhook is being called')
  await rig.box.kill('SIGKILL')
  rig.receive(PHONE, 'while it was down')
  hook.script = []
  await rig.restart()
  await until(() => hook.calls.length === 3, 'both told')
  expect(hook.calls.slice(1).map(({ body }) => body['text'])).toEqual([
    'before the kill',
    'while it was down',
  ])
  expect(hook.calls[0]?.body['id']).toBe(hook.calls[1]?.body['id'])
  const messages = () => items(rig?.box ?? fail(), '/api/v1/messages')
  await until(async () => (await messages()).length === 4 && mail.mails.length >= 2, 'forwarded and answered')
  // Another start finds nothing to do.
  await rig.box.kill('SIGKILL')
  await rig.restart()
  rig.receive(PHONE, 'after it')
  await until(() => rig?.told() === 3, 'the newest told')
  await until(async () => (await messages()).length === 6, 'and answered')
  // A kill in the middle of a transmission may make a copy, which the message says; the message itself is one.
  const texts = (await messages()).map(({ source, text }) => `${source} ${text}`)
  expect(texts.filter((text) => text === `inbound:sms ${PHONE}: before the kill`)).toHaveLength(1)
  expect(texts.filter((text) => text === 'inbound:reply Taken.')).toHaveLength(3)
  // A mail whose acceptance the kill hid comes once more, under the same id, by which receivers drop it.
  const ids = () => new Set(mail.mails.map(({ mail }) => mail.messageId))
  await until(() => ids().size === 3, 'three mails')
})

test('STOP keeps everything but priority 0 from its sender until START; only as a whole text', async () => {
  rig = await startRig('  rules: []')
  const { box } = rig
  const send = async (text: string, priority = 2) => {
    const { body } = await box.call('POST', '/api/v1/messages', {
      to: ['0170 2222222', DUTY],
      text,
      priority,
    })
    return String(body['id'])
  }
  const stateOf = async (id: string) => {
    const { body } = await box.call('GET', `/api/v1/messages/${id}`)
    const [delivery] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
    return `${delivery?.state} ${delivery?.reason?.code ?? ''}`.trim()
  }
  rig.receive(PHONE, 'Stop calling me at night')
  rig.receive(PHONE, ' stop. ')
  await until(async () => (await items(box, '/api/v1/inbound/stopped')).length === 1, 'on the list')
  const kept = await send('to one only')
  expect(await stateOf(kept)).toBe('cancelled recipient-stopped')
  const urgent = await send('to both', 0)
  await until(async () => (await stateOf(urgent)) === 'sent', 'urgent sent')
  await until(() => rig?.sent().length === 3, 'three in all')
  expect(rig.sent().sort()).toEqual(
    [`${DUTY}: to both`, `${DUTY}: to one only`, '01702222222: to both'].sort(),
  )

  await box.kill('SIGKILL')
  await rig.restart()
  expect(await items(rig.box, '/api/v1/inbound/stopped')).toMatchObject([{ number: PHONE }])
  rig.receive(PHONE, 'START')
  const list = () => items(rig?.box ?? fail(), '/api/v1/inbound/stopped')
  await until(async () => (await list()).length === 0, 'off the list')
  expect((await rig.box.call('PUT', '/api/v1/inbound/stopped/%2B491703333333')).status).toBe(200)
  expect(await list()).toMatchObject([{ number: '+491703333333' }])
  expect((await rig.box.call('DELETE', '/api/v1/inbound/stopped/01703333333')).status).toBe(200)
  expect((await rig.box.call('DELETE', '/api/v1/inbound/stopped/01703333333')).status).toBe(404)
  expect((await rig.box.call('PUT', '/api/v1/inbound/stopped/ADAC')).status).toBe(400)
  const { body } = await rig.box.call('GET', '/api/v1/audit')
  expect(JSON.stringify(body)).toContain('stop-lifted')
})

test('ACK with the code acknowledges the message, for its recipient and nobody else', async () => {
  rig = await startRig('  rules: []')
  const { box } = rig
  const config = join(rig.directory, 'box', 'twinline.yaml')
  const sent = await twinline(['send', '-i', PHONE, '-m', 'Pump 3', '--acknowledge', '--config', config])
  const id = sent.stdout.trim()
  await until(() => rig?.sent().length === 1, 'sent')
  const code = /^\+491702222222: Pump 3\nACK ([0-9a-f]{4})$/.exec(rig.sent()[0] ?? '')?.[1]
  expect(code).toBe(id.slice(-4))
  const state = async () => {
    const { body } = await box.call('GET', `/api/v1/messages/${id}`)
    const [delivery] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
    return { state: delivery?.state, reason: delivery?.reason }
  }
  const handled = async (count: number) => {
    const { body } = await box.call('GET', '/api/v1/audit')
    return JSON.stringify(body).split('message-acknowledged').length - 1 === count
  }
  rig.receive(DUTY, `ACK ${code}`)
  rig.receive(PHONE, 'ACK ffffffff')
  await until(async () => {
    const entries = await items(box, '/api/v1/inbox')
    const results = entries.map(({ id }) => items(box, `/api/v1/inbox/${id}/actions`))
    const done = (await Promise.all(results)).flat().map(({ reason }) => JSON.stringify(reason))
    return done.filter((reason) => reason?.includes('code-unknown')).length === 2
  }, 'neither of them knew the code')
  expect((await state()).state).toBe('sent')
  rig.receive(PHONE, `ack ${code?.toUpperCase()}!`)
  await until(async () => (await state()).state === 'acknowledged', 'acknowledged')
  expect((await state()).reason).toMatchObject({
    code: 'acknowledged-by-sms',
    text: expect.stringContaining(PHONE),
  })
  await until(() => handled(1), 'one acknowledgement')
})

test('the blacklist and the guard against loops', async () => {
  rig = await startRig(
    `  blacklist: ["+49666*", SPAM]
  own: ["+491709999999"]
  replies: 2/1h
  rules: [{ from: "*", do: { webhook: true, reply: "We are told." } }]`,
  )
  const { hook } = rig
  rig.receive('+4966612345678', 'buy')
  rig.receive('SPAM', 'buy')
  for (const from of ['12345', 'ADAC', '01709999999']) rig.receive(from, 'hello')
  rig.receive('+491705555555', 'We are told.')
  for (let n = 0; n < 4; n++) rig.receive(PHONE, `ping ${n}`)
  await until(() => rig?.told() === 8, 'eight told')
  await until(() => rig?.sent().length === 2, 'two answered')
  await rig.box.kill('SIGKILL')
  await rig.restart()
  // What was answered before the restart counts after it.
  rig.receive(PHONE, 'ping again')
  rig.receive('+491704444444', 'new')
  await until(() => rig?.told() === 10, 'both told')
  await until(() => rig?.sent().length === 3, 'the new one answered')
  expect(
    rig
      .sent()
      .map((text) => text.split(':')[0])
      .sort(),
  ).toEqual(['+491702222222', '+491702222222', '+491704444444'])
  expect(hook.calls.map(({ body }) => body['from'])).not.toContain('SPAM')
})

test('rules are changed while it runs, and the command line shows what became of a message', async () => {
  rig = await startRig('  rules: []')
  const { box, hook, mail } = rig
  const config = ['--config', join(rig.directory, 'box', 'twinline.yaml')]
  const run = (...words: string[]) => twinline([...words, ...config])
  rig.receive(PHONE, 'before the rule')
  await until(async () => (await items(box, '/api/v1/inbox')).length === 1, 'received')
  await until(async () => {
    const [entry] = await items(box, '/api/v1/inbox')
    return (await box.call('GET', `/api/v1/inbox/${entry?.['id']}/actions`)).status === 200
  }, 'decided')
  const rules = [{ from: '*', do: { webhook: true, mail: ['duty@example.org'], reply: 'Taken.' } }]
  expect((await box.call('PATCH', '/api/v1/config', { 'inbound.rules': rules })).status).toBe(200)
  expect(
    await box.call('PATCH', '/api/v1/config', { 'inbound.rules': [{ from: '*', do: {} }] }),
  ).toMatchObject({
    status: 400,
    body: { code: 'setting-invalid', field: 'inbound.rules[0].do' },
  })
  hook.script = [400]
  mail.refuse = { code: 450, text: 'later' }
  rig.receive('ADAC', 'after it')
  await until(async () => (await items(box, '/api/v1/inbound/dead')).length === 1, 'the event is given up')
  const [entry] = await items(box, '/api/v1/inbox')
  const shown = await run('inbound', 'actions', String(entry?.['id']))
  expect(shown.stdout).toMatch(/^mail +\* +duty@example\.org +open +1 +mail-failed: .*450/m)
  expect(shown.stdout).toMatch(/^webhook +\* +dead +1 +webhook-refused/m)
  expect(shown.stdout).toMatch(/^reply +\* +ADAC +done +0 +reply-withheld: .*short code or a name/m)
  const listed = await run('inbound', 'dead', '--json')
  const [dead] = JSON.parse(listed.stdout)
  expect(dead).toMatchObject({ from: 'ADAC', action: 'webhook', reason: { code: 'webhook-refused' } })
  expect((await run('inbound', 'dead')).stdout).toContain('webhook-refused')
  expect(await run('inbound', 'replay', dead.id)).toMatchObject({ code: 0, stdout: '1 tried again\n' })
  expect(await run('inbound', 'replay', dead.id)).toMatchObject({ code: 1 })
  expect(await run('inbound', 'replay', '--all')).toMatchObject({ code: 0 })
  await until(() => hook.calls.length === 2, 'told')
  expect(hook.calls.map(({ body }) => body['text'])).toEqual(['after it', 'after it'])
  expect(await run('inbound', 'stop', '+491708888888')).toMatchObject({ code: 0 })
  expect((await run('inbound', 'stopped')).stdout).toContain('+491708888888')
  expect(await run('inbound', 'start', '01708888888')).toMatchObject({ code: 0 })
  expect(await run('inbound', 'start', '01708888888')).toMatchObject({ code: 1 })
  for (const wrong of [['inbound'], ['inbound', 'replay'], ['inbound', 'dead', 'x'], ['inbound', 'stop']]) {
    expect((await run(...wrong)).code, wrong.join(' ')).toBe(2)
  }
  // What waits for its next attempt is written, so the mail comes after a kill as well.
  await box.kill('SIGKILL')
  mail.refuse = undefined
  await rig.restart()
  await until(() => mail.mails.length === 1, 'the mail came')
})

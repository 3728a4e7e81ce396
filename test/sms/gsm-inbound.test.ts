/** What arrives at a GSM line: kept or straight through, acknowledged and deleted only when it is durable here. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, type BenchOptions, bench, until } from './gsm-bench.ts'

let open: Bench | undefined
const start = async (options?: BenchOptions): Promise<Bench> => {
  open = await bench(options)
  if (options?.start !== false) await open.ready()
  return open
}
afterEach(async () => {
  const bench = open
  open = undefined
  await bench?.stop()
  expect(bench?.modem.network.violations).toEqual([])
})

const acknowledging = {
  indications: 'indications: "AT+CNMI=2,2,0,1,0"',
  quirks: 'quirks: { acknowledge: { value: true, why: "under test" } }',
}

describe('a message that the modem keeps', () => {
  it('is read, told and deleted', async () => {
    const { modem, inbound } = await start()
    modem.network.send('line0', { from: '+4915112345678', text: 'Ack 7' })
    await until('the message', () => inbound.length > 0)
    expect(inbound[0]).toMatchObject({ line: 'gsm0', from: '+4915112345678', text: 'Ack 7' })
    await until('an empty memory', () => modem.state().stores.SM + modem.state().stores.ME === 0)
  })

  it('arrives while messages go out', async () => {
    const { modem, inbound, send } = await start({ modem: { network: '100' } })
    const sending = send('outward')
    await until('in the network', () => modem.network.submissions.length === 1)
    for (let i = 0; i < 5; i++) modem.network.send('line0', { from: '+4915112345678', text: `inward ${i}` })
    expect(await sending).toMatchObject({ result: 'accepted' })
    await until('all of them', () => inbound.length === 5)
    expect(new Set(inbound.map(({ text }) => text)).size).toBe(5)
  })

  it('stays in the modem until it could be stored here', async () => {
    const { modem, inbound, refuse, line, ready } = await start()
    refuse.inbound = true
    modem.network.send('line0', { from: '+4915112345678', text: 'disk full' })
    await until('a refusal', () => open?.logged.some((text) => text.includes('could not be stored')) ?? false)
    expect(modem.state().stores.SM + modem.state().stores.ME).toBe(1)
    refuse.inbound = false
    line.restart()
    await until('restarting', () => line.status().state !== 'ready')
    await ready()
    await until('the message', () => inbound.length > 0)
    await until('an empty memory', () => modem.state().stores.SM + modem.state().stores.ME === 0)
  })

  it('is told again, not lost, when it could not be deleted', async () => {
    const { modem, inbound, line, ready } = await start()
    modem.failCommand('+CMGD', '+CMS ERROR: 320', 1)
    modem.network.send('line0', { from: '+4915112345678', text: 'sticky' })
    await until(
      'the refusal',
      () => open?.logged.some((text) => text.includes('could not be deleted')) ?? false,
    )
    line.restart()
    await until('restarting', () => line.status().state !== 'ready')
    await ready()
    await until('an empty memory', () => modem.state().stores.SM + modem.state().stores.ME === 0)
    // Told more than once, under one fingerprint: that makes it one message for whoever keeps them.
    expect(inbound.length).toBeGreaterThan(1)
    expect(new Set(inbound.map(({ fingerprint }) => fingerprint)).size).toBe(1)
  })

  it('that nobody can decode is shown as it is, and deleted', async () => {
    const { modem, inbound } = await start()
    modem.network.sendPdu('line0', '00FFFF')
    await until('something', () => inbound.length > 0)
    expect(inbound[0]?.text).toContain('00FFFF')
    await until('an empty memory', () => modem.state().stores.SM + modem.state().stores.ME === 0)
  })
})

describe('full memories', () => {
  it('of SIM and modem are emptied when the line starts, and reception goes on', async () => {
    const { modem, inbound, logged } = await start({
      modem: { sm: '20', smUsed: '20', me: '50', meUsed: '50' },
    })
    modem.network.send('line0', { from: '+4915112345678', text: 'waited in the network' })
    await until('all messages', () => inbound.length >= 71)
    await until('empty memories', () => modem.state().stores.SM + modem.state().stores.ME === 0)
    expect(logged.join()).toMatch(/nearly full/)
  })
})

describe('a memory that is being emptied', () => {
  it('keeps what could not be stored here', async () => {
    const { modem, refuse, ready, line, logged } = await start({ start: false, modem: { meUsed: '3' } })
    refuse.inbound = true
    line.start()
    await ready()
    await until(
      'three refusals',
      () => logged.filter((text) => text.includes('could not be stored')).length >= 3,
    )
    expect(await open?.send('the line works meanwhile')).toMatchObject({ result: 'accepted' })
    expect(modem.state().stores.ME).toBe(3)
  })
})

describe('straight through', () => {
  it('a message that could not be stored is not acknowledged', async () => {
    const { modem, refuse, logged } = await start({ profile: acknowledging, modem: { acknowledge: '60s' } })
    refuse.inbound = true
    modem.network.send('line0', { from: '+4915112345678', text: 'disk full' })
    await until('a refusal', () => logged.some((text) => text.includes('could not be stored')))
    expect(await open?.send('the line works meanwhile')).toMatchObject({ result: 'accepted' })
    expect(open?.line.dialogue().map(({ text }) => text)).not.toContain('AT+CNMA\r')
  })

  it('a message is acknowledged when it is durable', async () => {
    const { modem, inbound } = await start({ profile: acknowledging })
    for (let i = 0; i < 3; i++) modem.network.send('line0', { from: '+4915112345678', text: `direct ${i}` })
    await until('all', () => inbound.length === 3)
    await until('nothing waits', () => modem.network.waiting('line0') === 0)
    expect(inbound.map(({ text }) => text)).toEqual(['direct 0', 'direct 1', 'direct 2'])
  })

  it('a report is acknowledged too, between messages', async () => {
    const { modem, reports, send } = await start({ profile: acknowledging })
    for (let i = 0; i < 10; i++) expect(await send(`message ${i}`)).toMatchObject({ result: 'accepted' })
    await until('all reports', () => reports.length === 10)
    await until('nothing waits', () => modem.network.waiting('line0') === 0)
  })

  it('a modem that refuses acknowledgements is told to keep messages instead', async () => {
    const { modem, inbound } = await start({ profile: acknowledging })
    modem.failCommand('+CNMA', '+CMS ERROR: 340', 2)
    modem.network.send('line0', { from: '+4915112345678', text: 'one' })
    await until('the other way', () => modem.state().service === 0 && modem.state().indications[1] === 1)
    modem.network.send('line0', { from: '+4915112345678', text: 'two' })
    await until('both', () => inbound.length === 2)
    await until('an empty memory', () => modem.state().stores.SM + modem.state().stores.ME === 0)
  })
})

describe('reports that the modem keeps', () => {
  it('are read and deleted', async () => {
    const { modem, reports, send } = await start({
      profile: { indications: 'indications: "AT+CNMI=2,1,0,2,0"' },
    })
    expect(await send('with a kept report')).toMatchObject({ result: 'accepted' })
    await until('the report', () => reports.length === 1)
    await until('empty memories', () => modem.state().stores.SM + modem.state().stores.ME === 0)
  })

  it('are told with their status', async () => {
    const { reports, send } = await start({ modem: { status: '70' } })
    await send('never delivered')
    await until('the report', () => reports.length === 1)
    expect(reports[0]).toMatchObject({ status: 70 })
  })
})

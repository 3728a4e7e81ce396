/** A GSM line sends: over real TCP and a real pty, to a strict simulated modem that keeps books of its own. */
import { afterEach, describe, expect, it } from 'vitest'
import { requirement } from '../requirements.ts'
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

const long = 'A message that needs several parts, and says so again and again. '.repeat(6)

describe.each(['tcp', ...(requirement('socat').missing ? [] : ['pty'])] as const)(
  'a message over %s',
  (over) => {
    const way = over === 'pty' ? 'pty' : 'tcp'

    it('goes out, and its report comes back', async () => {
      const { send, modem, reports, line } = await start({ over: way })
      expect(await send('Boiler 3 is too hot: 95 °C')).toEqual({
        result: 'accepted',
        progress: { confirmed: 1 },
      })
      expect(modem.network.received()).toMatchObject([
        { to: '+491701234567', text: 'Boiler 3 is too hot: 95 °C' },
      ])
      await until('a report', () => reports.length === 1)
      expect(reports[0]).toMatchObject({ line: 'gsm0', reference: 0, to: '+491701234567', status: 0 })
      expect(line.status()).toMatchObject({
        state: 'ready',
        busy: false,
        network: { registered: true },
        signal: -73,
      })
      expect(line.status().lastSuccess).toBeGreaterThan(0)
    })

    it('is known as the last success after a restart of the program, and costs no write while it runs', async () => {
      const { send, line, again, known } = await start({ over: way })
      await send('x')
      const { lastSuccess } = line.status()
      expect([...known.keys()].filter((name) => name.endsWith('/last-success'))).toEqual([])
      await line.stop()
      const second = again()
      second.start()
      await until('what was kept', () => second.status().lastSuccess !== undefined)
      expect(second.status().lastSuccess).toBe(lastSuccess)
      await second.stop()
    })

    it('goes out in parts, each confirmed in order', async () => {
      const { send, modem } = await start({ over: way })
      const confirmed: number[] = []
      expect(await send(long, { confirmed })).toMatchObject({
        result: 'accepted',
        progress: { confirmed: 3 },
      })
      expect(confirmed).toEqual([0, 1, -1])
      expect(modem.network.received()).toMatchObject([{ text: long, parts: 3, copies: 0, complete: true }])
    })
  },
)

describe('the order before the irrevocable byte', () => {
  it('resumes at a part with the reference that it had', async () => {
    const { send, modem } = await start()
    await send(long, { from: 1, concatenation: 99 })
    expect(modem.network.submissions.map(({ part, concatenation }) => [part, concatenation])).toEqual([
      [2, 99],
      [3, 99],
    ])
  })

  it('writes the command while the intent is being stored, and the text only after it is', async () => {
    const { send, line, modem } = await start()
    let stored: () => void = () => {}
    const sending = send('slow disk', { intend: () => new Promise((resolve) => (stored = resolve)) })
    await until('a prompt', () => line.dialogue().at(-1)?.text === '> ')
    expect(modem.network.submissions).toEqual([])
    stored()
    expect(await sending).toMatchObject({ result: 'accepted' })
  })

  it('transmits nothing when the intent cannot be stored, and is free again', async () => {
    const { send, modem, line } = await start()
    const outcome = await send('disk full', { intend: () => Promise.reject(new Error('ENOSPC')) })
    expect(outcome).toMatchObject({ result: 'notSent', reason: { code: 'intent-failed' } })
    expect(modem.network.submissions).toEqual([])
    expect(line.free()).toBe(true)
    expect(await send('next')).toMatchObject({ result: 'accepted' })
    expect(modem.network.received().map(({ text }) => text)).toEqual(['next'])
  })

  it('asks for the last time after the prompt, and transmits nothing on a no', async () => {
    const { send, modem } = await start()
    const stop = () => ({ code: 'cancelled', text: 'Cancelled' })
    expect(await send('too late', { stop })).toMatchObject({
      result: 'notSent',
      reason: { code: 'cancelled' },
    })
    expect(modem.network.submissions).toEqual([])
    expect(await send('next')).toMatchObject({ result: 'accepted' })
  })

  it('leaves the prompt of a modem that ignores ESC', async () => {
    const { send, modem, ready } = await start({ modem: { ignoreEscape: 'true' } })
    const stop = () => ({ code: 'cancelled', text: 'Cancelled' })
    expect(await send('too late', { stop })).toMatchObject({ result: 'notSent' })
    await ready()
    expect(await send('next')).toMatchObject({ result: 'accepted' })
    expect(modem.network.received().map(({ text }) => text)).toEqual(['next'])
    // Ctrl-Z ends the entry with a PDU that cannot be one: the one thing that such a modem reacts to.
    modem.network.violations.length = 0
  })

  it('gives way between parts', async () => {
    const { send } = await start()
    expect(await send(long, { yield: () => true })).toMatchObject({
      result: 'notSent',
      reason: { code: 'yielded' },
      progress: { confirmed: 1 },
    })
  })
})

describe('what the network and the modem say', () => {
  it.each([
    ['CMS 38', { scope: 'network', permanent: false, reason: { code: 'network-out-of-order' } }],
    ['CMS 1', { scope: 'number', permanent: true, reason: { code: 'unassigned-number' } }],
    ['CMS 8', { scope: 'line', permanent: true, reason: { code: 'operator-barring' } }],
    ['CMS 500', { scope: 'network', permanent: false }],
    ['ERROR', { scope: 'line', permanent: false, reason: { code: 'modem-error' } }],
  ])('%s is a refusal with its scope', async (rule, wanted) => {
    const { send, ready } = await start({ modem: { errors: `${rule}x1` } })
    expect(await send('refused')).toMatchObject({ result: 'refused', ...wanted, progress: { confirmed: 0 } })
    await ready()
    expect(await send('next')).toMatchObject({ result: 'accepted' })
  })

  it('takes a prompt without a line end, one byte at a time', async () => {
    const { send } = await start({ modem: { barePrompt: 'true', split: '1' } })
    expect(await send(long)).toMatchObject({ result: 'accepted', progress: { confirmed: 3 } })
  })

  it('lives through unsolicited lines at every place', async () => {
    const { send, modem } = await start()
    for (const place of ['now', 'before', 'behind', 'prompt'] as const) {
      modem.disturb('\r\n+CREG: 1,"00A1","0000B2C3",7\r\n^RSSI: 17\r\n', place, 5)
    }
    expect(await send(long)).toMatchObject({ result: 'accepted' })
  })

  it('does not take a stray OK for the answer of a message', async () => {
    const { send, modem } = await start({ modem: { network: '100' } })
    const sending = send('which OK')
    await until('in the network', () => modem.network.submissions.length === 1)
    modem.disturb('\r\nOK\r\n', 'now')
    expect(await sending).toMatchObject({ result: 'accepted' })
  })

  it('works with a modem that knows little more than AT, ATE0, +CMGF and +CMGS', async () => {
    const { modem, ready, send, line } = await start({ start: false })
    for (const command of [
      '+CMEE',
      '+CGMI',
      '+CGMM',
      '+CGMR',
      '+CGSN',
      '+CCID',
      '+CPIN',
      '+CIMI',
      '+CSCA',
      '+CSMS',
      '+CNMI',
      '+CLIP',
      '+CREG',
      '+CEREG',
      '+CGREG',
      '+COPS',
      '+CSQ',
      '+CPMS',
      '+CMMS',
      '+CMGL',
    ]) {
      modem.failCommand(command, 'ERROR', 1_000)
    }
    line.start()
    await ready()
    expect(await send(long)).toMatchObject({ result: 'accepted' })
  })
})

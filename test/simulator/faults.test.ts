/** Every fault that can be played on a modem, as the gateway would see it. */
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { control } from '#simulator/control.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { isProblem, parseErrorRules, parseModemOptions } from '#simulator/options.ts'
import { hello, Terminal } from './terminal.ts'

const modems: SimulatedModem[] = []

async function start(record: Record<string, string> = {}) {
  const options = parseModemOptions({ boot: '5', ...record })
  if (isProblem(options)) throw new Error(options.problem)
  const modem = new SimulatedModem(options)
  modems.push(modem)
  const te = new Terminal(modem.connect())
  await te.command('ATE0')
  const ask = (request: object) => control([modem], modem.network, JSON.stringify({ line: 0, ...request }))
  return { modem, te, network: modem.network, ask }
}

afterEach(() => {
  for (const modem of modems.splice(0)) {
    modem.stop()
    modem.network.stop()
  }
})

/** Leaves a submission on its way, its answer never to come in the time of a test. */
async function underWay(te: Terminal, network: SimulatedModem['network']): Promise<void> {
  te.write('AT+CMGS=23\r')
  await te.until('> ')
  te.write(`${hello}\x1a`)
  await expect.poll(() => network.submissions.length).toBe(1)
}

describe('mute', () => {
  it('hears and says nothing until its time is over, and loses what was under way', async () => {
    const { te, ask, network } = await start({ network: '60000' })
    await underWay(te, network)
    ask({ do: 'mute' })
    te.write('AT\r')
    network.send('line0', { from: '+49123', text: 'held' })
    expect(network.submissions[0]).toMatchObject({ delivered: false, answer: '' })
    expect(network.totals.unanswered).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(te.heard).toBe('')
    expect(network.waiting('line0')).toBe(1)
    ask({ do: 'unmute' })
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(network.waiting('line0')).toBe(0)
    expect(network.violations).toEqual([])
  })

  it('may have sent what was under way all the same', async () => {
    const { te, ask, network, modem } = await start({ network: '50' })
    await underWay(te, network)
    ask({ do: 'mute', for: 200, inFlight: 'kept' })
    await expect.poll(() => network.submissions[0]?.delivered).toBe(true)
    expect(network.submissions[0]?.answer).toBe('')
    await expect.poll(() => modem.state().mute).toBe(false)
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
  })
})

describe('reset', () => {
  it('shows the boot lines, forgets the settings and keeps SIM and stores', async () => {
    const { te, ask, network, modem } = await start({ network: '60000', smUsed: '3' })
    await te.command('AT+CNMI=2,2,0,1,0')
    await underWay(te, network)
    ask({ do: 'reset' })
    expect(await te.until('SMS READY\r\n')).toBe(
      '\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS READY\r\n',
    )
    expect(await te.command('AT+CNMI?')).toBe('AT+CNMI?\r\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n')
    expect(modem.stores.SM.slots.size).toBe(3)
    expect(network.violations).toEqual([])
  })

  it('happens in the middle of a PDU without blaming the driver for the rest of it', async () => {
    const { te, ask, network } = await start()
    te.write('AT+CMGS=23\r')
    await te.until('> ')
    te.write(hello.slice(0, 10))
    ask({ do: 'reset' })
    te.write(`${hello.slice(10)}\x1a`)
    await te.until('SMS READY\r\n')
    expect(await te.command('AT')).toContain('OK')
    expect(network.violations).toEqual([])
  })

  it('is what AT+CFUN=1,1 does, after its OK', async () => {
    const { te } = await start({ pin: '1234' })
    te.write('AT+CFUN=1,1\r')
    await te.until('OK\r\n')
    await te.until('+CPIN: SIM PIN\r\n')
  })
})

describe('plug', () => {
  it('pulled out ends the wire; a new one fails until it is in again', async () => {
    const { modem } = await start()
    const port = modem.connect()
    const closed = once(port, 'close')
    modem.unplug()
    await closed
    const dead = modem.connect()
    await expect(once(dead, 'open')).rejects.toMatchObject({ code: 'ENOENT' })
    modem.plug()
    const te = new Terminal(modem.connect())
    await te.until('SMS READY')
    expect(await te.command('AT')).toContain('OK')
  })
})

describe('answers', () => {
  it('fail by number, by count and by chance', async () => {
    const { te, ask, network } = await start()
    ask({ do: 'errors', rules: 'CMS 38@+4917*x1;CMS 500/2' })
    expect(await te.submit(hello)).toBe('\r\n+CMS ERROR: 38\r\n')
    const answers = [await te.submit(hello), await te.submit(hello), await te.submit(hello)]
    expect(answers.map((answer) => /ERROR: ([0-9]+)/.exec(answer)?.[1])).toEqual([
      undefined,
      '500',
      undefined,
    ])
    ask({ do: 'heal' })
    ask({ do: 'errors', rules: 'CMS 42%30' })
    for (let count = 0; count < 60; count++) await te.submit(hello)
    const failed = network.submissions.slice(4).filter(({ delivered }) => !delivered).length
    expect(failed).toBeGreaterThan(5)
    expect(failed).toBeLessThan(40)
    expect(network.totals.refused).toBe(failed + 2)
  })

  it('fail where there is no network or no service centre', async () => {
    const { te, ask } = await start()
    ask({ do: 'set', option: 'registration', value: '2' })
    expect(await te.submit(hello)).toContain('+CMS ERROR: 331')
    ask({ do: 'set', option: 'registration', value: '5' })
    ask({ do: 'set', option: 'smsc', value: '' })
    expect(await te.submit(hello)).toContain('+CMS ERROR: 330')
    expect(await te.command('AT+CSCA="+491700000001",145')).toContain('OK')
    ask({ do: 'set', option: 'errors', value: 'CMS 28' })
    expect(await te.submit(hello)).toContain('+CMS ERROR: 28')
    ask({ do: 'set', option: 'errors', value: '' })
    expect(await te.submit(hello)).toContain('+CMGS: ')
  })

  it('get lost after the transmission, and the next command works', async () => {
    const { te, ask, network } = await start()
    ask({ do: 'lose-answers' })
    te.write('AT+CMGS=23\r')
    await te.until('> ')
    te.write(`${hello}\x1a`)
    await expect.poll(() => network.submissions[0]?.delivered).toBe(true)
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(network.violations).toEqual([])
  })

  it('of a chosen command fail or never come', async () => {
    const { te, ask } = await start()
    ask({ do: 'fail-command', command: '+CSQ', answer: '+CME ERROR: 14' })
    expect(await te.command('AT+CSQ')).toBe('\r\n+CME ERROR: 14\r\n')
    ask({ do: 'fail-command', command: '+CSQ', answer: '' })
    te.write('AT+CSQ\r')
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(await te.command('AT+CSQ')).toContain('+CSQ: 20')
  })

  it('have other lines and garbage at any place', async () => {
    const { te, ask } = await start()
    const text = '\r\n+CREG: 1\r\n'
    ask({ do: 'disturb', text, where: 'before' })
    expect(await te.command('AT+CSQ')).toBe(`${text}\r\n+CSQ: 20,99\r\n\r\nOK\r\n`)
    ask({ do: 'disturb', text: text.repeat(3), where: 'behind' })
    await te.command('AT+CSQ')
    await te.until(text.repeat(3))
    ask({ do: 'disturb', text, where: 'within' })
    expect(await te.command('AT+CSQ')).toBe(`\r\n+CSQ:${text} 20,99\r\n\r\nOK\r\n`)
    ask({ do: 'garbage', hex: '00ff80', where: 'prompt' })
    te.write('AT+CMGS=23\r')
    expect(await te.until('> ')).toBe('\x00\xff\x80\r\n> ')
    ask({ do: 'disturb', text, times: 2 })
    await te.until(text + text)
    te.write('\x1b')
    expect(await te.until('OK\r\n')).toBe('\r\nOK\r\n')
  })

  it('come with a bare prompt, or with ESC ignored', async () => {
    const { te, network } = await start({ barePrompt: 'true', ignoreEscape: 'true' })
    te.write('AT+CMGS=23\r')
    expect(await te.until('> ')).toBe('> ')
    te.write(`\x1b${hello}\x1a`)
    expect(await te.until('\r\n+CMS ERROR: 304\r\n')).toBe('\r\n+CMS ERROR: 304\r\n')
    expect(network.violations.map(({ rule }) => rule)).toEqual(['pdu-characters'])
  })
})

describe('SIM', () => {
  it('removed and put back is told, and wants its PIN again', async () => {
    const { te, ask } = await start({ pin: '1234' })
    te.write('AT+CPIN="1234"\r')
    await te.until('SMS READY')
    ask({ do: 'remove-sim' })
    await te.until('+CPIN: NOT INSERTED')
    expect(await te.command('AT+CMGS=23')).toContain('+CMS ERROR: 310')
    ask({ do: 'insert-sim' })
    await te.until('+CPIN: SIM PIN')
  })
})

describe('control', () => {
  it('answers what it cannot do with the reason', async () => {
    const { modem, ask } = await start()
    expect(control([modem], modem.network, 'no json')).toEqual({ ok: false, problem: 'not JSON' })
    expect(control([modem], modem.network, '{"line":7,"do":"mute"}')).toMatchObject({ ok: false })
    expect(ask({ do: 'dance' })).toMatchObject({ ok: false, problem: expect.stringContaining('mute') })
    expect(ask({ do: 'set', option: 'network', value: 'slow' })).toMatchObject({
      ok: false,
      problem: expect.stringContaining('range'),
    })
    expect(ask({ do: 'state' })).toMatchObject({ ok: true, state: { line0: { power: 'on', sim: 'READY' } } })
    expect(ask({ do: 'submissions' })).toEqual({ ok: true, submissions: [] })
  })
})

describe('options', () => {
  it('name what is wrong and what is allowed', () => {
    expect(parseModemOptions({ netwrk: '1' })).toMatchObject({
      option: 'netwrk',
      allowed: expect.stringContaining('network'),
    })
    expect(parseModemOptions({ signal: '100' })).toMatchObject({
      option: 'signal',
      allowed: 'a whole number, 0 to 99',
    })
    expect(parseModemOptions({ network: '2s', reports: '1000-3000' })).toMatchObject({
      network: { min: 2000, max: 2000 },
      reports: { min: 1000, max: 3000 },
    })
    expect(parseErrorRules('CMS 38@+49151*/3x2; ERROR%5')).toEqual([
      { answer: '+CMS ERROR: 38', number: '+49151*', every: 3, times: 2 },
      { answer: 'ERROR', percent: 5 },
    ])
    expect(parseErrorRules('CMS')).toBeUndefined()
  })
})

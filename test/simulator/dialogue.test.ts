/** The modem's talk: what a correct driver gets, and that a wrong one is refused and written down. */
import { afterEach, describe, expect, it } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { hello, Terminal } from './terminal.ts'

const modems: SimulatedModem[] = []

function start(record: Record<string, string> = {}) {
  const options = parseModemOptions(record)
  if (isProblem(options)) throw new Error(options.problem)
  const modem = new SimulatedModem(options)
  modems.push(modem)
  return { modem, te: new Terminal(modem.connect()), network: modem.network }
}

async function quiet(record: Record<string, string> = {}) {
  const started = start(record)
  await started.te.command('ATE0')
  return started
}

const rules = (modem: SimulatedModem) => modem.network.violations.map(({ rule }) => rule)

afterEach(() => {
  for (const modem of modems.splice(0)) {
    modem.stop()
    modem.network.stop()
  }
})

describe('commands', () => {
  it('are echoed until ATE0', async () => {
    const { te } = start()
    expect(await te.command('AT')).toBe('AT\r\r\nOK\r\n')
    await te.command('ATE0')
    expect(await te.command('at')).toBe('\r\nOK\r\n')
    await te.command('ATZ')
    expect(await te.command('AT')).toContain('AT\r\r\nOK')
  })

  it('may share a line, up to the first that fails', async () => {
    const { te, modem } = await quiet()
    expect(await te.command('ATE0V1+CMEE=1;+CSQ;+CREG?')).toBe(
      '\r\n+CSQ: 20,99\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n',
    )
    expect(await te.command('AT+CSQ;+CMEE=9;+CSCS="UCS2"')).toBe('\r\n+CME ERROR: 50\r\n')
    expect(await te.command('AT+CSCS?')).toContain('"IRA"')
    expect(rules(modem)).toEqual([])
  })

  it('fail as +CMEE says', async () => {
    const { te } = await quiet({ sim: 'absent' })
    expect(await te.command('AT+CIMI')).toBe('\r\nERROR\r\n')
    await te.command('AT+CMEE=1')
    expect(await te.command('AT+CIMI')).toBe('\r\n+CME ERROR: 10\r\n')
    await te.command('AT+CMEE=2')
    expect(await te.command('AT+CIMI')).toBe('\r\n+CME ERROR: SIM not inserted\r\n')
    expect(await te.command('AT+CPMS?')).toBe('\r\n+CMS ERROR: 310\r\n')
    expect(await te.command('AT+NOTTHERE')).toBe('\r\nERROR\r\n')
  })

  it.each([
    ['AT+CGSN', /\r\n[0-9]{15}\r\n/],
    ['AT+CIMI', /\r\n[0-9]{15}\r\n/],
    ['AT+CCID', /\+CCID: [0-9]{19}/],
    ['AT+ICCID', /\+ICCID: [0-9]{19}/],
    ['AT+CICCID', /\+ICCID: [0-9]{19}/],
    ['AT+COPS?', /\+COPS: 0,0,"Simulated",7/],
    ['AT+CPIN?', /\+CPIN: READY/],
    ['AT+CPINR', /\+CPINR: SIM PIN,3,3/],
    ['AT+CEREG?', /\+CEREG: 0,1/],
    ['AT+CMGF=?', /\+CMGF: \(0\)/],
    ['AT+CPMS="SM","ME","SM"', /\+CPMS: 0,20,0,50,0,20/],
    ['AT+CNMI=2,2,0,1,0', /OK/],
    ['AT+CSCA?', /\+CSCA: "\+491700000001",145/],
    ['AT+CGSMS=1', /OK/],
    ['ATI', /twinline/],
    ['ATS3?', /013/],
  ])('%s is answered', async (line, pattern) => {
    const { te, modem } = await quiet()
    expect(await te.command(line)).toMatch(pattern)
    expect(rules(modem)).toEqual([])
  })

  it('wait for the PIN, and count wrong ones down to the PUK', async () => {
    const { te, modem } = await quiet({ pin: '1234' })
    await te.command('AT+CMEE=1')
    expect(await te.command('AT+CPIN?')).toContain('SIM PIN')
    expect(await te.command(`AT+CMGS=${hello.length / 2 - 1}`)).toContain('+CMS ERROR: 311')
    expect(await te.command('AT+CPIN="0000"')).toContain('+CME ERROR: 16')
    expect(await te.command('AT+CPINR')).toContain('SIM PIN,2,3')
    await te.command('AT+CPIN="0000"')
    expect(await te.command('AT+CPIN="0000"')).toContain('+CME ERROR: 12')
    expect(await te.command('AT+CPIN?')).toContain('SIM PUK')
    await te.command('AT+CREG=1')
    te.write('AT+CPIN="12345678","4321"\r')
    await te.until('SMS READY')
    await te.until('+CREG: 1')
    expect(modem.sim).toMatchObject({ attempts: 3, pin: '4321', pinTries: 3 })
  })
})

describe('submission', () => {
  it('is recorded as the network got it, with its times in order', async () => {
    const { te, network, modem } = await quiet({ prompt: '5', network: '5', reference: '255' })
    expect(await te.submit(hello)).toBe('\r\n+CMGS: 255\r\n\r\nOK\r\n')
    expect(await te.submit(hello)).toBe('\r\n+CMGS: 0\r\n\r\nOK\r\n')
    const [first] = network.submissions
    expect(first).toMatchObject({
      to: '+49172123456',
      text: 'hellohello',
      part: 1,
      parts: 1,
      delivered: true,
      pdu: hello,
    })
    const times = [first?.commandAt, first?.promptAt, first?.endAt, first?.answeredAt].map(Number)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(rules(modem)).toEqual([])
    expect(network.totals).toMatchObject({ submissions: 2, delivered: 2, violations: 0 })
  })

  it('can be cancelled with ESC, at the prompt and before it', async () => {
    const { te, network, modem } = await quiet({ prompt: '20' })
    te.write('AT+CMGS=23\r')
    await te.until('> ')
    te.write(`${hello.slice(0, 20)}\x1b`)
    expect(await te.until('OK\r\n')).toBe('\r\nOK\r\n')
    te.write('AT+CMGS=23\r\x1b')
    await te.until('> \r\nOK\r\n')
    expect(await te.submit(hello)).toContain('+CMGS: 0')
    expect(network.submissions).toHaveLength(1)
    expect(rules(modem)).toEqual([])
  })

  it('arrives one character at a time as well', async () => {
    const { te, network } = await quiet({ split: '1' })
    for (const character of 'AT+CMGS=23\r') te.write(character)
    await te.until('\r\n> ')
    for (const character of `${hello}\x1a`) te.write(character)
    await te.until('+CMGS: 0\r\n\r\nOK\r\n')
    expect(network.submissions).toHaveLength(1)
  })

  it('puts parts together, and shows what is missing or double', async () => {
    const { te, network } = await quiet()
    const part = (index: number, letter: string) =>
      `0041000481214300080805${'0003' + '07'}030${index}00${letter.charCodeAt(0).toString(16).toUpperCase()}`
    for (const [index, letter] of [
      [3, 'C'],
      [1, 'A'],
      [1, 'A'],
    ] as const)
      await te.submit(part(index, letter))
    expect(network.received()).toMatchObject([{ text: 'AC', parts: 3, copies: 1, complete: false }])
    await te.submit(part(2, 'B'))
    expect(network.received()).toMatchObject([{ to: '1234', text: 'ABC', complete: true }])
  })

  it('goes to another modem of the network that has the number', async () => {
    const { te, network } = await quiet()
    const options = parseModemOptions({ number: '+49172123456' }, 1)
    if (isProblem(options)) throw new Error(options.problem)
    const other = new SimulatedModem(options, undefined, network, 'line1')
    modems.push(other)
    const phone = new Terminal(other.connect())
    await phone.command('ATE0;+CNMI=2,2,0,0,0')
    await te.submit(hello)
    expect(await phone.until(/\+CMT: ,[0-9]+\r\n[0-9A-F]+\r\n/)).toContain('0AE8329BFD4697D9EC37')
  })
})

describe('what breaks the rules', () => {
  it.each([
    ['pdu-length', async (te: Terminal) => await te.submit(hello, 22), '304'],
    ['pdu-lower-case', async (te: Terminal) => await te.submit(hello.toLowerCase()), '304'],
    ['pdu-characters', async (te: Terminal) => await te.submit('hello world', 23), '304'],
    ['bad-syntax', async (te: Terminal) => await te.command('AT+CMGS=abc'), 'ERROR'],
    ['bad-syntax', async (te: Terminal) => await te.command('AT?!'), 'ERROR'],
    ['pdu-length', async (te: Terminal) => await te.command('AT+CMGS=300'), '304'],
    ['text-mode', async (te: Terminal) => await te.command('AT+CMGF=1'), '303'],
    ['acknowledgement-not-expected', async (te: Terminal) => await te.command('AT+CNMA'), '340'],
    ['noise-before-command', async (te: Terminal) => await te.command('xyAT'), 'OK'],
  ])('%s', async (rule, act, answer) => {
    const { te, modem, network } = await quiet()
    expect(await act(te)).toContain(answer)
    expect(rules(modem)).toEqual([rule])
    expect(network.submissions).toEqual([])
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
  })

  it('a second command before the final result waits or is lost, and is written down once', async () => {
    for (const typeahead of ['keep', 'drop']) {
      const { te, modem } = await quiet({ latency: '20', typeahead })
      te.write('AT+CSQ\r')
      te.write('AT+CGSN\r')
      te.write('AT+CIMI\r')
      await te.until('+CSQ: 20,99\r\n\r\nOK\r\n')
      if (typeahead === 'keep') await te.until(/\r\n[0-9]{15}\r\n\r\nOK\r\n/)
      expect(rules(modem)[0]).toBe('typed-while-busy')
    }
  })

  it('a text before its prompt is lost', async () => {
    const { te, modem } = await quiet({ prompt: '20' })
    te.write('AT+CMGS=23\r')
    te.write(`${hello}\x1a`)
    await te.until('> ')
    te.write('\x1b')
    await te.until('OK\r\n')
    expect(rules(modem)).toEqual(['text-before-prompt'])
  })

  it('a line that ends with line feed alone is never answered', async () => {
    const { te, modem } = await quiet()
    te.write('AT\n')
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(rules(modem)).toEqual(['line-feed-for-return'])
  })

  it('a line without AT is never answered', async () => {
    const { te, modem } = await quiet()
    te.write('HELLO\r')
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(rules(modem)).toEqual(['not-a-command'])
  })

  it('a line without end is cut', async () => {
    const { te, modem } = await quiet()
    te.write('A'.repeat(5000))
    te.write('\r')
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    expect(rules(modem)).toEqual(['input-too-long'])
  })
})

/** Modems and simulators that we have never seen: the real line must cope with what strangers make of the standards. */
import { describe, expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { until } from './gsm-bench.ts'
import { hasty, type Odd, odd, profiles, soak } from './odd-bench.ts'
import { deliveredReport, helloPdu, type Oddities, pass } from './odd-modem.ts'

/** Sends three messages and looks at what the modem took: each once, under the reference that it gave. */
async function sendsThree({ modem, line, ready, send }: Odd): Promise<void> {
  await ready()
  const outcomes = []
  for (const to of ['+491701234567', '+491701234568', '+49170123456']) outcomes.push(await send('Pump 2', to))
  expect(outcomes.map(({ result, references }) => [result, ...references])).toEqual(
    modem.taken.map(({ reference }) => ['accepted', reference]),
  )
  expect(modem.taken.map(({ to }) => to)).toEqual(['+491701234567', '+491701234568', '+49170123456'])
  expect(modem.violations).toEqual([])
  expect(line.status()).toMatchObject({ state: 'ready', busy: false, recoveries: 0 })
}

const byLines = (end: string, lead: string): Partial<Oddities> => ({
  end,
  lead,
  unknown: `${lead}ERROR${end}`,
  prompt: `${lead}> `,
  submitted: (reference) => `${lead}+CMGS: ${reference}${end}${lead}OK${end}`,
})

const flood = '\r\n^RSSI:20\r\n\r\n\r\n+CREG: 1\r\n\r\n^BOOT:1,0,0\r\n\x00\xff\xfe\x07\r\n*PSUTTZ: 1\r\n'

const senders: [string, Partial<Oddities>][] = [
  ['knows four commands', {}],
  ['answers OK to everything that it does not know', { unknown: '\r\nOK\r\n' }],
  ['echoes for ever, PDU and all', { echo: 'always' }],
  ['never echoes', { echo: 'never' }],
  [
    'echoes, and glues its answer to the echo of the PDU',
    { echo: 'always', submitted: (r) => `+CMGS: ${r}\r\n\r\nOK\r\n` },
  ],
  ['prompts > without a space', { prompt: '\r\n>' }],
  ['prompts without a line end', { prompt: '> ' }],
  ['prompts after LF only', { prompt: '\n> ' }],
  ['prompts with a line end behind', { prompt: '\r\n>\r\n' }],
  ['sends single bytes', { pace: { bytes: 1, ms: 1 } }],
  ['sends 16 bytes at once', { pace: { bytes: 16, ms: 2 } }],
  ['ends lines with LF only', byLines('\n', '')],
  ['ends lines with CR only', byLines('\r', '')],
  ['has no leading line end', byLines('\r\n', '')],
  ['adds fields to +CMGS', { submitted: (r) => `\r\n+CMGS: ${r},"26/11/21,10:00:00+04"\r\n\r\nOK\r\n` }],
  ['writes +CMGS without a space', { submitted: (r) => `\r\n+CMGS:${r}\r\nOK\r\n` }],
  [
    'sends news between +CMGS and OK',
    { submitted: (r) => `\r\n+CMGS: ${r}\r\n${flood}\r\nRING\r\n\r\nOK\r\n` },
  ],
  ['sends garbage before +CMGS', { submitted: (r) => `\xff\xfe\x00+CMGS: ${r}\r\n\r\nOK\r\n` }],
  ['floods at every turn', { heard: (modem) => modem.say(flood), prompt: `\r\n> ${flood}` }],
  ['answers in extended words of its own', { unknown: '\r\n+CME ERROR: operation not supported\r\n' }],
  ['reports only +CEREG', { answers: { 'AT+CEREG?': '\r\n+CEREG: 0,1\r\n\r\nOK\r\n' } }],
  [
    'reports +CREG at length',
    { answers: { 'AT+CREG?': '\r\n+CREG: 2, 5, "00A1", "00B2C3D4", 7\r\n\r\nOK\r\n' } },
  ],
  ['reports +CREG without its mode', { answers: { 'AT+CREG?': '\r\n+CREG: 1\r\n\r\nOK\r\n' } }],
  ['wraps its reference', { references: (count) => (254 + count) % 256 }],
  ['always gives reference 0', { references: () => 0 }],
]

describe('a modem that', () => {
  it.each(senders)('%s', async (_what, oddities) => sendsThree(await odd(oddities)))
})

it('a modem that answers in numbers is told to use words', async () => {
  let words = false
  await sendsThree(
    await odd({
      answers: {
        ATV1: () => {
          words = true
          return '\r\nOK\r\n'
        },
        AT: () => (words ? '\r\nOK\r\n' : '0\r'),
        ...Object.fromEntries(['ATE', 'AT+'].map((start) => [start, () => (words ? pass : '4\r')])),
      },
    }),
  )
})

describeWith(['socat'], 'over a terminal, a modem that', () => {
  it.each(senders.filter(([what]) => /four|for ever|single|CR only|floods/.test(what)))(
    '%s',
    async (_what, oddities) => sendsThree(await odd(oddities, 'pty')),
  )
})

describe('speed', () => {
  it('the next command follows the answer at once', async () => {
    const bench = await odd()
    await sendsThree(bench)
    const { commands, taken } = bench.modem
    const gaps = taken.slice(0, 2).map(({ at }) => (commands.find((c) => c.at > at)?.at ?? 0) - at)
    expect(Math.max(...gaps)).toBeLessThan(1_000)
  })

  it('a slow modem is waited for', async () => {
    const bench = await odd(
      soak ? { commandMs: 300, promptMs: 2_000, submittedMs: 30_000 } : { commandMs: 50, promptMs: 2_000 },
    )
    await bench.ready()
    expect(await bench.send('slow')).toMatchObject({ result: 'accepted', references: [0] })
    expect(bench.line.status().recoveries).toBe(0)
  }, 60_000)

  it('an answer that comes too late answers nothing else', async () => {
    let first = true
    const bench = await odd(
      {
        submitted: (r) => {
          const answer = `\r\n+CMGS: ${r}\r\n\r\nOK\r\n`
          if (!first) return answer
          first = false
          setTimeout(() => bench.modem.say(answer), soak ? 60_500 : 2_500)
          return undefined
        },
      },
      'tcp',
      soak ? profiles : hasty,
    )
    await bench.ready()
    expect(await bench.send('one')).toMatchObject({
      result: 'unknown',
      reason: { code: 'no-answer' },
      references: [],
    })
    await bench.ready()
    const second = await bench.send('two')
    expect(second).toMatchObject({ result: 'accepted', references: [1] })
    await bench.ready()
    expect(await bench.send('three')).toMatchObject({ result: 'accepted', references: [2] })
    expect(bench.modem.taken).toHaveLength(3)
  }, 120_000)

  it.runIf(soak)(
    'a very slow modem gets ready, too',
    async () => {
      const bench = await odd({ commandMs: 1_100, unknown: '\r\nOK\r\n' })
      await bench.ready(60_000)
      expect(await bench.send('slow')).toMatchObject({ result: 'accepted', references: [0] })
    },
    70_000,
  )

  it('a modem that ignores one question is ready all the same', async () => {
    const bench = await odd({ answers: { 'AT+CMEE?': undefined, 'AT+CSQ': undefined } })
    await sendsThree(bench)
  })

  it.runIf(soak)(
    'a modem that is silent about what it does not know is ready within half a minute',
    async () => {
      const bench = await odd({ unknown: undefined })
      const took = await bench.ready(60_000)
      expect(took).toBeLessThan(30_000)
      await sendsThree(bench)
      expect(bench.logged.join('\n')).toMatch(/does not answer commands that it does not know/)
    },
    70_000,
  )
})

describe('what it says about a message', () => {
  it.each<[string, string, object]>([
    ['after the PDU', '+CMS ERROR: 500', { scope: 'network', permanent: false }],
    ['after the PDU', '+CME ERROR: SIM busy', { scope: 'line', permanent: false }],
    ['after the PDU', 'ERROR', { scope: 'line', permanent: false }],
    ['before the prompt', '+CMS ERROR: 500', { scope: 'network', permanent: false }],
    ['before the prompt', '+CME ERROR: SIM busy', { scope: 'line', permanent: false }],
    ['before the prompt', 'ERROR', { scope: 'line', permanent: false }],
  ])('%s, %s is a refusal, and the line goes on', async (when, text, wanted) => {
    let refusals = 1
    const answer = `\r\n${text}\r\n`
    const bench = await odd(
      when === 'after the PDU'
        ? { submitted: (r) => (refusals-- > 0 ? { refused: answer } : `\r\n+CMGS: ${r}\r\nOK\r\n`) }
        : { answers: {}, heard: () => {} },
    )
    if (when !== 'after the PDU') bench.modem.refuseNext(answer)
    await bench.ready()
    expect(await bench.send('refused')).toMatchObject({ result: 'refused', ...wanted })
    await bench.ready()
    expect(await bench.send('next')).toMatchObject({ result: 'accepted', references: [0] })
    expect(bench.modem.taken).toHaveLength(1)
  })

  it('a number that it does not like holds nobody up', async () => {
    const bench = await odd({
      submitted: (r, to) => (to === '+4900' ? { refused: '\r\nERROR\r\n' } : `\r\n+CMGS: ${r}\r\nOK\r\n`),
    })
    await bench.ready()
    for (let round = 0; round < 8; round++) {
      expect(await bench.send('bad', '+4900')).toMatchObject({ result: 'refused' })
      const at = performance.now()
      await bench.ready()
      expect(performance.now() - at).toBeLessThan(5_000)
    }
    expect(await bench.send('good')).toMatchObject({ result: 'accepted' })
    // The ladder is climbed once for it, and not again and again.
    expect(bench.modem.commands.filter(({ text }) => text === 'AT+CFUN=1,1')).toHaveLength(1)
  })

  it('+CMGS without OK is an answer', async () => {
    const bench = await odd({ submitted: (r) => `\r\n+CMGS: ${r}\r\n` })
    await bench.ready()
    expect(await bench.send('one')).toMatchObject({ result: 'accepted', references: [0] })
    expect(await bench.send('two')).toMatchObject({ result: 'accepted', references: [1] })
    expect(bench.modem.taken).toHaveLength(2)
  })
})

describe('SIM and network', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['wants a PIN', { 'AT+CPIN?': '\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n' }, 'blocked', 'pin-wanted'],
    ['has no SIM', { 'AT+CPIN?': '\r\n+CME ERROR: SIM not inserted\r\n' }, 'blocked', 'sim-missing'],
    ['has no network', { 'AT+CREG?': '\r\n+CREG: 0,2\r\n\r\nOK\r\n' }, 'starting', 'not-registered'],
  ])('a modem that %s', async (_what, answers, state, code) => {
    const { line } = await odd({ answers })
    await until(code, () => line.status().reason?.code === code)
    expect(line.status().state).toBe(state)
  })
})

describe('what comes in', () => {
  const report = (to: string, reference: number, header: (length: number) => string): string => {
    const { pdu, length } = deliveredReport(to, reference)
    return `\r\n${header(length)}\r\n${pdu}\r\n`
  }

  it.each<[string, (length: number) => string]>([
    ['with its length', (length) => `+CDS: ${length}`],
    ['without a length', () => '+CDS:'],
    ['with a comma before the length', (length) => `+CDS: ,${length}`],
    ['with a length that counts the service centre', (length) => `+CDS: ${length + 1}`],
  ])('+CDS %s', async (_what, header) => {
    const { modem, ready, send, reports } = await odd({ references: () => 7 })
    await ready()
    await send('one')
    modem.say(report('+491701234567', 7, header))
    await until('a report', () => reports.length === 1)
    expect(reports).toMatchObject([{ reference: 7, to: '+491701234567', status: 0 }])
  })

  it('+CDS in one line, and others in text mode', async () => {
    const { modem, ready, send, reports, inbound } = await odd()
    await ready()
    modem.say('\r\n+CDS: 6,12,"+491701234567",145,"26/11/21,10:00:00+04","26/11/21,10:00:01+04",0\r\n')
    modem.say('\r\n+CMT: "+491701234567",,"26/11/21,10:00:00+04"\r\nSome text\r\n')
    modem.say(`\r\n+CDS: ${deliveredReport('+491701234567', 9).pdu}\r\n`)
    await until('a report', () => reports.length === 1)
    expect(reports).toMatchObject([{ reference: 9 }])
    expect(inbound).toEqual([])
    expect(await send('goes on')).toMatchObject({ result: 'accepted' })
  })

  it.each(['SR', 'SM'])('+CDSI in %s', async (memory) => {
    const { pdu, length } = deliveredReport('+491701234567', 3)
    let deleted = false
    const { modem, ready, reports } = await odd({
      answers: {
        'AT+CPMS=': '\r\n+CPMS: 0,10,0,10,0,10\r\n\r\nOK\r\n',
        'AT+CMGR=4': `\r\n+CMGR: 1,,${length}\r\n${pdu}\r\n\r\nOK\r\n`,
        'AT+CMGD=4': () => {
          deleted = true
          return '\r\nOK\r\n'
        },
      },
    })
    await ready()
    modem.say(`\r\n+CDSI: "${memory}",4\r\n`)
    await until('deleted', () => deleted)
    expect(reports).toMatchObject([{ reference: 3, to: '+491701234567' }])
  })

  it.each<[string, Record<string, string>]>([
    ['with memories', { 'AT+CPMS=': '\r\n+CPMS: 0,10,0,10,0,10\r\n\r\nOK\r\n' }],
    ['without a word about memories', {}],
    ['with one memory only', { 'AT+CPMS="MT"': '\r\n+CPMS: 0,10,0,10,0,10\r\n\r\nOK\r\n' }],
  ])('+CMT and +CMTI mixed, place 0, and empty places: a modem %s', async (_what, answers) => {
    const deleted: string[] = []
    const { modem, ready, inbound, logged, send } = await odd({
      answers: {
        ...answers,
        'AT+CMGL': '\r\nOK\r\n',
        'AT+CMGR=0': `\r\n+CMGR: 0,,${helloPdu.length / 2 - 8}\r\n${helloPdu}\r\n\r\nOK\r\n`,
        'AT+CMGR=5': '\r\nOK\r\n',
        'AT+CMGR=6': '\r\n+CMGR: 0,,0\r\n\r\n\r\nOK\r\n',
        'AT+CMGR=7': '\r\n+CMS ERROR: 321\r\n',
        'AT+CMGD=': (command) => {
          deleted.push(command)
          return '\r\nOK\r\n'
        },
      },
    })
    await ready()
    modem.say(`\r\n+CMT: "",${helloPdu.length / 2 - 8}\r\n${helloPdu}\r\n`)
    for (const index of [5, 6, 7, 0]) modem.say(`\r\n+CMTI: "MT",${index}\r\n`)
    await until('deleted', () => deleted.length > 0)
    expect(deleted).toEqual(['AT+CMGD=0'])
    expect(inbound.map(({ from, text }) => [from, text])).toEqual([
      ['+31641600986', 'hellohello'],
      ['+31641600986', 'hellohello'],
    ])
    expect(new Set(inbound.map(({ fingerprint }) => fingerprint)).size).toBe(1)
    expect(logged.join('\n')).not.toMatch(/nearly full/)
    expect(await send('goes on')).toMatchObject({ result: 'accepted' })
  })

  it('refused acknowledgements do no harm', async () => {
    const { modem, ready, inbound, send } = await odd({
      answers: { 'AT+CSMS=1': '\r\n+CSMS: 1,1,1\r\nOK\r\n' },
    })
    await ready()
    modem.say(`\r\n+CMT: "",${helloPdu.length / 2 - 8}\r\n${helloPdu}\r\n`)
    await until('a message', () => inbound.length === 1)
    expect(await send('goes on')).toMatchObject({ result: 'accepted' })
  })
})

describe('a modem that goes away', () => {
  it('and closes the connection after Ctrl-Z leaves an unknown outcome', async () => {
    let first = true
    const bench = await odd({
      submitted: (r) => (first ? undefined : `\r\n+CMGS: ${r}\r\n\r\nOK\r\n`),
      heard: (modem, what) => {
        if (what === 'pdu' && first) {
          first = false
          modem.hangUp()
        }
      },
    })
    await bench.ready()
    expect(await bench.send('one')).toMatchObject({
      result: 'unknown',
      reason: { code: 'port-lost' },
      references: [],
    })
    await bench.ready()
    expect(await bench.send('two')).toMatchObject({ result: 'accepted' })
  })

  it('is found when it listens late', async () => {
    const bench = await odd({}, 'later')
    await until('absent', () => bench.line.status().state === 'absent')
    await bench.modem.listen()
    await sendsThree(bench)
  })

  it.each([
    ['an announced start', '\r\nRDY\r\n'],
    ['a banner of its own', '\r\nFakeModem 1.0 (c) somebody\r\n'],
    ['nothing', ''],
  ])('and restarts with %s while idle: nothing goes out in the wrong mode', async (_what, banner) => {
    const bench = await odd()
    await bench.ready()
    bench.modem.reset(banner)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await bench.ready()
    let outcome = await bench.send('one')
    if (outcome.result === 'notSent') {
      await bench.ready()
      outcome = await bench.send('one')
    }
    expect(outcome).toMatchObject({ result: 'accepted' })
    expect(bench.modem.violations.filter((text) => text.startsWith('a PDU'))).toEqual([])
    expect(bench.modem.taken).toHaveLength(1)
  })

  it('and restarts after Ctrl-Z leaves an unknown outcome', async () => {
    let first = true
    const bench = await odd({
      submitted: (r) => (first ? undefined : `\r\n+CMGS: ${r}\r\n\r\nOK\r\n`),
      heard: (modem, what) => {
        if (what === 'pdu' && first) {
          first = false
          modem.reset('\r\nRDY\r\n')
        }
      },
    })
    await bench.ready()
    expect(await bench.send('one')).toMatchObject({ result: 'unknown', reason: { code: 'modem-reset' } })
    await bench.ready()
    expect(await bench.send('two')).toMatchObject({ result: 'accepted' })
  })
})

/** The AT dialogue against a peer whose every byte the test decides. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AtChannel, type PromptDialogue } from '#lines/at-channel.ts'
import type { Unsolicited } from '#lines/at-syntax.ts'
import { AtTrace } from '#lines/at-trace.ts'

let written: string[]
let news: Unsolicited[]
let trace: AtTrace
let channel: AtChannel
const hear = (text: string) => channel.feed(Buffer.from(text, 'latin1'))
const command = (text: string) => channel.run({ text, timeoutMs: 1_000 })
/** Lets promises that are settled run their course. */
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  written = []
  news = []
  trace = new AtTrace()
  channel = new AtChannel({
    write: (text) => written.push(text),
    trace,
    now: () => 0,
    handlers: { unsolicited: (one) => news.push(one), started: () => true },
  })
  channel.listenFor({ boot: ['RDY', '+CPIN: READY'], ignore: ['^RSSI:'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a modem that another program left at a prompt', () => {
  it('gets an ESC when AT stays without answer, and none before that', async () => {
    void channel.resync(5_000)
    await settle()
    expect(written).toEqual(['AT\r'])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(written).toContain('\x1b')
    expect(written).not.toContain('\x1a')
  })
})

describe('a command', () => {
  it('gets its lines and its result', async () => {
    const answer = command('AT+CSQ')
    expect(written).toEqual(['AT+CSQ\r'])
    hear('\r\n+CSQ: 20,99\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['+CSQ: 20,99'] })
  })

  it('does not take its echo for an answer', async () => {
    const answer = command('AT+CGMI')
    hear('AT+CGMI\r\r\nMaker\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['Maker'] })
  })

  it.each([
    ['ERROR', { kind: 'plain', text: 'ERROR' }],
    ['+CMS ERROR: 38', { kind: 'cms', code: 38, text: '+CMS ERROR: 38' }],
    ['+CME ERROR: SIM busy', { kind: 'cme', text: 'SIM busy' }],
    ['COMMAND NOT SUPPORT', { kind: 'plain', text: 'COMMAND NOT SUPPORT' }],
  ])('ends with %s', async (line, error) => {
    const answer = command('AT+X')
    hear(`\r\n${line}\r\n`)
    expect(await answer).toEqual({ result: 'error', error, lines: [] })
  })

  it('waits for its turn', async () => {
    const first = command('AT+A')
    const second = command('AT+B')
    expect(written).toEqual(['AT+A\r'])
    hear('\r\nOK\r\n')
    expect(written).toEqual(['AT+A\r', 'AT+B\r'])
    hear('\r\nOK\r\n')
    expect((await first).result).toBe('ok')
    expect((await second).result).toBe('ok')
  })

  it('loses to too many that wait', async () => {
    for (let i = 0; i < 65; i++) void command('AT')
    expect(await command('AT')).toEqual({ result: 'lost', lost: { how: 'silent' } })
  })

  it('ends when the port closes, like all that wait, and nothing is written afterwards', async () => {
    const first = command('AT+A')
    const second = command('AT+B')
    channel.close()
    expect(await first).toEqual({ result: 'lost', lost: { how: 'closed' } })
    expect(await second).toEqual({ result: 'lost', lost: { how: 'closed' } })
    expect(await command('AT+C')).toMatchObject({ result: 'lost' })
    expect(written).toEqual(['AT+A\r'])
  })

  it('is over when the modem restarts', async () => {
    const answer = command('AT+CSQ')
    hear('\r\nRDY\r\n')
    expect(await answer).toEqual({ result: 'lost', lost: { how: 'reset', line: 'RDY' } })
  })

  it('may be answered with what would otherwise mean a restart', async () => {
    const answer = command('AT+CPIN?')
    hear('\r\n+CPIN: READY\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['+CPIN: READY'] })
  })

  it('keeps a bounded answer of a modem that never stops', async () => {
    const answer = command('AT+CMGL=4')
    for (let i = 0; i < 5_000; i++) hear(`+CMGL: ${i}\r\n`)
    hear('OK\r\n')
    const { lines } = (await answer) as { lines: string[] }
    expect(lines).toHaveLength(1_000)
  })
})

describe('news', () => {
  it('between a command and its answer is routed once, and not to the command', async () => {
    const answer = command('AT+CSQ')
    hear('\r\n+CMTI: "SM",3\r\n\r\n+CSQ: 20,99\r\n\r\nRING\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['+CSQ: 20,99'] })
    expect(news).toEqual([
      { name: '+CMTI', value: '"SM",3' },
      { name: 'RING', value: '' },
    ])
  })

  it('with a PDU takes the next line, also within an answer', async () => {
    const answer = command('AT+CGMI')
    hear('\r\n+CDS: 25\r\n0006AB\r\nMaker\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['Maker'] })
    expect(news).toEqual([{ name: '+CDS', value: '25', body: '0006AB' }])
  })

  it('that lost its PDU does not swallow a result', async () => {
    const answer = command('AT')
    hear('\r\n+CMT: ,24\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: [] })
    expect(news).toEqual([])
  })

  it('that looks like the answer of a query is told apart', async () => {
    const answer = channel.run({ text: 'AT+CREG?', timeoutMs: 1_000, answers: (line) => line.includes('2,') })
    hear('\r\n+CREG: 5\r\n\r\n+CREG: 2,1\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['+CREG: 2,1'] })
    expect(news).toEqual([{ name: '+CREG', value: '5' }])
  })

  it('during a setting of the same name is news', async () => {
    const answer = command('AT+CLIP=1')
    hear('\r\n+CLIP: "+49",145\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: [] })
    expect(news).toHaveLength(1)
  })

  it('without meaning is ignored', async () => {
    const answer = command('AT+CGMI')
    hear('\r\n^RSSI: 17\r\nMaker\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'ok', lines: ['Maker'] })
  })
})

describe('after a deadline', () => {
  it('a late OK never completes the next command', async () => {
    const late = command('AT+SLOW')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await late).toEqual({ result: 'timeout' })
    const next = command('AT+NEXT')
    expect(written).toEqual(['AT+SLOW\r', 'AT\r'])
    // The late answer, taken for the probe's; then the probe's, taken for the marker's; only then the marker's own.
    hear('\r\nOK\r\n')
    expect(written.at(-1)).toBe('AT+CMEE?\r')
    hear('\r\nOK\r\n')
    expect(written.at(-1)).toBe('AT+CMEE?\r')
    hear('\r\n+CMEE: 1\r\n\r\nOK\r\n')
    expect(written.at(-1)).toBe('AT+NEXT\r')
    hear('\r\n+NEXT: 1\r\n\r\nOK\r\n')
    expect(await next).toEqual({ result: 'ok', lines: ['+NEXT: 1'] })
  })

  it('a modem without the marker is in step again after an error and silence', async () => {
    void command('AT+SLOW')
    await vi.advanceTimersByTimeAsync(1_000)
    const next = command('AT+NEXT')
    hear('\r\nOK\r\n')
    hear('\r\nERROR\r\n')
    expect(written.at(-1)).toBe('AT+CMEE?\r')
    await vi.advanceTimersByTimeAsync(300)
    expect(written.at(-1)).toBe('AT+NEXT\r')
    hear('\r\nOK\r\n')
    expect(await next).toEqual({ result: 'ok', lines: [] })
  })

  it('what waits is given up when the modem stays silent, and was never written', async () => {
    void command('AT+SLOW')
    await vi.advanceTimersByTimeAsync(1_000)
    const next = command('AT+NEXT')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await next).toEqual({ result: 'lost', lost: { how: 'silent' } })
    expect(written).not.toContain('AT+NEXT\r')
  })

  it('is probed once a second for as long as somebody asks', async () => {
    const asked = channel.resync(900)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await asked).toBe(false)
    const again = channel.resync(900)
    hear('\r\nOK\r\n')
    hear('\r\n+CMEE: 0\r\n\r\nOK\r\n')
    expect(await again).toBe(true)
    expect(channel.inStep).toBe(true)
  })
})

describe('a message', () => {
  let stored: () => void
  let refuse: (error: Error) => void
  const dialogue = (options: Partial<PromptDialogue> = {}): PromptDialogue => ({
    command: 'AT+CMGS=4',
    body: '00112233',
    intend: () =>
      new Promise((resolve, reject) => {
        stored = resolve
        refuse = reject
      }),
    stop: () => undefined,
    promptMs: 1_000,
    answerMs: 5_000,
    reference: /^\+CMGS:\s*(\d+)/,
    ...options,
  })
  const body = '00112233\x1a'

  it.each(['prompt first', 'intent first'])(
    'is written in one piece when both are there: %s',
    async (order) => {
      const answer = channel.submit(dialogue())
      expect(written).toEqual(['AT+CMGS=4\r'])
      if (order === 'prompt first') hear('\r\n> ')
      else stored()
      await settle()
      expect(written).toHaveLength(1)
      if (order === 'prompt first') stored()
      else hear('\r\n> ')
      await settle()
      expect(written).toEqual(['AT+CMGS=4\r', body])
      hear('\r\n+CMGS: 17\r\n\r\nOK\r\n')
      expect(await answer).toEqual({ result: 'taken', reference: 17 })
    },
  )

  it('is not written when the last question says no', async () => {
    const answer = channel.submit(dialogue({ stop: () => ({ code: 'cancelled', text: '' }) }))
    stored()
    await settle()
    hear('\r\n> ')
    expect(await answer).toMatchObject({ result: 'stopped', reason: { code: 'cancelled' } })
    expect(written).not.toContain(body)
    expect(channel.inStep).toBe(false)
  })

  it('is not written when the intent fails, however late the prompt', async () => {
    const answer = channel.submit(dialogue())
    refuse(new Error('disk full'))
    expect(await answer).toMatchObject({ result: 'stopped', reason: { code: 'intent-failed' } })
    hear('\r\n> ')
    await settle()
    expect(written).not.toContain(body)
  })

  it('is not written after its deadline, even if the prompt and the intent come then', async () => {
    const answer = channel.submit(dialogue())
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await answer).toEqual({ result: 'no-prompt' })
    hear('\r\n> ')
    stored()
    await settle()
    expect(written).not.toContain(body)
  })

  it('is given back when the intent takes too long', async () => {
    const answer = channel.submit(dialogue())
    hear('\r\n> ')
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await answer).toMatchObject({ result: 'stopped', reason: { code: 'intent-failed' } })
  })

  it('does not take an OK without a reference', async () => {
    const answer = channel.submit(dialogue())
    stored()
    hear('\r\n> ')
    await settle()
    hear('\r\nOK\r\n')
    hear('\r\n+CMGS: 3\r\n\r\nOK\r\n')
    expect(await answer).toEqual({ result: 'taken', reference: 3 })
  })

  it('is taken when only the OK stays away', async () => {
    const answer = channel.submit(dialogue())
    stored()
    hear('\r\n> ')
    await settle()
    hear('\r\n+CMGS: 3\r\n')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await answer).toEqual({ result: 'taken', reference: 3 })
    expect(channel.inStep).toBe(false)
  })

  it.each([
    ['before the text', false],
    ['after the text', true],
  ])('refused %s says so', async (_when, sent) => {
    const answer = channel.submit(dialogue())
    if (sent) {
      stored()
      hear('\r\n> ')
      await settle()
    }
    hear('\r\n+CMS ERROR: 500\r\n')
    expect(await answer).toMatchObject({ result: 'error', sent, error: { code: 500 } })
  })

  it.each([
    ['the port closes', 'closed'],
    ['the modem restarts', 'reset'],
  ])('knows whether it was written when %s', async (_what, how) => {
    const lose = () => (how === 'closed' ? channel.close() : hear('\r\nRDY\r\n'))
    const before = channel.submit(dialogue())
    if (how === 'reset') {
      lose()
      expect(await before).toMatchObject({ result: 'lost', sent: false, lost: { how } })
    } else {
      void before
      hear('\r\n+CMS ERROR: 1\r\n')
      await before
    }
    const after = channel.submit(dialogue())
    stored()
    hear('\r\n> ')
    await settle()
    lose()
    expect(await after).toMatchObject({ result: 'lost', sent: true, lost: { how } })
  })

  it('goes before commands that wait, and lets one of them in between two messages', async () => {
    const first = channel.submit(dialogue({ intend: () => Promise.resolve() }))
    void command('AT+POLL1')
    void command('AT+POLL2')
    hear('\r\n> ')
    await settle()
    hear('\r\n+CMGS: 1\r\n\r\nOK\r\n')
    await first
    void channel.submit(dialogue({ command: 'AT+CMGS=9', intend: () => Promise.resolve() }))
    expect(written.slice(2)).toEqual(['AT+POLL1\r'])
    hear('\r\nOK\r\n')
    expect(written.slice(2)).toEqual(['AT+POLL1\r', 'AT+CMGS=9\r'])
  })

  it('leaves a prompt with ESC before anything else is said', async () => {
    const answer = channel.submit(dialogue({ stop: () => ({ code: 'cancelled', text: '' }) }))
    stored()
    hear('\r\n> ')
    await answer
    void command('AT+NEXT')
    expect(written.at(-1)).toBe('\x1b')
    hear('\r\nOK\r\n')
    expect(written.at(-1)).toBe('AT\r')
  })

  it('never ends text with Ctrl-Z once it was written', async () => {
    const answer = channel.submit(dialogue())
    stored()
    hear('\r\n> ')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await answer).toEqual({ result: 'no-answer' })
    void channel.resync(5_000)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(written.filter((text) => text.includes('\x1a'))).toEqual([body])
  })
})

it('answers a prompt that nobody wanted with ESC', () => {
  hear('\r\n> ')
  expect(written).toEqual(['\x1b'])
})

it('keeps numbers, texts and PINs out of the dialogue that it shows', async () => {
  const answer = channel.run({ text: 'AT+CPIN="4711"', timeoutMs: 1_000, prefix: '+CPIN:' })
  hear(
    '\r\n+CUSD: 0,"Your balance is 5"\r\n\r\n+CLIP: "+4915112345678",145\r\n\r\n07919471227210F3\r\nOK\r\n',
  )
  await answer
  const shown = JSON.stringify(trace.newest())
  for (const secret of ['4711', 'balance', '4915112345678', '07919471227210F3'])
    expect(shown).not.toContain(secret)
})

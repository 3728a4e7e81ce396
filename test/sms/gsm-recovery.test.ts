/** What goes wrong with modems, and how soon a line is back: mute, reset, unplugged, locked, silent, ringing. */
import { afterEach, describe, expect, it } from 'vitest'
import { requirement } from '../requirements.ts'
import { type Bench, type BenchOptions, bench, hasty, until } from './gsm-bench.ts'

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

describe('a modem that restarts', () => {
  it('before the prompt: nothing was sent, and the line is back within five seconds', async () => {
    const { send, modem, ready, downs, line } = await start({ modem: { prompt: '2000' } })
    const sending = send('before')
    await until('the command', () => line.dialogue().at(-1)?.text.startsWith('AT+CMGS') ?? false)
    modem.reset()
    expect(await sending).toMatchObject({ result: 'notSent', reason: { code: 'modem-reset' } })
    expect(line.free()).toBe(false)
    const began = performance.now()
    await ready()
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(downs.map(({ code }) => code)).toEqual(['modem-reset'])
    modem.set('prompt', '0')
    expect(await send('after')).toMatchObject({ result: 'accepted' })
  })

  it('after Ctrl-Z: the outcome is unknown at once', async () => {
    const { send, modem, ready, line } = await start({ modem: { network: '30s' } })
    const sending = send('in flight')
    await until('in the network', () => modem.network.submissions.length === 1)
    modem.reset('kept')
    expect(await sending).toEqual({
      result: 'unknown',
      reason: { code: 'modem-reset', text: expect.any(String) },
      step: 0,
      progress: { confirmed: 0 },
    })
    await ready()
    expect(line.status().recoveries).toBe(1)
    modem.set('network', '0')
    expect(await send('after')).toMatchObject({ result: 'accepted' })
  })
})

describe('a modem that falls silent', () => {
  it('before the prompt: nothing was sent; it is back within two seconds of the modem', async () => {
    const { send, modem, ready, state, line } = await start({ profile: hasty })
    // The look at the memories, which follows readiness, must not be what meets the silence.
    await until('idle', () => {
      const said = line.dialogue().map(({ text }) => text)
      return said.includes('AT+CPMS="ME"\r') && said.at(-1) === 'OK'
    })
    modem.mute()
    expect(await send('into silence')).toMatchObject({ result: 'notSent', reason: { code: 'no-prompt' } })
    await state('recovering')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    modem.unmute()
    const began = performance.now()
    await ready()
    expect(performance.now() - began).toBeLessThan(3_000)
    expect(await send('after')).toMatchObject({ result: 'accepted' })
    expect(modem.network.received().map(({ text }) => text)).toEqual(['after'])
  })

  it('never lets a late answer complete something newer', async () => {
    const { modem, line, send, ready } = await start({ profile: hasty })
    // The answer of this one comes when the line has long given it up.
    modem.failCommand('+CMGS', '', 1)
    expect(await send('lost command')).toMatchObject({ result: 'notSent', reason: { code: 'no-prompt' } })
    modem.disturb('\r\n+CMGS: 99\r\n\r\nOK\r\n', 'now')
    await ready()
    const confirmed: number[] = []
    expect(await send('after', { confirmed })).toMatchObject({ result: 'accepted' })
    expect(modem.network.submissions.map(({ text }) => text)).toEqual(['after'])
    expect(line.status().state).toBe('ready')
  })
})

describe('a message without an answer', () => {
  it("is unknown after the profile's deadline, whether the network took it or not", async () => {
    const { send, modem, ready, line } = await start({ profile: hasty })
    modem.loseAnswers()
    expect(await send('taken, never answered')).toMatchObject({
      result: 'unknown',
      reason: { code: 'no-answer' },
    })
    expect(line.free()).toBe(false)
    await ready()
    expect(await send('after')).toMatchObject({ result: 'accepted' })
    expect(modem.network.received()).toHaveLength(2)
  })

  it('climbs the ladder when it happens again and again', async () => {
    const { send, modem, ready, logged } = await start({ profile: hasty })
    modem.failCommand('+CMGS', '', 3)
    for (let i = 0; i < 3; i++) {
      expect(await send('never asked for')).toMatchObject({
        result: 'notSent',
        reason: { code: 'no-prompt' },
      })
      await ready()
    }
    const rungs = logged
      .filter((text) => text.startsWith('Recovering'))
      .map((text) => text.split(/[:{]/)[1]?.trim())
    expect(rungs).toEqual(['getting back into step', 'ATZ', 'AT+CFUN=1,1'])
    expect(await send('after')).toMatchObject({ result: 'accepted' })
  })
})

describe.each(['tcp', ...(requirement('socat').missing ? [] : ['pty'])] as const)(
  'a modem unplugged from %s',
  (over) => {
    const way = over === 'pty' ? 'pty' : 'tcp'

    it('is used again within two seconds of being back', async () => {
      const { modem, state, ready, send, downs } = await start({ over: way })
      modem.unplug()
      await state('absent')
      expect(downs.map(({ code }) => code)).toEqual(['port-lost'])
      await new Promise((resolve) => setTimeout(resolve, 300))
      modem.plug()
      const began = performance.now()
      await ready()
      expect(performance.now() - began).toBeLessThan(4_000)
      expect(await send('back again')).toMatchObject({ result: 'accepted' })
    })

    it('leaves the outcome unknown after Ctrl-Z, and nothing sent before', async () => {
      const { modem, state, ready, send } = await start({ over: way, modem: { network: '30s' } })
      const sending = send('in flight')
      await until('in the network', () => modem.network.submissions.length === 1)
      modem.unplug()
      expect(await sending).toMatchObject({ result: 'unknown', reason: { code: 'port-lost' } })
      await state('absent')
      expect(await send('no port')).toMatchObject({ result: 'notSent' })
      modem.plug()
      await ready()
    })
  },
)

describe('a SIM with a PIN', () => {
  it('is unlocked, again after every start of the modem', async () => {
    const { modem, ready, send } = await start({ modem: { pin: '1234' }, line: { pin: '1234' } })
    expect(await send('unlocked')).toMatchObject({ result: 'accepted' })
    modem.reset()
    // Preparing may take less than the time between two looks at free().
    await until('the line notices', () => open?.line.status().recoveries === 1)
    await ready()
    expect(modem.state()).toMatchObject({ pinTries: 3, pinAttempts: 2 })
  })

  it('gets a wrong PIN exactly once, across restarts of the modem and of the program', async () => {
    const { modem, state, again, line, known } = await start({
      start: false,
      modem: { pin: '1234' },
      line: { pin: '9999' },
    })
    line.start()
    await state('blocked')
    expect(line.status().reason?.code).toBe('pin-refused')
    expect(modem.state().pinTries).toBe(2)
    modem.reset()
    await new Promise((resolve) => setTimeout(resolve, 600))
    await state('blocked')
    await line.stop()
    const second = again()
    second.start()
    await until('blocked again', () => second.status().state === 'blocked')
    await second.stop()
    expect(modem.state().pinTries).toBe(2)
    expect([...known.values()].join()).not.toContain('9999')
  })

  it('is left alone when only one attempt is left, and when it wants its PUK', async () => {
    const { line, state, modem } = await start({
      start: false,
      modem: { pin: '1234', pinTries: '1' },
      line: { pin: '1234' },
    })
    line.start()
    await state('blocked')
    expect(line.status().reason?.code).toBe('pin-last-try')
    expect(modem.state().pinTries).toBe(1)
  })

  it('that wants its PUK blocks the line', async () => {
    const { line, state } = await start({
      start: false,
      modem: { pin: '1234', pinTries: '0' },
      line: { pin: '1234' },
    })
    line.start()
    await state('blocked')
    expect(line.status().reason?.code).toBe('puk-wanted')
  })

  it('is tried once more when a person enables the line', async () => {
    const { line, state, modem, ready } = await start({
      start: false,
      modem: { pin: '1234' },
      line: { pin: '9999' },
    })
    line.start()
    await state('blocked')
    modem.sim.pin = '9999'
    line.enable()
    await ready()
  })

  it('the PIN is in no log and no dialogue', async () => {
    const { line, logged } = await start({ modem: { pin: '4711' }, line: { pin: '4711' } })
    expect(JSON.stringify([line.dialogue(), logged, line.status()])).not.toContain('4711')
  })
})

describe('registration', () => {
  it('holds the line back until there is a network, and says why', async () => {
    const { line, modem, ready, send } = await start({ start: false, modem: { registration: '2' } })
    line.start()
    await until('searching', () => line.status().reason?.code === 'not-registered')
    expect(line.status().state).toBe('starting')
    modem.set('registration', '5')
    await ready()
    expect(line.status().network?.registration).toBe('registered (roaming)')
    expect(await send('roaming')).toMatchObject({ result: 'accepted' })
  })

  it('takes the line away when the network is lost, and brings it back', async () => {
    const { line, modem, ready, state } = await start()
    modem.set('registration', '2')
    await state('recovering')
    expect(line.status().reason?.code).toBe('not-registered')
    modem.set('registration', '1')
    await ready()
  })
})

describe('a SIM that is taken out', () => {
  it('blocks the line at once, and the line is back when it is put in', async () => {
    const { modem, state, line, ready } = await start()
    modem.removeSim()
    await state('blocked')
    expect(line.status().reason?.code).toBe('sim-missing')
    modem.insertSim()
    await ready()
  })
})

describe('a line bound to a modem', () => {
  it('does not use another one', async () => {
    const { line, modem } = await start({ start: false, line: { imei: '356938035643809' } })
    line.start()
    await until('another modem', () => line.status().reason?.code === 'other-modem')
    expect(line.status().state).toBe('absent')
    expect(line.free()).toBe(false)
    expect(modem.network.submissions).toEqual([])
  })

  it('uses it', async () => {
    const { send } = await start({ line: { imei: '356938035643809' }, modem: { imei: '356938035643809' } })
    expect(await send('to the right one')).toMatchObject({ result: 'accepted' })
  })
})

describe('the service centre', () => {
  it('is remembered, and written back when the SIM has lost it', async () => {
    const { modem, ready, known, line } = await start()
    expect([...known]).toContainEqual([expect.stringMatching(/smsc$/), '+491700000001'])
    modem.sim.smsc = ''
    line.restart()
    await until('restarting', () => line.status().state !== 'ready')
    await ready()
    expect(modem.sim.smsc).toBe('+491700000001')
  })
})

describe('an incoming call', () => {
  it('is ended and told, also while messages go out', async () => {
    const { modem, send, calls } = await start({ modem: { network: '200', ring: '500' } })
    const sending = send('ringing meanwhile')
    await until('in the network', () => modem.network.submissions.length === 1)
    modem.network.call('line0', '+4930123456', 20)
    expect(await sending).toMatchObject({ result: 'accepted' })
    await until('the call to end', () => !modem.inCall)
    await until('the event', () => calls.length > 0)
    expect(calls).toEqual(['+4930123456'])
  })
})

describe('what people do', () => {
  it('disable outlives a restart of the program; enable brings it back', async () => {
    const { line, state, again, known } = await start()
    line.disable()
    await state('disabled')
    expect(line.free()).toBe(false)
    await line.stop()
    expect(line.status().state).toBe('stopped')
    const second = again()
    second.start()
    await until('disabled', () => second.status().state === 'disabled')
    second.enable()
    await until('ready', () => second.status().state === 'ready')
    expect([...known.values()]).toContain('no')
    await second.stop()
  })

  it('what was wanted last counts, however quickly it is switched', async () => {
    const { line, state, known } = await start()
    line.enable()
    line.disable()
    await state('disabled')
    // What switching on still had to remember is done by now, too.
    await new Promise((resolve) => setImmediate(resolve))
    expect(line.status().state).toBe('disabled')
    expect([...known.values()]).toContain('yes')
  })

  it("another member's line is connected only when it is woken, and let go again", async () => {
    const { line, state, send, modem } = await start({ start: false, line: { passive: 'box-b' } })
    line.start()
    await state('passive')
    line.restart()
    expect(modem.network.submissions).toEqual([])
    line.wake()
    await state('ready')
    expect(await send('in its place')).toMatchObject({ result: 'accepted' })
    line.rest()
    await state('passive')
    expect(line.free()).toBe(false)
    line.wake()
    await state('ready')
  })

  it('a transmission under way ends before the line stops', async () => {
    const { send, line, modem } = await start({ modem: { network: '300' } })
    const sending = send('last words')
    await until('in the network', () => modem.network.submissions.length === 1)
    const stopping = line.stop()
    expect(await sending).toMatchObject({ result: 'accepted' })
    await stopping
  })

  it('a storm of unsolicited lines changes nothing', async () => {
    const { send, modem, line } = await start()
    modem.disturb('\r\n+CMTI: "SM",7\r\n\r\nRANDOM: 1\r\n\r\n+CUSD: 0,"x",15\r\n', 'now', 3_000)
    expect(await send('through the storm')).toMatchObject({ result: 'accepted' })
    expect(line.status().state).toBe('ready')
  })
})

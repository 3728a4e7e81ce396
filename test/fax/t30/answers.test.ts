/** Answers that come rarely, each before the machine that gets it: what they mean for the page. */
import { describe, expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import type { Input } from '#fax/t30/actions.ts'
import { buildCapabilities, buildChoice, type Choice } from '#fax/t30/capabilities.ts'
import { buildPartial } from '#fax/t30/ecm.ts'
import { buildFrame, type Frame, type Outgoing, pageEnds, readFrame } from '#fax/t30/frames.ts'
import { modulations } from '#fax/t30/modulation.ts'
import { startReceiver, stepReceiver } from '#fax/t30/receiver.ts'
import { startSender, stepSender } from '#fax/t30/sender.ts'

const plain: FaxSettings = { station: '', ecm: false, maxRate: 14400 }
const ecm: FaxSettings = { ...plain, ecm: true }

const heard = (...list: Outgoing[]): Input => ({
  got: 'frames',
  damaged: false,
  frames: list.flatMap((frame): Frame[] => {
    const read = readFrame(Uint8Array.of(...buildFrame(frame, false, true), 0, 0))
    return read ? [read] : []
  }),
})
const silence: Input = { got: 'silence' }

/** A call of one page or more up to the end of the first, and the answers to that. */
function sendUntilEnd(settings: FaxSettings, pages: number, answers: readonly Input[]) {
  const dis = heard({ name: 'DIS', fif: buildCapabilities(settings, modulations) })
  let asked = 0
  let state = startSender({ settings, modulations, pages: new Array<98>(pages).fill(98), from: 0 })
  let input: Input = { got: 'connected' }
  for (let turn = 0; turn < 50; turn++) {
    const step = stepSender(state, input, 0)
    state = step.state
    const { place } = state
    if (place.at === 'ended') return place.result
    const { action } = step.effects
    if (action.do !== 'listen') input = { got: 'sent', blocks: 1, frames: 4 }
    else if (place.at === 'identification') input = dis
    else if (place.at === 'training-answer') input = heard({ name: 'CFR' })
    else input = answers[asked++] ?? silence
  }
  throw new Error('the call does not end')
}

describe('a far end that hangs up instead of confirming', () => {
  const dcn = heard({ name: 'DCN' })

  test.each([plain, ecm])('at once: the page was not taken', (settings) => {
    expect(sendUntilEnd(settings, 1, [dcn])).toMatchObject({ result: 'failed', failure: 'fax-page-refused' })
  })

  test.each([plain, ecm])('after an answer that was not heard: nobody knows of the last page', (settings) => {
    expect(sendUntilEnd(settings, 1, [silence, dcn])).toMatchObject({ result: 'unknown', confirmed: 0 })
    expect(sendUntilEnd(settings, 2, [silence, dcn])).toMatchObject({
      result: 'failed',
      failure: 'fax-page-refused',
    })
  })
})

test('a partial page that its sender leaves incomplete (EOR) is answered with ERR, whatever follows it', () => {
  const [modulation] = modulations
  if (!modulation) throw new Error('the table has lost its rows')
  const choice: Choice = { modulation, resolution: 98, coding: 'MMR', ecm: true, frameSize: 256, rowTime: 0 }
  for (const end of ['NULL', 'MPS'] as const) {
    let state = startReceiver({ settings: ecm, modulations })
    const inputs: Input[] = [
      { got: 'connected' },
      { got: 'sent' },
      heard({ name: 'DCS', fif: buildChoice(choice) }),
      { got: 'training', good: true },
      { got: 'sent' },
      { got: 'data', ended: true },
      heard({ name: 'EOR', fif: buildPartial(pageEnds[end], 0, 0, 4) }),
      end === 'NULL' ? { got: 'done' } : { got: 'kept' },
    ]
    const actions = inputs.map((input) => {
      const step = stepReceiver(state, input, 0)
      state = step.state
      return step.effects.action
    })
    expect(actions.at(-2)?.do).toBe(end === 'NULL' ? 'close-block' : 'keep')
    expect(actions.at(-1)).toEqual({ do: 'frames', frames: [{ name: 'ERR' }] })
  }
})

describe('a carrier that is lost in the middle of a page', () => {
  const [modulation] = modulations
  if (!modulation) throw new Error('the table has lost its rows')
  const choice: Choice = { modulation, resolution: 98, coding: 'MH', ecm: false, frameSize: 256, rowTime: 0 }
  const dcs = heard({ name: 'DCS', fif: buildChoice(choice) })
  const good: Input = { got: 'judged', rows: 300, badRows: 1 }

  /** Each input with the ms that have passed before it. @returns what was done then */
  function receive(inputs: readonly [number, Input][]) {
    let state = startReceiver({ settings: plain, modulations })
    let now = 0
    return inputs.map(([passed, input]) => {
      now += passed
      const step = stepReceiver(state, input, now)
      state = step.state
      const { action } = step.effects
      return action.do === 'frames' ? action.frames.map(({ name }) => name).join('+') : action
    })
  }

  const beginning: [number, Input][] = [
    [0, { got: 'connected' }],
    [0, { got: 'sent' }],
    [0, dcs],
    [0, { got: 'training', good: true }],
    [0, { got: 'sent' }],
    [9_000, { got: 'data', ended: false }],
  ]
  const end: [number, Input] = [20_000, heard({ name: 'EOP' })]

  test('its sender goes on and is waited for; what is left of the page is good, and is refused all the same', () => {
    const done = receive([...beginning, end, [0, good]])
    const [wait] = done.slice(beginning.length - 1)
    expect(wait).toMatchObject({ do: 'listen' })
    // A page of 64 kB at 14400 bit/s takes 36 s.
    expect(wait).toHaveProperty(
      'within',
      expect.toSatisfy((ms: number) => ms > 36_000),
    )
    expect(done.at(-1)).toBe('RTN')
  })

  test('when it comes no better twice, it is kept and marked, and not confirmed', () => {
    const again: [number, Input][] = [[0, { got: 'sent' }], ...beginning.slice(2), end, [0, good]]
    const done = receive([...beginning, end, [0, good], ...again, ...again, [100, { got: 'kept' }]])
    expect(done.at(-2)).toMatchObject({ do: 'keep', complete: false })
    expect(done.at(-1)).toBe('DCN')
  })

  test('when it comes whole then, it is whole', () => {
    const whole: [number, Input][] = [
      [0, { got: 'sent' }],
      ...beginning.slice(2, -1),
      [30_000, { got: 'data', ended: true }],
      [30_000, heard({ name: 'EOP' })],
      [0, good],
    ]
    expect(receive([...beginning, end, [0, good], ...whole]).at(-1)).toMatchObject({
      do: 'keep',
      complete: true,
    })
  })

  test('a command that was damaged is waited for as long as its sender takes to repeat it, asked or not', () => {
    const damaged: Input = { got: 'frames', frames: [], damaged: true }
    const whole: [number, Input][] = [...beginning.slice(0, -1), [9_000, { got: 'data', ended: true }]]
    const done = receive([...whole, [1_000, damaged], [1_200, { got: 'sent' }]])
    expect(done.at(-2)).toBe('CRP')
    // T4 of the sender is 3 s +-15 %, its command takes 1.3 s, and it may have heard a part of CRP.
    expect(done.at(-1)).toMatchObject({ do: 'listen', within: 6_000 })
  })

  test('a sender that leaves RTC out, or noise in it, is no loss', () => {
    const done = receive([...beginning, [1_600, heard({ name: 'EOP' })], [0, good]])
    expect(done.at(-1)).toMatchObject({ do: 'keep', complete: true })
  })
})

describe('polling, which is not done here', () => {
  test('a machine that only gives documents away is told good-bye, and why stands in the result', () => {
    let state = startSender({ settings: plain, modulations, pages: [98], from: 0 })
    // T.30, table 2: bit 9, ready to transmit; bit 10, receiver, is not set.
    const inputs: Input[] = [heard({ name: 'DIS', fif: Uint8Array.of(0, 0x2d, 0x78) }), { got: 'sent' }]
    const actions = inputs.map((input) => {
      const step = stepSender(state, input, 0)
      state = step.state
      return step.effects.action
    })
    expect(actions[0]).toEqual({ do: 'frames', frames: [{ name: 'DCN' }] })
    expect(state.place).toMatchObject({ result: { result: 'failed', failure: 'fax-protocol' } })
  })

  test('a caller that wants one (DTC) is told good-bye at once', () => {
    let state = startReceiver({ settings: plain, modulations })
    const fif = buildCapabilities(plain, modulations)
    const inputs: Input[] = [
      { got: 'connected' },
      { got: 'sent' },
      heard({ name: 'CIG' }, { name: 'DTC', fif }),
      { got: 'sent' },
    ]
    const actions = inputs.map((input) => {
      const step = stepReceiver(state, input, 0)
      state = step.state
      return step.effects.action
    })
    expect(actions[2]).toEqual({ do: 'frames', frames: [{ name: 'DCN' }] })
    expect(actions[3]).toEqual({ do: 'hang-up' })
    expect(state.place).toMatchObject({ result: { result: 'partial', pages: 0, failure: 'fax-protocol' } })
  })
})

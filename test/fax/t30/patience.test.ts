/** Far ends that keep the sending machine waiting, or begin again: how long they are borne (ITU-T T.30, 5.4.3.1 and Annex A). */
import { describe, expect, test } from 'vitest'
import type { FaxSettings } from '#fax/contract.ts'
import type { Input } from '#fax/t30/actions.ts'
import { buildCapabilities } from '#fax/t30/capabilities.ts'
import { buildFrame, type Frame, type FrameName, readFrame } from '#fax/t30/frames.ts'
import { modulations } from '#fax/t30/modulation.ts'
import { startSender, stepSender } from '#fax/t30/sender.ts'

const ecm: FaxSettings = { station: '', ecm: true, maxRate: 14400 }
const dis = buildCapabilities(ecm, modulations)

function heard(name: FrameName): Input {
  const frame = readFrame(
    Uint8Array.of(...buildFrame({ name, fif: name === 'DIS' ? dis : new Uint8Array(0) }, false, true), 0, 0),
  )
  const frames: Frame[] = frame ? [frame] : []
  return { got: 'frames', frames, damaged: false }
}

/** Frames take 1.3 s, and so do their answers. */
const FRAMES_MS = 1_300

/** @param answer to what was sent last, after so many ms: a frame, or silence */
function send(pages: number, answer: (sent: string, ms: number) => FrameName | undefined) {
  let state = startSender({ settings: ecm, modulations, pages: new Array<196>(pages).fill(196), from: 0 })
  let input: Input = { got: 'connected' }
  let now = 0
  const log: string[] = []
  for (let turn = 0; turn < 400; turn++) {
    const step = stepSender(state, input, now)
    state = step.state
    if (state.place.at === 'ended') return { result: state.place.result, log, took: now }
    const { action } = step.effects
    if (action.do === 'frames' || action.do === 'train') {
      log.push(action.frames.map(({ name }) => name).join('+'))
      now += FRAMES_MS
      input = { got: 'sent' }
    } else if (action.do === 'listen') {
      const name: FrameName | undefined = log.length === 0 ? 'DIS' : answer(log.at(-1) ?? '', now)
      now += name === undefined ? action.within : FRAMES_MS
      input = name === undefined ? { got: 'silence' } : heard(name)
    } else {
      log.push(action.do)
      now += 10_000
      input = { got: 'sent', blocks: 1, frames: 100 }
    }
  }
  throw new Error(`no end: ${log.join(' ')}`)
}

const trained = (sent: string): FrameName | undefined => (sent.includes('DCS') ? 'CFR' : undefined)

describe('a receiver that is not ready (RNR)', () => {
  test('for 50 s, and then is: the page is confirmed', () => {
    let since: number | undefined
    const { result, log } = send(1, (sent, ms) => {
      since ??= sent === 'PPS' ? ms : undefined
      if (since === undefined) return trained(sent)
      return ms - since < 50_000 ? 'RNR' : 'MCF'
    })
    expect(result).toMatchObject({ result: 'sent' })
    expect(log.filter((entry) => entry === 'RR').length).toBeGreaterThan(15)
    expect(log.filter((entry) => entry === 'PPS').length).toBe(1)
  })

  test.each([
    [1, { result: 'unknown', confirmed: 0 }],
    [2, { result: 'failed', failure: 'fax-line-dropped', confirmed: 0 }],
  ] as const)('without end: after T5 (60 s) the call of %i pages is ended in order', (pages, outcome) => {
    const { result, log, took } = send(pages, (sent) => trained(sent) ?? 'RNR')
    expect(result).toMatchObject(outcome)
    expect(log.at(-1)).toBe('DCN')
    expect(took).toBeGreaterThan(60_000)
    expect(took).toBeLessThan(100_000)
  })

  test('whose answer to RR is lost is asked three times', () => {
    let ready = 0
    const { result, log } = send(1, (sent) => {
      if (sent === 'PPS') return 'RNR'
      return sent === 'RR' ? (++ready === 3 ? 'MCF' : undefined) : trained(sent)
    })
    expect(result).toMatchObject({ result: 'sent' })
    expect(log.filter((entry) => entry === 'RR').length).toBe(3)
  })
})

describe('a receiver that begins again with DIS', () => {
  test('twice, because it did not hear how it would be sent: it is told again', () => {
    let asked = 0
    const { result, log } = send(1, (sent) =>
      sent === 'DCS' && ++asked < 3 ? 'DIS' : (trained(sent) ?? 'MCF'),
    )
    expect(result).toMatchObject({ result: 'sent' })
    expect(log.filter((entry) => entry === 'DCS').length).toBe(3)
  })

  test('three times: the call ends, and nothing was sent', () => {
    const { result, log } = send(1, () => 'DIS')
    expect(result).toMatchObject({ result: 'failed', failure: 'fax-training-failed', confirmed: 0 })
    expect(log).toEqual(['DCS', 'DCS', 'DCS', 'DCN'])
  })

  test('after a page: it heard nothing of it, which goes again and is not confirmed by anything else', () => {
    let pages = 0
    const { result, log } = send(1, (sent) =>
      sent === 'PPS' ? (++pages === 1 ? 'DIS' : 'MCF') : trained(sent),
    )
    expect(result).toMatchObject({ result: 'sent' })
    expect(log.filter((entry) => entry === 'block').length).toBe(2)
  })
})

test('a request for frames that never ends goes down through the speeds (CTC), and the call ends', () => {
  const { result, log } = send(1, (sent) => (sent === 'CTC' ? 'CTR' : sent === 'PPS' ? 'PPR' : trained(sent)))
  expect(result).toMatchObject({ result: 'failed', failure: 'fax-poor-copy', facts: { rate: 2400 } })
  expect(log.filter((entry) => entry === 'CTC').length).toBe(5)
  // Four requests at each of six speeds.
  expect(log.filter((entry) => entry === 'PPS').length).toBe(24)
})

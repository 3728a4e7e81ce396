/**
 * The delivery loop over a real store and scripted lines: what is sent, in what order, and what becomes of the rest.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Transmission } from '#lines/contract.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { cleanUp, rig } from './rig.ts'
import { refused, type Script, sendParts } from './scripted-line.ts'

const long = 'x'.repeat(400)

describe('the delivery loop', () => {
  it('sends a new message on an idle line at once and writes down how', async () => {
    const { send, settled, sent } = await rig()
    const { message } = await send()
    const [delivery] = (await settled(message.id, 'sent')).deliveries
    expect(sent).toHaveLength(1)
    expect(delivery?.timeline.map(({ event }) => event)).toEqual(['accept', 'intend', 'accepted'])
    expect(delivery).toMatchObject({ line: 'gsm0', node: 'a', attempts: 1, possibleDuplicate: false })
  })

  it('has the intent on disk before the driver may go on', async () => {
    const states: (string | undefined)[] = []
    const look: Script = async (t, line) => {
      const before = await r.store.message(t.message.id)
      await t.intend(0)
      const after = await r.store.message(t.message.id)
      states.push(before?.deliveries[0]?.state, after?.deliveries[0]?.state)
      return sendParts({ ...bind(t), intend: async () => {} }, line, r.sent)
    }
    const r = await rig({ scripts: { gsm0: look } })
    const { message } = await r.send()
    await r.settled(message.id, 'sent')
    expect(states).toEqual(['queued', 'submitting'])
  })

  it.each(['network', 'line'] as const)('tries another line at once when one refuses (%s)', async (scope) => {
    const r = await rig({
      scripts: { gsm0: async () => refused(scope), gsm1: (t, line) => sendParts(t, line, r.sent) },
    })
    const { message } = await r.send()
    const view = await r.settled(message.id, 'sent')
    expect(r.sent.map(({ line }) => line)).toEqual(['gsm1'])
    expect(view.deliveries[0]).toMatchObject({ line: 'gsm1', possibleDuplicate: false })
  })

  it('gives a message up when its number can never be reached, and says why', async () => {
    const r = await rig({ scripts: { gsm0: async () => refused('number', true) } })
    const { message } = await r.send()
    const view = await r.settled(message.id, 'failed')
    expect(view.deliveries[0]?.reason).toEqual({ code: 'scripted', text: 'The script says so.' })
  })

  it('lets nobody wait for a number that is in trouble', async () => {
    const script: Script = async (t, line) =>
      t.delivery.to === '+49666' ? refused('network') : sendParts(t, line, r.sent)
    const r = await rig({ scripts: { gsm0: script } })
    const bad = await r.send({ to: ['+49666'], priority: 0 })
    const others = await Promise.all([...Array(20).keys()].map(() => r.send()))
    for (const { message } of others) await r.settled(message.id, 'sent')
    expect((await r.view(bad.message.id)).deliveries[0]).toMatchObject({ state: 'queued', failures: 1 })
  })

  it('sends an unknown outcome again, flagged', async () => {
    let first = true
    const script: Script = async (t, line) => {
      if (!first) return sendParts(t, line, r.sent)
      first = false
      await t.intend(0)
      t.stop()
      return {
        result: 'unknown',
        reason: { code: 'no-answer', text: '' },
        step: 0,
        progress: { confirmed: 0 },
      }
    }
    const r = await rig({ scripts: { gsm0: script } })
    const { message } = await r.send()
    expect((await r.settled(message.id, 'sent')).deliveries[0]).toMatchObject({
      possibleDuplicate: true,
      attempts: 2,
    })
  })

  it('holds an unknown outcome for a person where the message says so, and sends it when asked', async () => {
    let answer: Outcome['result'] = 'unknown'
    const script: Script = async (t, line) => {
      if (answer === 'accepted') return sendParts(t, line, r.sent)
      await t.intend(0)
      return {
        result: 'unknown',
        reason: { code: 'no-answer', text: '' },
        step: 0,
        progress: { confirmed: 0 },
      }
    }
    const r = await rig({ scripts: { gsm0: script } })
    const { message } = await r.send({ onUnknown: 'hold' })
    await r.settled(message.id, 'unknown')
    answer = 'accepted'
    expect((await r.dispatch.retry(message.id)).result).toBe('done')
    await r.settled(message.id, 'sent')
  })

  it('resumes at the first unconfirmed part on the same line, unflagged', async () => {
    let interrupted = false
    const script: Script = async (t, line) => {
      if (interrupted) return sendParts(t, line, r.sent)
      interrupted = true
      await t.intend(0)
      t.confirmed(0, 1)
      return { result: 'notSent', reason: { code: 'prompt', text: '' }, progress: { confirmed: 1 } }
    }
    const r = await rig({ scripts: { gsm0: script } })
    const { message } = await r.send({ text: long })
    const view = await r.settled(message.id, 'sent')
    expect(r.sent.map(({ part }) => part)).toEqual([1, 2])
    expect(view.deliveries[0]?.possibleDuplicate).toBe(false)
  })

  it('starts a chain again on another line, flagged', async () => {
    const breaks: Script = async (t) => {
      await t.intend(0)
      t.confirmed(0, 1)
      r.dispatch.loop.lineDown('gsm0')
      return { result: 'notSent', reason: { code: 'port-lost', text: '' }, progress: { confirmed: 1 } }
    }
    const r = await rig({ scripts: { gsm0: breaks, gsm1: (t, line) => sendParts(t, line, r.sent) } })
    const { message } = await r.send({ text: long })
    const view = await r.settled(message.id, 'sent')
    expect(r.sent.map(({ part, line }) => `${line}:${part}`)).toEqual(['gsm1:0', 'gsm1:1', 'gsm1:2'])
    expect(view.deliveries[0]?.possibleDuplicate).toBe(true)
  })

  it('lets priority 0 in between the parts of another message', async () => {
    const underWay = Promise.withResolvers<void>()
    const urgentIsThere = Promise.withResolvers<void>()
    const script: Script = (t, line) => {
      const confirmed = async (part: number) => {
        underWay.resolve()
        if (part === 0) await urgentIsThere.promise
      }
      return sendParts(t, line, r.sent, confirmed)
    }
    const r = await rig({ scripts: { gsm0: script } })
    const slow = await r.send({ text: long })
    await underWay.promise
    const urgent = await r.send({ priority: 0, text: 'fire' })
    urgentIsThere.resolve()
    await r.settled(slow.message.id, 'sent')
    await r.settled(urgent.message.id, 'sent')
    expect(r.sent.map(({ text, part }) => `${text === 'fire' ? 'fire' : 'long'}${part}`)).toEqual([
      'long0',
      'fire0',
      'long1',
      'long2',
    ])
  })

  it('sends by priority, then in order of acceptance, each once, far beyond the window', async () => {
    const r = await rig({ ready: false })
    const numbers = [...Array(2_100).keys()].map((n) => `+4900${1_000 + n}`)
    const many = await r.send({ to: numbers, priority: 3 })
    // A job is not written out in one answer, neither the first time nor when it is asked for again.
    expect({ shown: many.deliveries.length, count: many.count }).toEqual({ shown: 1_000, count: 2_100 })
    await r.send({ to: ['+49111'], priority: 1 })
    await r.send({ to: ['+49000'], priority: 0 })
    r.dispatch.loop.lineReady('gsm0')
    await vi.waitFor(() => expect(r.sent.length).toBeGreaterThanOrEqual(2_102), {
      timeout: 25_000,
      interval: 100,
    })
    await r.settled(many.message.id, 'sent')
    expect(r.sent.map(({ to }) => to)).toEqual(['+49000', '+49111', ...numbers])
  })

  it('uses a dearer line only while the cheaper one is broken', async () => {
    const script: Script = (t, line) => sendParts(t, line, r.sent, () => sleep(5))
    const r = await rig({
      scripts: { cheap: script, dear: script },
      routes: [
        { match: '*', lines: ['dear'], cost: 9 },
        { match: '*', lines: ['cheap'], cost: 1 },
      ],
    })
    for (const { message } of [await r.send(), await r.send()]) await r.settled(message.id, 'sent')
    r.dispatch.loop.lineDown('cheap')
    await r.settled((await r.send()).message.id, 'sent')
    expect(r.sent.map(({ line }) => line)).toEqual(['cheap', 'cheap', 'dear'])
  })

  it('uses all lines of a tier at once', async () => {
    const script: Script = (t, line) => sendParts(t, line, r.sent, () => sleep(50))
    const r = await rig({ scripts: { gsm0: script, gsm1: script, gsm2: script } })
    for (let n = 0; n < 3; n++) await r.send()
    await vi.waitFor(() => expect(r.sent).toHaveLength(3))
    expect(new Set(r.sent.map(({ line }) => line)).size).toBe(3)
  })

  it('keeps to the rate of a line', async () => {
    const r = await rig({ rate: { parts: 2, perMs: 3_600_000 } })
    const messages = []
    for (let n = 0; n < 3; n++) messages.push(await r.send())
    await r.settled(messages[1]?.message.id ?? '', 'sent')
    expect(r.sent).toHaveLength(2)
    expect((await r.view(messages[2]?.message.id ?? '')).deliveries[0]?.state).toBe('queued')
  })

  it('expires what could not be sent in time', async () => {
    const r = await rig({ ready: false })
    const { message } = await r.send({ validity: 5_000 })
    await r.settled(message.id, 'expired')
    expect(r.sent).toEqual([])
  })

  it('cancels what waits, and what is in hand until its irrevocable byte', async () => {
    const gate = Promise.withResolvers<void>()
    const script: Script = async (t, line) => {
      await t.intend(0)
      await gate.promise
      return sendParts({ ...bind(t), intend: async () => {} }, line, r.sent)
    }
    const r = await rig({ scripts: { gsm0: script } })
    const inHand = await r.send()
    const waiting = await r.send()
    await r.settled(inHand.message.id, 'submitting')
    expect((await r.dispatch.cancel(waiting.message.id)).result).toBe('done')
    const cancelling = r.dispatch.cancel(inHand.message.id)
    await sleep(50)
    gate.resolve()
    const result = await cancelling
    expect(result).toMatchObject({ result: 'done', view: { deliveries: [{ state: 'cancelled' }] } })
    expect(r.sent).toEqual([])
    await r.settled(waiting.message.id, 'cancelled')
  })

  it('says when it is too late to cancel', async () => {
    const script: Script = (t, line) => sendParts(t, line, r.sent, () => sleep(200))
    const r = await rig({ scripts: { gsm0: script } })
    const { message } = await r.send()
    await vi.waitFor(() => expect(r.sent).toHaveLength(1))
    expect((await r.dispatch.cancel(message.id)).result).toBe('tooLate')
    await r.settled(message.id, 'sent')
    expect((await r.dispatch.cancel('no-such-message')).result).toBe('notFound')
  })
})

describe('after a restart', () => {
  const interruptedAt = async (script: Script, request: Partial<SubmitRequest>) => {
    const directory = await mkdtemp(join(tmpdir(), 'loop-'))
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    const before = await rig({ directory, scripts: { gsm0: script }, crashes: true })
    const { message } = await before.send(request)
    await before.settled(message.id, 'submitting')
    // As a crash would leave it: the loop says nothing more, only the files remain.
    await before.store.close()
    const after = await rig({ directory })
    const view = await after.settled(message.id, 'sent')
    return { after, delivery: view.deliveries[0] }
  }
  const never = new Promise<Outcome>(() => {})

  it('sends what was in doubt again, flagged', async () => {
    const { delivery } = await interruptedAt(async (t) => {
      await t.intend(0)
      t.stop()
      return never
    }, {})
    expect(delivery).toMatchObject({ possibleDuplicate: true, attempts: 2 })
  })

  it('resumes between parts without a flag', async () => {
    const { after, delivery } = await interruptedAt(
      async (t) => {
        await t.intend(0)
        t.confirmed(0, 5)
        return never
      },
      { text: long },
    )
    expect(after.sent.map(({ part }) => part)).toEqual([1, 2])
    expect(delivery?.possibleDuplicate).toBe(false)
  })
})

describe('a disk that takes no writes', () => {
  it('keeps what happened, starts nothing new, and goes on when the disk does', async () => {
    let broken = false
    const r = await rig({
      wrap: (store) => {
        const proxy = Object.create(store) as Store & OperationLog
        proxy.record = (changes) => (broken ? Promise.reject(new Error('no space')) : store.record(changes))
        for (const name of [
          'accept',
          'claim',
          'message',
          'overdue',
          'submitting',
          'release',
          'close',
        ] as const) {
          Object.assign(proxy, { [name]: store[name].bind(store) })
        }
        return proxy
      },
      scripts: {
        gsm0: async (t, line) => {
          const outcome = await sendParts({ ...bind(t), accepted: () => {} }, line, r.sent)
          if (r.sent.length === 1) broken = true
          if (outcome.result === 'accepted') t.accepted(9)
          return outcome
        },
      },
    })
    const first = await r.send()
    const second = await r.send()
    await vi.waitFor(() => expect(broken).toBe(true))
    await sleep(300)
    expect(r.sent).toHaveLength(1)
    broken = false
    await r.settled(first.message.id, 'sent')
    await r.settled(second.message.id, 'sent')
    expect(r.sent).toHaveLength(2)
  })
})

/** A transmission as a plain object, so that a script can replace one of its functions. */
function bind(t: Transmission): Transmission {
  return {
    message: t.message,
    delivery: t.delivery,
    from: t.from,
    concatenation: t.concatenation,
    intend: (part) => t.intend(part),
    stop: () => t.stop(),
    confirmed: (part, reference) => t.confirmed(part, reference),
    accepted: (reference) => t.accepted(reference),
    signal: t.signal,
    recorded: () => t.recorded(),
    yield: () => t.yield(),
  }
}

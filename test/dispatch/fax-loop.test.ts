/**
 * The delivery loop and faxes: a program that ends after any step of a call, and another one that goes on with the same
 * files; what may be sent when; which line takes over.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Replicas } from '#dispatch/ownership.ts'
import type { Transmission } from '#lines/contract.ts'
import type { Outcome } from '#messages/outcome.ts'
import { cleanUp, rig } from './rig.ts'

const PAGES = 3
const document = { hash: 'a'.repeat(64), type: 'tiff', name: 'x.tif', bytes: 9, pages: PAGES } as const
const request = { channel: 'fax', text: '', document } as const
const never = new Promise<Outcome>(() => {})

/** One call, step by step as a driver takes them; ends (and says nothing more) after so many of them. */
async function call(t: Transmission, steps: number, said: string[]): Promise<Outcome> {
  let left = steps
  const step = async (text: string, act: () => Promise<void> | void): Promise<boolean> => {
    if (left-- <= 0) return false
    await act()
    said.push(text)
    return true
  }
  if (!(await step(`dial ${t.from}`, () => t.intend(t.from)))) return never
  for (let page = t.from; page < t.delivery.parts; page++) {
    if (!(await step(`end ${page}`, () => t.intend(page, 'post-page')))) return never
    const stop = t.stop()
    if (stop) return { result: 'notSent', reason: stop, progress: { confirmed: page } }
    const last = page === t.delivery.parts - 1
    if (!(await step(`confirm ${page}`, () => (last ? t.accepted(0) : t.confirmed(page, 0))))) return never
  }
  return { result: 'accepted', progress: { confirmed: t.delivery.parts } }
}

describe('a program that ends in a call', () => {
  /** Steps of a call of three pages: dial, then end and confirm of each. */
  it.each([
    [1, 'dial 0', false],
    [2, 'dial 0', false],
    [3, 'dial 1', false],
    [4, 'dial 1', false],
    [5, 'dial 2', false],
    // The end of the last page may have been sent: a copy may arrive twice, and it says so.
    [6, 'dial 2', true],
  ])('after %i steps the next one begins with %s', async (steps, first, flagged) => {
    const directory = await mkdtemp(join(tmpdir(), 'fax-loop-'))
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    const before: string[] = []
    const dying = await rig({ directory, scripts: { fax0: (t) => call(t, steps, before) }, crashes: true })
    const { message } = await dying.send(request)
    await expect.poll(() => before.length).toBe(steps)
    // What was said of a page is on its way to the disk; an intent is on it.
    await dying.store.close()

    const after: string[] = []
    const next = await rig({ directory, scripts: { fax1: (t) => call(t, 99, after) } })
    const view = await next.settled(message.id, 'sent')
    expect(after[0]).toBe(first)
    expect(view.deliveries[0]).toMatchObject({
      confirmed: PAGES,
      attempts: 2,
      possibleDuplicate: flagged,
      line: 'fax1',
    })
    const confirmed = [...before, ...after].filter((text) => text.startsWith('confirm'))
    expect(confirmed).toEqual(['confirm 0', 'confirm 1', 'confirm 2'])
  })

  it('leaves what is in doubt to a person where the message says so', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fax-loop-'))
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    const before: string[] = []
    const dying = await rig({ directory, scripts: { fax0: (t) => call(t, 6, before) }, crashes: true })
    const { message } = await dying.send({ ...request, onUnknown: 'hold' })
    await expect.poll(() => before.length).toBe(6)
    await dying.store.close()
    const after: string[] = []
    const next = await rig({ directory, scripts: { fax0: (t) => call(t, 99, after) } })
    const held = await next.settled(message.id, 'unknown')
    expect(held.deliveries[0]).toMatchObject({ confirmed: 2 })
    // A person asks for it: the pages that have arrived are not sent again.
    await next.dispatch.retry(message.id)
    await next.settled(message.id, 'sent')
    expect(after).toEqual(['dial 2', 'end 2', 'confirm 2'])
  })
})

it('begins and ends no page before the confirmation of the one before it is on the other disk', async () => {
  const waited: number[] = []
  const replicas: Replicas = {
    available: () => true,
    acknowledged: async ({ sequence }) => {
      waited.push(sequence)
      return true
    },
    current: () => true,
  }
  /** What the other disk had when each step was allowed. */
  const held: [string, number][] = []
  const r = await rig({
    replicas,
    scripts: {
      fax0: async (t) => {
        const intend = async (page: number, step?: 'post-page') => {
          await t.intend(page, step)
          held.push([`${step ?? 'dial'} ${page}`, waited.at(-1) ?? 0])
        }
        await intend(0)
        for (let page = 0; page < PAGES; page++) {
          await intend(page, 'post-page')
          if (page < PAGES - 1) t.confirmed(page, 0)
          else t.accepted(0)
          await t.recorded()
          held.push([`recorded ${page}`, waited.at(-1) ?? 0])
        }
        return { result: 'accepted', progress: { confirmed: PAGES } }
      },
    },
  })
  const { message } = await r.send(request)
  await r.settled(message.id, 'sent')
  const entries = await r.store.entries('a', 0, 100)
  const confirmedAt = (page: number) =>
    entries.findIndex(
      ({ operation }) =>
        operation.op === 'delivery' && operation.event.event === 'confirm' && operation.event.part === page,
    )
  const sequence = (page: number) => entries[confirmedAt(page)]?.sequence ?? Number.POSITIVE_INFINITY
  const had = new Map(held)
  expect([...had.keys()].filter((step) => !step.startsWith('recorded'))).toEqual([
    'dial 0',
    'post-page 0',
    'post-page 1',
    'post-page 2',
  ])
  for (const page of [0, 1]) {
    expect(had.get(`recorded ${page}`)).toBeGreaterThanOrEqual(sequence(page))
    expect(had.get(`post-page ${page + 1}`)).toBeGreaterThanOrEqual(sequence(page))
  }
})

describe('several lines', () => {
  const failing = (scope: 'line' | 'number', code: string): Outcome => ({
    result: 'refused',
    scope,
    permanent: false,
    reason: { code, text: 'Words.' },
    progress: { confirmed: 1 },
    again: { pause: 60_000, counts: false, tries: 3, dials: 12 },
  })

  it('goes on at the same page over another line at once where the modem failed', async () => {
    const said: string[] = []
    const r = await rig({
      scripts: {
        fax0: async (t) => {
          await Promise.race([call(t, 3, said), new Promise((resolve) => setTimeout(resolve, 50))])
          return failing('line', 'fax-modem')
        },
        fax1: (t) => call(t, 99, said),
      },
    })
    const { message } = await r.send(request)
    const sent = await r.settled(message.id, 'sent')
    expect(sent.deliveries[0]).toMatchObject({ attempts: 2, line: 'fax1', possibleDuplicate: false })
    expect(said.slice(0, 4)).toEqual(['dial 0', 'end 0', 'confirm 0', 'dial 1'])
  })

  it('calls no number again at once, whatever other lines there are', async () => {
    let calls = 0
    const busy = async (t: Transmission): Promise<Outcome> => {
      calls += 1
      await t.intend(t.from)
      return failing('number', 'fax-busy')
    }
    const r = await rig({ scripts: { fax0: busy, fax1: busy } })
    const { message } = await r.send(request)
    await r.settled(message.id, 'queued')
    await expect.poll(async () => (await r.view(message.id)).deliveries[0]?.reason?.code).toBe('fax-busy')
    const [delivery] = (await r.view(message.id)).deliveries
    expect((delivery?.due ?? 0) - (delivery?.timeline.at(-1)?.at ?? 0)).toBeGreaterThan(59_000)
    expect(calls).toBe(1)
  })
})

it('a fax whose validity ends in the middle of its call is not broken off', async () => {
  const said: string[] = []
  const r = await rig({
    scripts: {
      fax0: async (t) => {
        await t.intend(0)
        expect(t.stop()).toBeUndefined()
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, t.delivery.expires - Date.now() + 50)))
        return call(t, 99, said)
      },
    },
  })
  const { message } = await r.send({ ...request, validity: 5_000 })
  const sent = await r.settled(message.id, 'sent')
  expect(sent.deliveries[0]).toMatchObject({ confirmed: PAGES })
})

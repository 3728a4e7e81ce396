/** Random histories against a model that a reader can check by eye, and against a replay of the own log. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery } from '#messages/message.ts'
import { applyEvent, type DeliveryEvent } from '#messages/states.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, because, intend, part, START, term } from './fixtures.ts'

type Step =
  | {
      do: 'accept'
      priority: 0 | 1 | 2 | 3
      dueIn: number
      recipients: number
      parts: number
      claim: boolean
      channel: 'sms' | 'fax'
    }
  | { do: 'claim'; limit: number; at: number }
  | { do: 'release'; which: number }
  | { do: 'record'; which: number; event: DeliveryEvent; at: number }
  | { do: 'receive'; number: number; reference: number; day: number }
  | { do: 'partials' }
  | { do: 'remember'; value: string }
  | { do: 'shift'; by: number }
  | { do: 'reopen' }

const at = fc.integer({ min: START, max: START + 50 })
const intended = (part: number) =>
  ({ event: 'intend', node: 'a', line: 'fax0', part, concatenation: 0 }) as const
/** Few, so that one delivery goes through several events. */
const which = fc.nat({ max: 4 })
const event: fc.Arbitrary<DeliveryEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ line: fc.constantFrom('gsm0', 'gsm1'), part: fc.nat({ max: 1 }) })
      .map((e) => intend(e.line, e.part)),
  },
  fc.nat({ max: 1 }).map((n) => ({ ...intended(n), postPage: true as const })),
  fc.nat({ max: 3 }).map((reference) => ({ event: 'confirm' as const, part: 0, reference })),
  fc.nat({ max: 3 }).map((reference) => accepted(reference, START + 20)),
  fc.nat({ max: 3 }).map((reference) => accepted(reference)),
  fc
    .record({ due: at, failure: fc.boolean() })
    .map((e) => ({ event: 'defer' as const, reason: because('x'), ...e })),
  at.map((due) => ({ event: 'resend' as const, reason: because('x'), due })),
  {
    weight: 3,
    arbitrary: at.map((due) => ({ event: 'retry' as const, reason: because('x'), due, expires: due + 10 })),
  },
  fc.nat({ max: 1 }).map((n) => ({ event: 'report' as const, part: n })),
  fc.nat({ max: 1 }).map((n) => ({ event: 'reportFailed' as const, part: n, reason: because('x') })),
  fc
    .constantFrom('hold' as const, 'fail' as const, 'expire' as const, 'cancel' as const)
    .map((name) => ({ event: name, reason: because('x') })),
  fc
    .constantFrom('reportTimeout' as const, 'acknowledge' as const)
    .map((name) => ({ event: name, reason: because('x') })),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      priority: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
      dueIn: fc.integer({ min: -5, max: 30 }),
      recipients: fc.integer({ min: 1, max: 3 }),
      parts: fc.integer({ min: 1, max: 2 }),
      claim: fc.boolean(),
      channel: fc.constantFrom('sms' as const, 'fax' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 4 }), at }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), which }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('record' as const), which, event, at }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      number: fc.integer({ min: 1, max: 3 }),
      reference: fc.nat({ max: 1 }),
      day: fc.nat({ max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'partials' as const }) },
  { weight: 1, arbitrary: fc.string().map((value) => ({ do: 'remember' as const, value })) },
  { weight: 1, arbitrary: fc.integer({ min: -3, max: 9 }).map((by) => ({ do: 'shift' as const, by })) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
)

class Model {
  deliveries: Delivery[] = []
  claimed = new Set<string>()

  queue(): Delivery[] {
    const order = new Map(this.deliveries.map(({ id }, n) => [id, n]))
    const place = ({ id }: Delivery) => order.get(id) ?? 0
    return this.deliveries
      .filter(({ id, state }) => state === 'queued' && !this.claimed.has(id))
      .sort((a, b) => a.priority - b.priority || a.due - b.due || place(a) - place(b))
  }

  claim(limit: number, now: number): { ids: string[]; nextDue: number | undefined } {
    const ids = this.queue()
      .filter(({ due }) => due <= now)
      .slice(0, limit)
      .map(({ id }) => id)
    for (const id of ids) this.claimed.add(id)
    const dues = this.queue().map(({ due }) => due)
    return { ids, nextDue: dues.length > 0 ? Math.min(...dues) : undefined }
  }

  record(id: string, event: DeliveryEvent, when: number): boolean {
    const n = this.deliveries.findIndex((delivery) => delivery.id === id)
    const before = this.deliveries[n]
    const after = before && applyEvent(before, event, when, 'a')
    if (!after) return false
    this.deliveries[n] = after
    if (after.state !== 'submitting' && event.event !== 'report') this.claimed.delete(id)
    return true
  }

  shift(by: number): void {
    this.deliveries = this.deliveries.map((delivery) => {
      const { state, due, expires, reportBy } = delivery
      if (state !== 'queued' && state !== 'submitting' && (state !== 'sent' || reportBy === undefined))
        return delivery
      const moved = { ...delivery, due: due + by, expires: expires + by }
      return reportBy === undefined ? moved : { ...moved, reportBy: reportBy + by }
    })
  }
}

/** All tables but those whose order follows from the engine's own housekeeping. */
function dump(path: string): Record<string, unknown> {
  const db = new DatabaseSync(path)
  const names = [
    'messages',
    'deliveries',
    'awaiting',
    'totals',
    'lines',
    'inbound',
    'inbound_waiting',
    'inbox',
    'facts',
  ]
  const rows = Object.fromEntries(
    names.map((name) => [name, db.prepare(`SELECT * FROM ${name} ORDER BY 1, 2`).all()]),
  )
  db.close()
  return rows
}

async function follow(steps: readonly Step[], directory: string): Promise<void> {
  const open = (): Promise<Store & OperationLog> => openStore({ directory, node: 'a', now: () => START })
  let store = await open()
  const model = new Model()
  for (const one of steps) {
    switch (one.do) {
      case 'accept': {
        const { priority, dueIn, parts, channel } = one
        const to = Array.from({ length: one.recipients }, (_, n) => `+49170123456${n}`)
        const made = acceptance({ priority, dueIn, parts, channel, to })
        await store.accept([made], one.claim ? { until: START, term } : undefined)
        model.deliveries.push(...made.deliveries)
        if (one.claim) for (const { id } of made.deliveries) model.claimed.add(id)
        break
      }
      case 'claim': {
        const { claims, nextDue } = await store.claim({ limit: one.limit, now: one.at, until: START, term })
        const ids = claims.map(({ delivery }) => delivery.id)
        expect({ ids, nextDue }).toEqual(model.claim(one.limit, one.at))
        break
      }
      case 'release': {
        const id = model.deliveries[one.which]?.id ?? 'nothing'
        await store.release([id])
        model.claimed.delete(id)
        break
      }
      case 'record': {
        const id = model.deliveries[one.which % (model.deliveries.length + 1)]?.id ?? 'nothing.0'
        const expected = model.record(id, one.event, one.at)
        expect(await store.record([{ delivery: id, event: one.event, at: one.at }])).toEqual([expected])
        break
      }
      case 'receive':
        await store.receive(
          part({
            number: one.number,
            total: 3,
            reference: one.reference,
            sentAt: START + one.day * 86_400_000,
          }),
        )
        break
      case 'partials':
        await store.completePartials(START + 1)
        break
      case 'remember':
        await store.remember('fact', one.value)
        break
      case 'shift':
        await store.shiftTimes(START, one.by)
        model.shift(one.by)
        break
      case 'reopen':
        await store.close()
        store = await open()
        model.claimed.clear()
        break
    }
  }
  const count = (state: string) => model.deliveries.filter((delivery) => delivery.state === state).length
  expect(await store.depth()).toMatchObject({
    queued: count('queued'),
    submitting: count('submitting'),
    unknown: count('unknown'),
  })
  for (const { id, message } of model.deliveries) {
    const stored = (await store.message(message))?.deliveries.find((delivery) => delivery.id === id)
    expect({ ...stored, latest: undefined }).toEqual({
      ...model.deliveries.find((delivery) => delivery.id === id),
      latest: undefined,
    })
  }
  const copy = await openStore({ directory: join(directory, 'copy'), node: 'b', now: () => START })
  for (let batch = await store.read(store.logged().incarnation, 0, 2_000); batch !== undefined; ) {
    if (batch === 'trimmed') throw new Error('a log this short was trimmed')
    await copy.merge(batch)
    batch = await store.read(batch.incarnation, batch.from + batch.count - 1, 2_000)
  }
  await store.close()
  await copy.close()
  expect(dump(join(directory, 'copy', 'twinline.db'))).toEqual(dump(join(directory, 'twinline.db')))
}

test('random histories go as the model says, and the log replays to the same tables', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
      const directory = await mkdtemp(join(tmpdir(), 'store-model-'))
      try {
        await follow(steps, directory)
      } finally {
        await rm(directory, { recursive: true })
      }
    }),
    { numRuns: 25, interruptAfterTimeLimit: 40_000 },
  )
})

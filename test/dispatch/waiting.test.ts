/** What a delivery waits for that is due and has not begun. */
import { describe, expect, test } from 'vitest'
import { waitsFor } from '#dispatch/waiting.ts'
import type { LineStatus } from '#lines/contract.ts'

const now = 1_000
const due = { state: 'queued', due: now } as const
const all = (): boolean => true
const line = (id: string, more: Partial<LineStatus> = {}): LineStatus => ({
  ...{ id, kind: 'gsm', channel: 'sms', state: 'ready', busy: false, port: 'sim://gsm', recoveries: 0 },
  ...more,
})
const of = (...lines: LineStatus[]): Map<string, LineStatus> => new Map(lines.map((one) => [one.id, one]))
const why = { code: 'not-registered', text: 'The SIM is not registered' }

describe('what a delivery waits for', () => {
  test('each line that may send it, in the order of the routes, when all are out of use', () => {
    const lines = of(
      line('gsm0', { muted: 9_000 }),
      line('gsm1', { state: 'disabled' }),
      line('gsm2', { state: 'recovering', reason: why }),
      line('gsm3', { state: 'starting' }),
    )
    const found = waitsFor(due, [['gsm2'], ['gsm0', 'gsm1'], ['gsm3']], lines, all, now)
    expect(found.map(({ line: id, reason, until }) => [id, reason.code, until])).toEqual([
      ['gsm2', 'not-registered', undefined],
      ['gsm0', 'muted', 9_000],
      ['gsm1', 'disabled', undefined],
      ['gsm3', 'not-ready', undefined],
    ])
  })

  test('a line whose budget is used up is out of use as well', () => {
    const found = waitsFor(due, [['gsm0']], of(line('gsm0')), () => false, now)
    expect(found).toMatchObject([{ line: 'gsm0', reason: { code: 'line-budget' } }])
  })

  test('nothing, where one line is busy with others, or it is not its time, or it is under way', () => {
    const muted = of(line('gsm0', { muted: 9_000 }), line('gsm1', { busy: true }))
    expect(waitsFor(due, [['gsm0', 'gsm1']], muted, all, now)).toEqual([])
    expect(waitsFor({ ...due, due: now + 1 }, [['gsm0']], muted, all, now)).toEqual([])
    expect(waitsFor({ ...due, state: 'submitting' }, [['gsm0']], muted, all, now)).toEqual([])
    expect(waitsFor(due, [], muted, all, now)).toEqual([])
  })
})

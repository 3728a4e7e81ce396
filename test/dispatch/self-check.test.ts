/** The self-check: patient with lines and disk, and honest once patience is over. */
import { expect, it } from 'vitest'
import { SelfCheck } from '#dispatch/self-check.ts'
import type { LineStatus } from '#lines/contract.ts'
import { ScriptedLine } from './scripted-line.ts'

function rig(lines: number) {
  const state = { now: 0, line: 'ready' as LineStatus['state'], disk: false }
  const all = Array.from({ length: lines }, (_, n) => {
    const line = new ScriptedLine(`gsm${n}`, async () => ({ result: 'accepted', progress: { confirmed: 1 } }))
    return { status: () => ({ ...line.status(), state: state.line }) }
  })
  const check = new SelfCheck(all, { monotonic: () => state.now }, () => state.disk)
  const after = (ms: number) => {
    state.now += ms
    return check.problem()?.code
  }
  return { state, check, after }
}

it('counts the lines that are ready', () => {
  const { check, state } = rig(2)
  expect(check.linesHealthy()).toBe(2)
  state.line = 'recovering'
  expect(check.linesHealthy()).toBe(0)
})

it('bears with lines for a minute', () => {
  const { state, after } = rig(1)
  state.line = 'recovering'
  expect([after(30_000), after(29_000), after(2_000)]).toEqual([undefined, undefined, 'no-line-ready'])
  state.line = 'ready'
  expect(after(1)).toBeUndefined()
  state.line = 'recovering'
  expect(after(59_000)).toBeUndefined()
})

it('an appliance without lines is not ill', () => {
  expect(rig(0).after(600_000)).toBeUndefined()
})

it('bears with a disk that pauses, not with one that refuses', () => {
  const { state, after } = rig(1)
  state.disk = true
  expect([after(2_000), after(2_900), after(200)]).toEqual([undefined, undefined, 'disk-refuses'])
  state.disk = false
  expect(after(1)).toBeUndefined()
})

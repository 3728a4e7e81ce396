/**
 * Never two holders: whatever members ask in whatever order, and however often the witness starts again, nobody gets a
 * grant while another may still rely on one.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTerms } from '../../../src/messages/order.ts'
import { createAllowance } from '../../../src/pair/witness/allowance.ts'
import {
  admit,
  decide,
  LONGEST_GRANT_MS,
  type Question,
  type Session,
  type Tenure,
} from '../../../src/pair/witness/decide.ts'

const start: Tenure = { lasted: 0 }
const question = (kind: Question['kind'], node: string, counter: number, grantWait = 1_700): Question => ({
  kind,
  node,
  term: { counter, node },
  grantWait,
})

/** Asks one question after another; a step is [when, question]. */
function ask(steps: readonly (readonly [number, Question])[], from: Tenure = start, startedAt = 0) {
  let tenure = from
  return steps.map(([now, each]) => {
    const decided = decide(tenure, each, now, startedAt)
    tenure = decided.tenure
    return decided.verdict
  })
}

describe('the decision', () => {
  it('refuses everybody for one grant time after its start', () => {
    expect(
      ask([
        [1_699, question('ask', 'a', 1)],
        [1_699, question('renew', 'a', 1)],
        [1_700, question('ask', 'a', 1)],
      ]),
    ).toEqual([
      { result: 'refused', reason: 'witness-starting', leftMs: 1 },
      { result: 'refused', reason: 'witness-starting', leftMs: 1 },
      { result: 'granted' },
    ])
  })

  it("refuses for the grant time of the holder before the restart, when that was longer than the asker's", () => {
    const [early, late] = ask(
      [
        [61_000, question('ask', 'b', 2)],
        [61_700, question('ask', 'b', 2)],
      ],
      { lasted: 61_700 },
    )
    expect([early?.result, late?.result]).toEqual(['refused', 'granted'])
  })

  it('names the holder and the time left, and grants when the holder has been silent for its grant time', () => {
    expect(
      ask([
        [10_000, question('ask', 'a', 1)],
        [11_000, question('renew', 'a', 1)],
        [12_699, question('ask', 'b', 2)],
        [12_700, question('ask', 'b', 2)],
        [12_701, question('renew', 'a', 1)],
      ]),
    ).toEqual([
      { result: 'granted' },
      { result: 'granted' },
      {
        result: 'refused',
        reason: 'witness-held',
        holder: 'a',
        highest: { counter: 1, node: 'a' },
        leftMs: 1,
      },
      { result: 'granted' },
      { result: 'refused', reason: 'witness-lower-term', holder: 'b', highest: { counter: 2, node: 'b' } },
    ])
  })

  it('grants at once what was released, but not to an old term', () => {
    expect(
      ask([
        [10_000, question('ask', 'a', 5)],
        [10_001, question('release', 'a', 4)],
        [10_002, question('ask', 'b', 6)],
        [10_003, question('release', 'a', 5)],
        [10_004, question('ask', 'b', 4)],
        [10_005, question('ask', 'b', 6)],
      ]).map(({ result }) => result),
    ).toEqual(['granted', 'granted', 'refused', 'granted', 'refused', 'granted'])
  })

  it("takes a member's word that the holder gave its term up, for that term and no later one", () => {
    const released = { counter: 5, node: 'a' }
    expect(
      ask([
        [10_000, question('ask', 'a', 5)],
        [10_001, { ...question('ask', 'b', 6), released: { counter: 4, node: 'a' } }],
        [10_002, { ...question('ask', 'b', 6), released }],
        [10_003, { ...question('ask', 'a', 7), released }],
      ]).map(({ result }) => result),
    ).toEqual(['granted', 'refused', 'granted', 'refused'])
  })

  it('refuses a grant time that would block everybody for too long', () => {
    expect(ask([[1e9, question('ask', 'a', 1, LONGEST_GRANT_MS + 1)]])).toEqual([
      { result: 'refused', reason: 'witness-grant-too-long' },
    ])
  })

  it('never has two holders, over restarts and any order of questions', () => {
    const nodes = ['a', 'b', 'c']
    const step = fc.record({
      pause: fc.integer({ min: 0, max: 2_500 }),
      // Seldom, so that grants happen between.
      restart: fc.nat({ max: 9 }).map((chance) => chance === 0),
      kind: fc.constantFrom('renew' as const, 'ask' as const, 'release' as const),
      node: fc.constantFrom(...nodes),
      counter: fc.integer({ min: 1, max: 6 }),
      grantWait: fc.constantFrom(300, 700, 1_700, 3_700),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
        let now = 0
        let startedAt = 0
        let tenure: Tenure = start
        let highest = { counter: 0, node: '' }
        // Until when each member may rely on what it was told.
        const until = new Map<string, number>()
        for (const { pause, restart, kind, node, counter, grantWait } of steps) {
          now += pause
          if (restart) {
            startedAt = now
            tenure = { lasted: tenure.lasted }
            highest = { counter: 0, node: '' }
          }
          const term = { counter, node }
          const decided = decide(tenure, { kind, node, term, grantWait }, now, startedAt)
          tenure = decided.tenure
          if (decided.verdict.result !== 'granted') continue
          if (kind === 'release') {
            if (tenure.grant?.node !== node) until.delete(node)
            continue
          }
          for (const [other, end] of until) {
            if (other !== node && end > now) return false
          }
          if (compareTerms(term, highest) < 0) return false
          highest = term
          until.set(node, now + grantWait)
        }
        return true
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a client that counts', () => {
  const first: Session = { number: 1, id: 'x', counter: 1 }

  it('is heard once for each number', () => {
    expect(admit(undefined, first)).toEqual({ result: 'new', session: first })
    expect(admit(first, first)).toEqual({ result: 'replayed' })
    expect(admit(first, { ...first, counter: 2 }).result).toBe('new')
  })

  it('must know of its life before, and cannot be its life before', () => {
    expect(admit(first, { number: 1, id: 'y', counter: 9 })).toEqual({ result: 'session', number: 1 })
    const second = { number: 2, id: 'y', counter: 1 }
    expect(admit(first, second).result).toBe('new')
    expect(admit(second, { ...first, counter: 100 })).toEqual({ result: 'session', number: 2 })
  })

  it('is refused with numbers of another life of the witness', () => {
    expect(admit(undefined, { number: 7, id: 'x', counter: 1 })).toEqual({ result: 'session', number: 0 })
  })
})

describe('an allowance', () => {
  it('lets a burst through, then the rate, and keeps a bounded number of senders', () => {
    const allowance = createAllowance(10, 2, 2)
    expect([0, 0, 0, 50, 100].map((now) => allowance.take('a', now))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ])
    expect(allowance.take('b', 100)).toBe(true)
    expect(allowance.take('c', 100)).toBe(true)
    // Its bucket went to c; it comes back as a new one.
    expect(allowance.take('a', 100)).toBe(true)
  })
})

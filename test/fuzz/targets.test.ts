/** A short run of each target with a fixed seed: `npm run fuzz` is the long one. */
import { expect, it } from 'vitest'
import { fuzzTargets } from './targets.ts'

it.each(fuzzTargets.map((target) => [target.name, target] as const))(
  '%s: nothing is found in two seconds',
  async (_name, target) => {
    const found: string[] = []
    const cases = await target.run({
      seed: 4,
      until: performance.now() + 2_000,
      found: (what) => found.push(what),
    })
    expect(found).toEqual([])
    expect(cases).toBeGreaterThan(5)
  },
  60_000,
)

/**
 * Thousands of schedules of loss, disorder, cuts, crashes, lying and full disks, trimmed logs and snapshots through the
 * real machine. A failing one prints its schedule. TWINLINE_RUNS=5000 runs more of them;
 * TWINLINE_AGAIN=SEED,PATH the one that fast-check named.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Simulation } from './simulation.ts'

/** Lines of the schedule that a failure shows: its end. */
const trail = 120
const [seed, path] = (process.env['TWINLINE_AGAIN'] ?? '').split(',')
const again = path === undefined ? undefined : { seed: Number(seed), path, endOnFailure: true }
const runs = Number(process.env['TWINLINE_RUNS'] ?? 3_000)

const names = ['a', 'b', 'c']
const kinds = [
  'accept',
  'cut',
  'oneWay',
  'heal',
  'crash',
  'start',
  'full',
  'room',
  'trim',
  'stall',
  'loss',
  'disorder',
  'switch',
  'lie',
] as const

interface Action {
  kind: (typeof kinds)[number]
  node: number
  amount: number
  wait: number
}

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('accept' as const) },
    { weight: 3, arbitrary: fc.constantFrom('trim' as const, 'heal' as const, 'start' as const) },
    { weight: 10, arbitrary: fc.constantFrom(...kinds) },
  ),
  node: fc.nat(2),
  amount: fc.nat(7),
  wait: fc.oneof(fc.nat(50), fc.nat(2_000), fc.nat(20_000)),
})

function play(
  simulation: Simulation,
  nodes: readonly string[],
  { kind, node: at, amount, wait }: Action,
): void {
  const node = nodes[at % nodes.length] ?? 'a'
  const other = nodes[(at + 1 + (amount % (nodes.length - 1))) % nodes.length] ?? 'b'
  switch (kind) {
    case 'accept':
      simulation.accept(node, amount + 1)
      break
    case 'cut':
      simulation.cut(node, other)
      simulation.cut(other, node)
      break
    case 'oneWay':
      simulation.cut(node, other)
      break
    case 'heal':
      simulation.heal()
      break
    case 'crash':
      simulation.crash(node)
      break
    case 'lie':
      simulation.crash(node, amount)
      break
    case 'start':
      simulation.start(node)
      break
    case 'full':
      simulation.fill(node, true)
      break
    case 'room':
      simulation.fill(node, false)
      break
    case 'trim':
      simulation.trim(node, amount)
      break
    case 'stall':
      simulation.stall(node, amount * 400)
      break
    case 'loss':
      simulation.loss = amount / 20
      break
    case 'disorder':
      simulation.disorder = amount > 3
      break
    case 'switch':
      simulation.switchPath(node, other)
      break
  }
  simulation.run(wait)
}

it('loses nothing, whatever happens', { timeout: 600_000 }, () => {
  let played = 0
  let replicated = 0
  let snapshots = 0
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 3 }),
      fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }),
      (seed, size, actions) => {
        const nodes = names.slice(0, size)
        const simulation = new Simulation(nodes, seed)
        try {
          for (const each of actions) play(simulation, nodes, each)
          const missing = simulation.settle()
          if (missing !== undefined) throw new Error(missing)
        } catch (error) {
          throw new Error(`${String(error)}\n${simulation.trace.slice(-trail).join('\n')}`)
        }
        played += 1
        replicated += simulation.replicated
        snapshots += simulation.snapshots
      },
    ),
    { numRuns: runs, interruptAfterTimeLimit: Math.min(runs * 40, 250_000), ...again },
  )
  if (again) return
  // The schedules reach what they are meant to test.
  expect(replicated).toBeGreaterThan(played)
  expect(snapshots).toBeGreaterThan(played / 100)
})

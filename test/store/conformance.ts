/** What every engine behind the Store contract must do. An engine's test file calls this with a way to open it. */
import { describe } from 'vitest'
import { queueConformance } from './conformance-queue.ts'
import { recordsConformance } from './conformance-records.ts'
import { type Engine, Held } from './held.ts'

export function conformance(name: string, open: () => Promise<Engine>): void {
  describe(`${name} keeps the store contract`, () => {
    const held = new Held(open)
    queueConformance(held)
    recordsConformance(held)
  })
}

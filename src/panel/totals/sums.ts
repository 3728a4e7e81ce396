/** Totals by line and hour, as the appliance tells them, put together for a chart: one sum per step, gaps as nothing. Pure. */
import type { TotalsView } from '../shell/shapes.ts'

export const measures = ['sent', 'delivered', 'failed', 'unknown', 'received'] as const
export type Measure = (typeof measures)[number]
export type Sums = Record<Measure, number>

export interface Step extends Sums {
  /** ms since 1970 */
  at: number
}

const none = (): Sums => ({ sent: 0, delivered: 0, failed: 0, unknown: 0, received: 0 })

function add(to: Sums, from: Sums): void {
  for (const name of measures) to[name] += from[name]
}

/** @param stepMs of an hour or a day; steps between the first and the last without any message are there with nothing */
export function bySteps(items: TotalsView['items'], stepMs: number): Step[] {
  const sums = new Map<number, Sums>()
  for (const item of items) {
    const at = Date.parse(item.hour)
    const sum = sums.get(at) ?? none()
    add(sum, item)
    sums.set(at, sum)
  }
  const times = [...sums.keys()].sort((a, b) => a - b)
  const steps: Step[] = []
  for (const at of times) {
    const last = steps.at(-1)
    // A day of 23 or 25 hours ends where the next one begins: half a step is the tolerance.
    for (let gap = (last?.at ?? at) + stepMs; last !== undefined && gap < at - stepMs / 2; gap += stepMs)
      steps.push({ at: gap, ...none() })
    steps.push({ at, ...(sums.get(at) ?? none()) })
  }
  return steps
}

export interface LineSums extends Sums {
  node: string
  line: string
}

export function byLine(items: TotalsView['items']): LineSums[] {
  const sums = new Map<string, LineSums>()
  for (const item of items) {
    const key = `${item.node}/${item.line}`
    const sum = sums.get(key) ?? { node: item.node, line: item.line, ...none() }
    add(sum, item)
    sums.set(key, sum)
  }
  return [...sums.values()].sort((a, b) => b.sent - a.sent || a.line.localeCompare(b.line))
}

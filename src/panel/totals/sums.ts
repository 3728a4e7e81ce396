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

/**
 * @param stepMs of an hour or a day
 * @param from,to ms since 1970; steps between them without any message are there with nothing
 */
export function bySteps(items: TotalsView['items'], stepMs: number, from: number, to: number): Step[] {
  const sums = new Map<number, Sums>()
  for (const item of items) {
    const at = Date.parse(item.hour)
    const sum = sums.get(at) ?? none()
    add(sum, item)
    sums.set(at, sum)
  }
  const times = [...sums.keys()].sort((a, b) => a - b)
  const first = times[0]
  if (first === undefined) return []
  // The steps of the appliance are the measure; those before its first one are counted back from it.
  const steps: Step[] = []
  for (let at = first - Math.floor((first - from) / stepMs) * stepMs; at < first; at += stepMs)
    steps.push({ at, ...none() })
  for (const [n, at] of times.entries()) {
    steps.push({ at, ...(sums.get(at) ?? none()) })
    // A day of 23 or 25 hours ends where the next one begins: half a step is the tolerance.
    const next = times[n + 1] ?? to + stepMs / 2
    for (let gap = at + stepMs; gap < next - stepMs / 2; gap += stepMs) steps.push({ at: gap, ...none() })
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

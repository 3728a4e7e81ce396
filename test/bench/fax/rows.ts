/** The figures of fax lines by name. Each takes its own modems and ends by itself. */
import type { Row } from '../measure.ts'
import { callTime, ecmTime, noise, pages } from './calls.ts'
import { deadTime } from './dead-time.ts'
import { killed, turnaround } from './lines.ts'

export interface FaxBench {
  /** How much faster than life where no seconds are compared. */
  speed: number
  /** Calls at a time. */
  parallel: number
  directory(name: string): string
  print(row: Omit<Row, 'subject'> & { subject?: string }): void
}

export const faxFigures: Record<string, (bench: FaxBench) => Promise<void>> = {
  pages,
  call: callTime,
  ecm: ecmTime,
  noise,
  killed,
  turnaround,
  'dead-time': deadTime,
}

/** Runs all, so many at a time. */
export async function inParallel<T>(
  count: number,
  most: number,
  run: (n: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const n = next++
      results[n] = await run(n)
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, count) }, worker))
  return results
}

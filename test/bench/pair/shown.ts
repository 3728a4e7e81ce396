/** How figures are written: the median with the least and the most. */
import { quantiles, round } from '../measure.ts'

export const medianOf = (samples: readonly number[]): number | undefined =>
  samples.length === 0 ? undefined : quantiles(samples).p50

export function shown(samples: readonly number[], unit: string): string {
  const median = medianOf(samples)
  if (median === undefined) return 'none'
  const word = (value: number) => String(round(Math.abs(value) < 0.05 ? 0 : value))
  const spread =
    samples.length === 1 ? '' : ` (${word(Math.min(...samples))} to ${word(Math.max(...samples))})`
  return `${word(median)}${unit === '' ? '' : ` ${unit}`}${spread}`
}

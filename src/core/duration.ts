/** Spans of time as people write them: `500ms`, `30s`, `30m`, `24h`, `7d`, `4w`. */
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

export const durationPattern = '^[0-9]+(ms|s|m|h|d|w)$'

/** @returns milliseconds, or undefined when the text is not a duration */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,12})(ms|s|m|h|d|w)$/.exec(text)
  const unit = match?.[2] as keyof typeof unitMs | undefined
  return unit === undefined ? undefined : Number(match?.[1]) * unitMs[unit]
}

/** The shortest exact spelling of a span in milliseconds. */
export function formatDuration(ms: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    if (ms >= unitMs[unit] && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`
  }
  return `${ms}ms`
}

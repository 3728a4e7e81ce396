/**
 * Lines of the failover log as the appliance writes them, `14:47:47.377 box-a text`, taken apart for the page, which
 * marks what matters at a glance. The words are those that members write (src/pair/role) and that operators of such
 * systems know; a line that is none of these is shown as it stands. Pure.
 */

export type Weight = 'fault' | 'switch' | 'good' | 'plain'

export interface FailoverLine {
  /** Local time of the appliance that keeps the log, with ms. */
  time: string
  node: string
  text: string
  weight: Weight
}

const weights: readonly [RegExp, Weight][] = [
  [/^SWITCH\b|would take over|\bdrill\b/, 'switch'],
  [/error|fail|lost|silent|gone|gave up|refus|cannot/i, 'fault'],
  [/\bLIVE\b|again|joined|recovered/i, 'good'],
]

export function readLine(line: string): FailoverLine {
  const [, time = '', node = '', text = line] = /^(\d\d:\d\d:\d\d\.\d{3}) (\S+) (.*)$/.exec(line) ?? []
  const weight = weights.find(([pattern]) => pattern.test(text))?.[1] ?? 'plain'
  return { time, node, text, weight }
}

/**
 * Those that hold every word that somebody looks for, without regard to case.
 * @param say a text as it is shown: its words count as well
 */
export function linesWith(
  lines: readonly string[],
  search: string,
  say: (text: string) => string = (text) => text,
): FailoverLine[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const all = lines.map(readLine)
  if (words.length === 0) return all
  return all.filter(({ text }, n) => {
    const whole = `${lines[n]} ${say(text)}`.toLowerCase()
    return words.every((word) => whole.includes(word))
  })
}

/**
 * The totals as a chart, whose code comes when there is something to draw and the page stands already: it is larger than
 * all that the page needs besides. What it shows stands in a table as well.
 */
import { useEffect, useRef } from 'preact/hooks'
import { theme } from '../shell/theme.ts'
import type { Drawn } from './plot.ts'

export function Chart({ steps, daily }: Drawn) {
  const frame = useRef<HTMLDivElement>(null)
  const how = theme.value
  useEffect(() => {
    let over = false
    let takeAway = (): void => undefined
    // Where it cannot be loaded, the table below has it all.
    import('./plot.ts').then(
      ({ draw }) => {
        if (!over && frame.current !== null) takeAway = draw(frame.current, { steps, daily })
      },
      () => undefined,
    )
    return () => {
      over = true
      takeAway()
    }
  }, [steps, daily, how])
  return <div class="chart" ref={frame} aria-hidden="true" />
}

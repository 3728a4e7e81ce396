/** Draws the totals by uPlot, in the colours of the page. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { date, number, time } from '../shell/words.ts'
import type { Step } from './sums.ts'
import { words } from './words.ts'

/** Without the legend; styles/pages.css keeps the place of both. */
const HEIGHT = 280

/** Told apart by the way they are drawn as well as by colour. */
const series = [
  { name: 'sent', colour: '--accent', dash: [] },
  { name: 'delivered', colour: '--ok', dash: [8, 4] },
  { name: 'failed', colour: '--bad', dash: [2, 3] },
  { name: 'received', colour: '--warn', dash: [12, 3, 2, 3] },
] as const

/** A colour of the page as the canvas understands it. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

export interface Drawn {
  steps: readonly Step[]
  daily: boolean
}

/** @returns takes it away again */
export function draw(element: HTMLElement, { steps, daily }: Drawn): () => void {
  const ink = colourOf(element, '--quiet')
  const grid = colourOf(element, '--edge')
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } }
  const tell = (at: number): string => (daily ? date(at * 1_000) : `${date(at * 1_000)}, ${time(at * 1_000)}`)
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      axes: [
        {
          ...axis,
          space: 90,
          values: (_plot, marks) =>
            marks.map((at) => (daily ? date(at * 1_000) : time(at * 1_000).slice(0, 5))),
        },
        { ...axis, size: 56, values: (_plot, marks) => marks.map((mark) => number(mark)) },
      ],
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.1)] } },
      series: [
        { label: words.t('time'), value: (_plot, at) => (at === null ? '–' : tell(at)) },
        ...series.map(({ name, colour, dash }) => ({
          label: words.t(name),
          stroke: colourOf(element, colour),
          width: 2,
          dash: [...dash],
          points: { show: steps.length < 40, size: 6 },
          value: (_plot: uPlot, value: number | null) => (value === null ? '–' : number(value)),
        })),
      ],
    },
    [steps.map(({ at }) => at / 1_000), ...series.map(({ name }) => steps.map((step) => step[name]))],
    element,
  )
  const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
  watch.observe(element)
  return () => {
    watch.disconnect()
    plot.destroy()
  }
}

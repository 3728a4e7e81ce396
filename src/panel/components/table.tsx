/**
 * Tables. Below 720 px a row becomes a block of its own with the column's title before each value.
 *
 *   <Table label="Tokens" columns={[{ title: 'Name', cell: (row) => row.name }, …]} rows={items} rowKey={(row) => row.id} />
 *   <LongTable label="Messages" columns={…} pages={usePages('/messages?state=queued', (row) => row.id)} rowKey={…} />
 *
 * LongTable draws only the rows in view of the window, whatever the length of the list; all rows are equally high
 * (styles/table.css), so text in them is cut off and stands whole on the page that the row leads to.
 */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Pages } from '../shell/pages.ts'
import { ProblemNotice, Skeleton } from './layout.tsx'
import { words } from './words.ts'

export interface Column<T> {
  title: string
  cell: (row: T) => ComponentChildren
  /**
   * `figures` right-aligned numbers · `lead` the name of the row · `name` other names and addresses · `tight` as narrow as
   * can be. Of a LongTable, whose columns have fixed widths: `wide` takes what is left · `state`, `name`, `place`, `time`
   * are as wide as those are.
   */
  kind?: 'figures' | 'lead' | 'tight' | 'wide' | 'state' | 'name' | 'place' | 'time'
  /** The title is for screen readers only, as of a column of buttons. */
  silent?: boolean
}

interface Shared<T> {
  label: string
  columns: readonly Column<T>[]
  rowKey: (row: T) => string
  empty?: ComponentChildren
}

function Head<T>({ columns }: { columns: readonly Column<T>[] }) {
  return (
    <thead {...as.rowgroup}>
      <tr {...as.row}>
        {columns.map(({ title, kind, silent }) => (
          <th key={title} {...as.columnheader} scope="col" class={`cell-${kind ?? 'plain'}`}>
            {silent ? <span class="unseen">{title}</span> : title}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Cells<T>({ columns, row }: { columns: readonly Column<T>[]; row: T }) {
  return (
    <>
      {columns.map(({ title, kind, cell, silent }) => (
        <td
          key={title}
          {...as.cell}
          class={`cell-${kind ?? 'plain'}`}
          data-title={silent ? undefined : title}
        >
          {cell(row)}
        </td>
      ))}
    </>
  )
}

export function Table<T>(props: Shared<T> & { rows: readonly T[] }) {
  if (props.rows.length === 0 && props.empty !== undefined) return <>{props.empty}</>
  return (
    <div class="table-frame">
      <table class="table" {...as.table} aria-label={props.label}>
        <Head columns={props.columns} />
        <tbody {...as.rowgroup}>
          {props.rows.map((row) => (
            <tr {...as.row} key={props.rowKey(row)}>
              <Cells columns={props.columns} row={row} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Said again, because a table whose rows are laid out as blocks is no table any more to some screen readers. */
const as = {
  table: { role: 'table' },
  rowgroup: { role: 'rowgroup' },
  row: { role: 'row' },
  columnheader: { role: 'columnheader' },
  cell: { role: 'cell' },
  gap: { 'aria-hidden': true },
} as const

const narrow = window.matchMedia('(max-width: 45rem)')
const rem = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
/** As styles/table.css has it. */
const rowHeight = (): number => Math.round((narrow.matches ? 6.5 : 3.5) * rem())
/** Rows drawn beyond the edges of the window. */
const MARGIN = 12

/** As many rows as a window can show: those beyond its edges come when these are on the screen. */
function firstView() {
  const height = rowHeight()
  return { from: 0, to: Math.ceil(window.innerHeight / height), height }
}

export function LongTable<T>(
  props: Shared<T> & {
    pages: Pages<T>
    /** How many rows there are in all, where that is known. */
    total?: number
    chosen?: (row: T) => boolean
  },
) {
  const { pages, columns } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const view = useMemo(() => signal(firstView()), [])
  const { from, to, height } = view.value
  const version = pages.version.value
  const size = pages.size()

  useEffect(() => {
    let frame = 0
    const measure = (): void => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top
      if (top === undefined) return
      const each = rowHeight()
      const first = Math.max(0, Math.floor(-top / each) - MARGIN)
      const last = Math.floor((window.innerHeight - top) / each) + MARGIN
      const before = view.peek()
      if (before.from !== first || before.to !== last || before.height !== each)
        view.value = { from: first, to: last, height: each }
    }
    const soon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(measure)
    }
    measure()
    window.addEventListener('scroll', soon, { passive: true })
    window.addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('scroll', soon)
      window.removeEventListener('resize', soon)
    }
  }, [size === 0])
  useEffect(() => {
    const end = Math.max(0, size - 1)
    pages.need(Math.min(from, end), Math.min(to, end))
  }, [from, to, version])

  if (pages.problem.value !== undefined && size === 0)
    return <ProblemNotice problem={pages.problem.value} again={() => pages.reset()} />
  if (size === 0 && !pages.complete()) return <Skeleton rows={8} />
  if (size === 0) return <>{props.empty}</>

  const first = Math.min(from, Math.max(0, size - 1))
  const last = Math.min(to, size - 1)
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n)
  return (
    <div class="table-frame">
      <table
        class="table table-long"
        {...as.table}
        aria-label={props.label}
        aria-rowcount={pages.complete() ? size + 1 : (props.total ?? -1)}
      >
        <Head columns={columns} />
        <tbody {...as.rowgroup} ref={body}>
          <tr {...as.gap} class="table-gap" style={{ height: `${first * height}px` }} />
          {shown.map((index) => {
            const row = pages.row(index)
            return row === undefined ? (
              <tr {...as.row} key={`wait-${index}`} class="table-wait" aria-rowindex={index + 2}>
                <td {...as.cell} colSpan={columns.length}>
                  {words.t('loading')}
                </td>
              </tr>
            ) : (
              <tr
                {...as.row}
                key={props.rowKey(row)}
                aria-rowindex={index + 2}
                class={props.chosen?.(row) ? 'chosen' : undefined}
              >
                <Cells columns={columns} row={row} />
              </tr>
            )
          })}
          <tr {...as.gap} class="table-gap" style={{ height: `${(size - 1 - last) * height}px` }} />
        </tbody>
      </table>
      {pages.complete() || pages.problem.value !== undefined ? null : (
        <p class="table-more quiet">{words.t('loading')}</p>
      )}
      {pages.problem.value === undefined ? null : (
        <ProblemNotice problem={pages.problem.value} again={() => void pages.refresh()} />
      )}
    </div>
  )
}

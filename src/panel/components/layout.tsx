/**
 * The frame of every page.
 *
 *   <Page title="Lines" intro="…" actions={<Button …/>}>      one h1; it gets the focus when a link led here
 *     <Card title="gsm0" aside={<Status …/>}> … </Card>
 *     <Facts rows={[['Operator', 'Example'], …]} />
 *     <EmptyState title="…">what to do</EmptyState>
 *     <Waiting of={remote} />                                 skeleton, or the problem with a button to ask again
 *   </Page>
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import type { Problem } from '../shell/api.ts'
import { problemText } from '../shell/problems.ts'
import type { Remote } from '../shell/remote.ts'
import { Button } from './button.tsx'
import { StatusShape } from './status.tsx'
import { words } from './words.ts'

type Children = ComponentChildren

/** A page has been shown since the browser loaded the panel. */
let opened = false

export function Page(props: {
  title: string
  intro?: Children
  actions?: Children
  /** A link above the title, to where this page belongs. */
  back?: { to: string; text: string }
  children: Children
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${props.title} · twinline`
  }, [props.title])
  useEffect(() => {
    // Screen readers and the keyboard begin at the new page, not at the link that led here; and where the browser has
    // just loaded everything, at the top, where the way past the menu is.
    if (opened) heading.current?.focus({ preventScroll: true })
    opened = true
    window.scrollTo(0, 0)
  }, [])
  return (
    <div class="page">
      <header class="page-head">
        <div>
          {props.back === undefined ? null : (
            <a class="page-back" href={props.back.to}>
              ‹ {props.back.text}
            </a>
          )}
          <h1 tabIndex={-1} ref={heading}>
            {props.title}
          </h1>
          {props.intro === undefined ? null : <p class="page-intro">{props.intro}</p>}
        </div>
        {props.actions === undefined ? null : <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </div>
  )
}

export function Card(props: {
  title?: Children
  aside?: Children
  /** Below a line at the end, for buttons. */
  foot?: Children
  class?: string
  children?: Children
}) {
  const id = useId()
  return (
    <section class={`card ${props.class ?? ''}`} aria-labelledby={props.title === undefined ? undefined : id}>
      {props.title === undefined ? null : (
        <header class="card-head">
          <h2 id={id}>{props.title}</h2>
          {props.aside}
        </header>
      )}
      {props.children}
      {props.foot === undefined ? null : <footer class="card-foot actions">{props.foot}</footer>}
    </section>
  )
}

/** Names and values in two columns; rows whose value is undefined are left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, Children | undefined])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) =>
        value === undefined || value === null || value === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

export function EmptyState({ title, children }: { title: string; children?: Children }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="quiet">{children}</div>}
    </div>
  )
}

/** A sentence that must be seen: what is wrong and what to do. */
export function Notice(props: { tone: 'info' | 'ok' | 'warn' | 'bad'; title?: string; children?: Children }) {
  const tone = props.tone === 'info' ? 'busy' : props.tone
  return (
    <div class={`notice notice-${props.tone}`} role={props.tone === 'bad' ? 'alert' : undefined}>
      <StatusShape tone={tone} />
      <div>
        {props.title === undefined ? null : <strong>{props.title}</strong>}
        {props.children === undefined ? null : <div>{props.children}</div>}
      </div>
    </div>
  )
}

export function ProblemNotice({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <Notice tone="bad" title={words.t('problemTitle')}>
      <p>{problemText(problem)}</p>
      {again === undefined ? null : (
        <p>
          <Button onClick={again}>{words.t('again')}</Button>
        </p>
      )}
    </Notice>
  )
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">{words.t('loading')}</span>
      {Array.from({ length: rows }, (_, n) => (
        <span key={n} />
      ))}
    </div>
  )
}

/** Stands where the data of a remote will be; nothing once it is there, unless asking again failed. */
export function Waiting({
  of,
  rows,
}: {
  of: Pick<Remote<unknown>, 'data' | 'problem' | 'reload'>
  rows?: number
}) {
  if (of.problem.value !== undefined) return <ProblemNotice problem={of.problem.value} again={of.reload} />
  if (of.data.value === undefined) return <Skeleton {...(rows === undefined ? {} : { rows })} />
  return null
}

/** @param value 0 to 1; undefined: under way, nobody knows for how long */
export function Progress({ label, value }: { label: string; value?: number }) {
  return (
    <label class="progress">
      <span>{label}</span>
      <progress max={1} {...(value === undefined ? {} : { value })} />
    </label>
  )
}

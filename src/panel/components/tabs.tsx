/** Links between the pages of one area, the one that is open marked: <Tabs label="Pair" items={[{ to: '/pair', text: 'Members' }, …]} /> */
import { place } from '../shell/router.ts'

export function Tabs(props: {
  label: string
  items: readonly { to: string; text: string; count?: number }[]
}) {
  const here = place.value.path.replace(/(.)\/$/, '$1')
  return (
    <nav class="area-tabs" aria-label={props.label}>
      {props.items.map(({ to, text, count }) => (
        <a key={to} href={to} aria-current={to === here ? 'page' : undefined}>
          {text}
          {count === undefined || count === 0 ? null : <span class="area-count figures">{count}</span>}
        </a>
      ))}
    </nav>
  )
}

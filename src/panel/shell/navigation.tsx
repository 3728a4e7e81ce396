/** The way to the pages: a rail beside the content, or on a narrow screen a bar at the bottom with a menu for the rest. */
import { useSignal } from '@preact/signals'
import { Dialog } from '../components/dialog.tsx'
import { Icon, type IconName } from '../components/icons.tsx'
import { words } from '../components/words.ts'
import { status } from './live.ts'
import { place } from './router.ts'
import { number } from './words.ts'

const daily = ['home', 'lines', 'queue', 'inbox', 'archive', 'totals'] as const
const appliance = ['pair', 'configuration', 'people', 'records'] as const
type Name = (typeof daily)[number] | (typeof appliance)[number]

/** At hand on a phone without the menu. */
const bar: readonly Name[] = ['home', 'lines', 'queue', 'pair']

const pathOf = (name: Name): string => (name === 'home' ? '/' : `/${name}`)
const isHere = (name: Name): boolean => {
  const { path } = place.value
  return name === 'home' ? path === '/' : path === pathOf(name) || path.startsWith(`${pathOf(name)}/`)
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect class="mark-one" x="3" y="3" width="7" height="18" rx="2" />
      <rect class="mark-two" x="14" y="3" width="7" height="18" rx="2" />
      <path class="mark-line" d="M10 9h4M10 15h4" />
    </svg>
  )
}

/** A figure that wants attention at the page's name: lines that do not work, deliveries that wait. */
function Count({ name }: { name: Name }) {
  const now = status.value
  if (now === undefined) return null
  if (name === 'queue' && now.depth.queued > 0)
    return <span class="nav-count">{number(now.depth.queued)}</span>
  const { ready, total } = now.answer.lines
  if (name === 'lines' && total > 0 && ready < total)
    return (
      <span class="nav-count nav-count-warn">
        {number(ready)}/{number(total)}
      </span>
    )
  return null
}

function Item({ name }: { name: Name }) {
  const icon: IconName = name
  return (
    <a class="nav-item" href={pathOf(name)} aria-current={isHere(name) ? 'page' : undefined}>
      <Icon name={icon} />
      <span>{words.t(name)}</span>
      <Count name={name} />
    </a>
  )
}

function Groups() {
  return (
    <>
      <p class="nav-title">{words.t('daily')}</p>
      {daily.map((name) => (
        <Item key={name} name={name} />
      ))}
      <p class="nav-title">{words.t('appliance')}</p>
      {appliance.map((name) => (
        <Item key={name} name={name} />
      ))}
    </>
  )
}

export function Navigation() {
  return (
    <nav class="rail" aria-label={words.t('navigation')}>
      <a class="brand" href="/">
        <Mark />
        <span>twinline</span>
      </a>
      <Groups />
    </nav>
  )
}

export function TabBar() {
  const open = useSignal(false)
  return (
    <>
      <nav class="tabs" aria-label={words.t('navigation')}>
        {bar.map((name) => (
          <Item key={name} name={name} />
        ))}
        <button
          type="button"
          class="nav-item"
          aria-haspopup="dialog"
          onClick={() => {
            open.value = true
          }}
        >
          <Icon name="menu" />
          <span>{words.t('menu')}</span>
        </button>
      </nav>
      {open.value ? (
        <Dialog
          title={words.t('navigation')}
          onClose={() => {
            open.value = false
          }}
        >
          <MenuLinks
            onChosen={() => {
              open.value = false
            }}
          />
        </Dialog>
      ) : null}
    </>
  )
}

function MenuLinks({ onChosen }: { onChosen: () => void }) {
  return (
    <div class="menu">
      {[...daily, ...appliance].map((name) => (
        <a
          key={name}
          class="nav-item"
          href={pathOf(name)}
          aria-current={isHere(name) ? 'page' : undefined}
          onClick={onChosen}
        >
          <Icon name={name} />
          <span>{words.t(name)}</span>
          <Count name={name} />
        </a>
      ))}
    </div>
  )
}

/** The panel's own icons, drawn on a grid of 20; always beside a word, so that they are hidden from screen readers. */

const paths = {
  home: 'M3 9.5 10 3l7 6.5V17h-5v-5H8v5H3z',
  lines: 'M4 17v-4M8 17V9M12 17V6M16 17V3',
  queue: 'M3 5h14M3 10h14M3 15h9',
  inbox: 'M3 11V4h14v7M3 11v5h14v-5h-4l-1.5 2h-3L7 11z',
  archive: 'M3 4h14v4H3zM4.5 8v9h11V8M8 11.5h4',
  totals: 'M3 3v14h14M6.5 13l3-4 2.5 2 4-5.5',
  pair: 'M3 4h6v5H3zM11 11h6v5h-6zM6 9v4.5h5M14 11V6.5H9',
  configuration: 'M3 6h8M15 6h2M3 14h2M9 14h8M11 4v4h4V4zM5 12v4h4v-4z',
  people:
    'M7 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2-5 5-5s5 2 5 5M13 9a2.5 2.5 0 1 0 0-5M14 12c2.500 0 4 2 4 5',
  records: 'M5 3h7l3 3v11H5zM12 3v3h3M7.500 10h5M7.500 13.500h5',
  menu: 'M3 5h14M3 10h14M3 15h14',
  close: 'M5 5l10 10M15 5 5 15',
  search: 'M8.500 14a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11zM13 13l4 4',
  plus: 'M10 4v12M4 10h12',
  back: 'M12 4l-6 6 6 6',
  restart: 'M15.500 7A6.500 6.500 0 1 0 16.500 11M16 3v4h-4',
  send: 'M3 10 17 4l-5 13-3-5.500z',
  mute: 'M4 8h3l4-3.500v11L7 12H4zM14 8l3.500 4M17.500 8 14 12',
  download: 'M10 3v9M6 8.500l4 4 4-4M4 16.500h12',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

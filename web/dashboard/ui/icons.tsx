/** Icons: strokes on a 20 by 20 grid, in the colour of the text. They decorate; names stand beside them. */
import type { JSX } from 'preact'

const paths = {
  pin: 'M7.5 3h5l-.6 5.2 2.6 2.6v1.4h-9v-1.4l2.6-2.6L7.5 3ZM10 12.2V17',
  add: 'M10 4v12M4 10h12',
  peers: 'M10 6.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM4.5 17a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM15.5 17a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM9 6l-3.6 7.2M11 6l3.6 7.2M6.5 15h7',
  activity: 'M2.5 10.5h3.2L8 4.5l4 11 2.3-5h3.2',
  settings: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  copy: 'M7 7V4.5A1.5 1.5 0 0 1 8.5 3h7A1.5 1.5 0 0 1 17 4.5v7a1.5 1.5 0 0 1-1.5 1.5H13M4.5 7h7A1.5 1.5 0 0 1 13 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7Z',
  check: 'M4 10.5l4 4 8-9',
  close: 'M5 5l10 10M15 5L5 15',
  back: 'M12 4l-6 6 6 6',
  next: 'M8 4l6 6-6 6',
  up: 'M5 12l5-5 5 5',
  down: 'M5 8l5 5 5-5',
  recover: 'M4 10a6 6 0 1 1 1.8 4.3M4 15.5V11h4.5',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10.5h6.6L14 6M8.5 9v5M11.5 9v5',
  download: 'M10 3v9.5M6 9l4 4 4-4M4 16.5h12',
  upload: 'M10 13.5V4M6 7.5l4-4 4 4M4 16.5h12',
  open: 'M8 4H4v12h12v-4M11 4h5v5M16 4l-7 7',
  file: 'M5.5 2.5h6l3.5 3.5v11.5h-9.5ZM11.5 2.5V6H15',
  folder: 'M2.5 5.5A1 1 0 0 1 3.5 4.5h4l1.5 2h7.5a1 1 0 0 1 1 1v7.5a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1Z',
  invite: 'M8.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM3 16.5c0-3 2.5-5 5.5-5s5.5 2 5.5 5M15.5 5v5M13 7.5h5',
  warning: 'M10 3.5l7.5 13h-15L10 3.5ZM10 8.5v4M10 14.5v.2',
  offline: 'M3 3l14 14M5.2 8.3A8 8 0 0 1 8 6.8M14.8 8.3a8 8 0 0 0-3.3-1.8M7.3 11.3A4.5 4.5 0 0 1 10 10.2M10 15v.2',
  tab: 'M2.5 5a1 1 0 0 1 1-1h13a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1ZM2.5 7.5h15M5 5.8h.1M7 5.8h.1',
  server: 'M3.5 3.5h13v5h-13ZM3.5 11.5h13v5h-13ZM6 6h.1M6 14h.1',
  lock: 'M4.5 9h11v8h-11ZM7 9V6.5a3 3 0 0 1 6 0V9',
  leave: 'M8 3.5H4v13h4M12 6.5l3.5 3.5-3.5 3.5M15.5 10H8'
} as const

export type IconName = keyof typeof paths

export function Icon ({ name, size = 16 }: { readonly name: IconName, readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** The mark of the project. */
import type { JSX } from 'preact'

export function Mark ({ size = 20 }: { readonly size?: number }): JSX.Element {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" aria-hidden="true">
      <path d="M10 2l6.9 4v8L10 18l-6.9-4V6Z" /><path d="M10 10l6.9-4M10 10L3.1 6M10 10v8" /><circle cx="10" cy="10" r="2.4" fill="currentColor" stroke="none" />
    </svg>
  )
}

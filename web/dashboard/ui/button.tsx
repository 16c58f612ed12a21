/** Buttons and links that look like them. */
import type { ComponentChildren, JSX } from 'preact'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'

export interface ButtonProps {
  readonly children?: ComponentChildren
  readonly icon?: IconName | undefined
  /** `primary` once per view; `danger` for what takes something away. @default 'plain' */
  readonly tone?: 'plain' | 'primary' | 'danger' | 'quiet' | undefined
  /** For buttons with only an icon. */
  readonly label?: string | undefined
  readonly onClick?: ((event: MouseEvent) => void) | undefined
  readonly type?: 'button' | 'submit' | undefined
  readonly disabled?: boolean | undefined
  /** Work is under way: pressing again does nothing. */
  readonly busy?: boolean | undefined
  readonly pressed?: boolean | undefined
  readonly autofocus?: boolean | undefined
  readonly class?: string | undefined
}

export function Button ({ children, icon, tone = 'plain', label, onClick, type = 'button', disabled = false, busy = false, pressed, autofocus = false, class: more = '' }: ButtonProps): JSX.Element {
  const act = (event: MouseEvent): void => { if (!busy) onClick?.(event) }
  return (
    <button type={type} class={`button ${tone} ${children === undefined ? 'bare' : ''} ${more}`} disabled={disabled} aria-disabled={busy || undefined} aria-busy={busy || undefined} aria-label={label} title={label} aria-pressed={pressed} autofocus={autofocus} onClick={act}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon !== undefined && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  )
}

export interface LinkButtonProps {
  readonly href: string
  readonly children?: ComponentChildren
  readonly icon?: IconName | undefined
  readonly tone?: 'plain' | 'primary' | 'quiet' | undefined
  readonly label?: string | undefined
  readonly download?: string | undefined
  readonly external?: boolean | undefined
}

export function LinkButton ({ href, children, icon, tone = 'plain', label, download, external = false }: LinkButtonProps): JSX.Element {
  return (
    <a class={`button ${tone} ${children === undefined ? 'bare' : ''}`} href={href} download={download} aria-label={label} title={label} {...external ? { target: '_blank', rel: 'noopener noreferrer' } : {}}>
      {icon !== undefined && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </a>
  )
}

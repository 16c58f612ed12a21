/** What a view shows when it has nothing to show: empty, loading, failed. */
import type { ComponentChildren, JSX } from 'preact'
import { errorText } from '../../../src/component.ts'
import { Button } from './button.tsx'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'

export interface EmptyProps {
  readonly icon?: IconName | undefined
  readonly title: string
  readonly children?: ComponentChildren
  readonly action?: ComponentChildren
}

export function Empty ({ icon = 'pin', title, children, action }: EmptyProps): JSX.Element {
  return (
    <div class="state">
      <span class="state-icon"><Icon name={icon} size={28} /></span>
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action !== undefined && <div class="state-action">{action}</div>}
    </div>
  )
}

export function Loading ({ text = 'Loading…' }: { readonly text?: string }): JSX.Element {
  return <div class="state loading" role="status"><span class="spinner" aria-hidden="true" /><p>{text}</p></div>
}

export interface ErrorStateProps {
  readonly title: string
  readonly error: unknown
  readonly onRetry?: (() => void) | undefined
}

export function ErrorState ({ title, error, onRetry }: ErrorStateProps): JSX.Element {
  return (
    <div class="state failed" role="alert">
      <span class="state-icon"><Icon name="warning" size={28} /></span>
      <h2>{title}</h2>
      <p class="state-detail">{errorText(error)}</p>
      {onRetry !== undefined && <div class="state-action"><Button icon="recover" onClick={onRetry}>Try again</Button></div>}
    </div>
  )
}

/** A note inside a view or form. */
export function Notice ({ tone = 'note', children }: { readonly tone?: 'note' | 'warning' | 'error', readonly children: ComponentChildren }): JSX.Element {
  return <div class={`notice ${tone}`} role={tone === 'error' ? 'alert' : undefined}>{tone !== 'note' && <Icon name="warning" />}<div>{children}</div></div>
}

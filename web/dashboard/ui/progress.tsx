/** Progress bars. */
import type { JSX } from 'preact'

export interface ProgressProps {
  readonly label: string
  /** What is done, 0 to 1; undefined where nobody knows the total. */
  readonly value?: number | undefined
  /** Text beside the bar. */
  readonly text?: string | undefined
}

export function Progress ({ label, value, text }: ProgressProps): JSX.Element {
  const known = value === undefined ? undefined : Math.min(1, Math.max(0, value))
  return (
    <div class="progress-line">
      <progress class="progress" aria-label={label} max={1} {...known === undefined ? {} : { value: known }} />
      {text !== undefined && <span class="progress-text num">{text}</span>}
    </div>
  )
}

/** Used and total, as a quiet bar. */
export function Meter ({ label, value, text }: { readonly label: string, readonly value: number, readonly text?: string | undefined }): JSX.Element {
  const share = Math.min(1, Math.max(0, value))
  return (
    <div class="progress-line">
      <span class={`meter ${share > 0.9 ? 'full' : ''}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}><span style={{ width: `${share * 100}%` }} /></span>
      {text !== undefined && <span class="progress-text num">{text}</span>}
    </div>
  )
}

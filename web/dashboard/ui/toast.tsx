/** Short notes at the edge of the page, with a way back where there is one. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { errorText } from '../../../src/component.ts'
import { Button } from './button.tsx'

export interface ToastOptions {
  readonly text: string
  /** Takes back what was done. */
  readonly undo?: (() => Promise<void>) | undefined
  /** @default 'note' */
  readonly tone?: 'note' | 'error' | undefined
}

interface Shown extends ToastOptions { readonly id: number }

let shown: readonly Shown[] = []
let nextId = 1
const listeners = new Set<() => void>()

function set (toasts: readonly Shown[]): void {
  shown = toasts
  for (const listener of listeners) listener()
}
const dismiss = (id: number): void => { set(shown.filter((toast) => toast.id !== id)) }

/** Shows a note; those that can be undone stay longer, errors until they are closed. */
export function toast (options: ToastOptions): void {
  const id = nextId++
  set([...shown.slice(-2), { ...options, id }])
  if (options.tone !== 'error') setTimeout(() => { dismiss(id) }, options.undo === undefined ? 5_000 : 15_000)
}

/** Shows why something failed. */
export const toastError = (what: string, error: unknown): void => { toast({ text: `${what}: ${errorText(error)}`, tone: 'error' }) }

/** Where notes appear; the shell has one. */
export function Toasts (): JSX.Element {
  const [toasts, setToasts] = useState(shown)
  useEffect(() => {
    const onChange = (): void => { setToasts(shown) }
    listeners.add(onChange)
    return () => { listeners.delete(onChange) }
  }, [])
  const takeBack = ({ id, undo }: Shown): void => {
    dismiss(id)
    undo?.().catch((error: unknown) => { toastError('Could not undo', error) })
  }
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((item) => (
        <div key={item.id} class={`toast ${item.tone ?? 'note'}`}>
          <span class="toast-text">{item.text}</span>
          {item.undo !== undefined && <Button tone="quiet" class="undo" onClick={() => { takeBack(item) }}>Undo</Button>}
          <Button tone="quiet" icon="close" label="Dismiss" onClick={() => { dismiss(item.id) }} />
        </div>
      ))}
    </div>
  )
}

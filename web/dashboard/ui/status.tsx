/** Statuses as a dot and a word: the colour never says it alone. */
import type { ComponentChildren, JSX } from 'preact'
import type { TrackerStatus } from '../../../src/pin/status.ts'

export type Tone = 'good' | 'busy' | 'bad' | 'idle'

const words: Readonly<Record<TrackerStatus, readonly [Tone, string]>> = {
  undefined: ['idle', 'unknown'], cluster_error: ['bad', 'no answer'], pin_error: ['bad', 'pin error'], unpin_error: ['bad', 'unpin error'],
  pinned: ['good', 'pinned'], pinning: ['busy', 'pinning'], unpinning: ['busy', 'unpinning'], unpinned: ['idle', 'unpinned'], remote: ['idle', 'elsewhere'],
  pin_queued: ['busy', 'queued'], unpin_queued: ['busy', 'unpin queued'], sharded: ['good', 'sharded'], unexpectedly_unpinned: ['bad', 'lost']
}

export const toneOf = (status: TrackerStatus): Tone => words[status][0]
export const wordOf = (status: TrackerStatus): string => words[status][1]

export function Badge ({ tone, children, title }: { readonly tone: Tone, readonly children: ComponentChildren, readonly title?: string | undefined }): JSX.Element {
  return <span class={`badge ${tone}`} title={title}><i class="dot" aria-hidden="true" />{children}</span>
}

export function StatusBadge ({ status, title }: { readonly status: TrackerStatus, readonly title?: string | undefined }): JSX.Element {
  return <Badge tone={toneOf(status)} title={title}>{wordOf(status)}</Badge>
}

/** A small label without state: a type, a role. */
export function Tag ({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <span class="tag">{children}</span>
}

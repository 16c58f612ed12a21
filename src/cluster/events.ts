/** Facts that a peer announces to who listens. */
import type { ClusterEvents } from './cluster.ts'

type Detail<K extends keyof ClusterEvents> = ClusterEvents[K] extends CustomEvent<infer D> ? D : never

/** Typed events over the platform's own. */
export class ClusterEmitter {
  readonly #target = new EventTarget()
  /** Listeners by type: an event that nobody waits for is not made, and a first sync makes very many. */
  readonly #listeners = new Map<string, Set<unknown>>()

  emit<K extends keyof ClusterEvents> (type: K, detail: Detail<K>): void {
    if ((this.#listeners.get(type)?.size ?? 0) > 0) this.#target.dispatchEvent(new CustomEvent(type, { detail }))
  }

  addEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void {
    this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener))
    this.#target.addEventListener(type, listener as (event: Event) => void)
  }

  removeEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void {
    this.#listeners.get(type)?.delete(listener)
    this.#target.removeEventListener(type, listener as (event: Event) => void)
  }
}

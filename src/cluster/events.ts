/** Facts that a peer announces to who listens. */
import type { ClusterEvents } from './cluster.ts'

type Detail<K extends keyof ClusterEvents> = ClusterEvents[K] extends CustomEvent<infer D> ? D : never

/** Typed events over the platform's own. */
export class ClusterEmitter {
  readonly #target = new EventTarget()

  emit<K extends keyof ClusterEvents> (type: K, detail: Detail<K>): void { this.#target.dispatchEvent(new CustomEvent(type, { detail })) }

  addEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void {
    this.#target.addEventListener(type, listener as (event: Event) => void)
  }

  removeEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void {
    this.#target.removeEventListener(type, listener as (event: Event) => void)
  }
}

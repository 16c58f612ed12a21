/** The life of a page: what tells that the network may be back, or that timers are slowed down. */
import type { Startable } from '../src/component.ts'

export interface LifeListener {
  /** The page is seen again, woken up, or online: look for members now. */
  readonly woken: () => void
  /** Hidden pages run timers once a minute at best. */
  readonly hidden: (isHidden: boolean) => void
}

/** A gap between ticks that only a stalled or frozen page has, in ms. */
const tick = 5_000
const stall = 15_000

export function watchLife (listener: LifeListener): Startable {
  const abort = new AbortController()
  const isHidden = (): boolean => typeof document !== 'undefined' && document.visibilityState === 'hidden'
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    start: async () => {
      const { signal } = abort
      let last = performance.now()
      timer = setInterval(() => {
        const now = performance.now()
        if (now - last > stall && !isHidden()) listener.woken()
        last = now
      }, tick)
      for (const type of ['online', 'pageshow'] as const) globalThis.addEventListener(type, () => { listener.woken() }, { signal })
      if (typeof document === 'undefined') return
      document.addEventListener('resume', () => { listener.woken() }, { signal })
      document.addEventListener('visibilitychange', () => {
        listener.hidden(isHidden())
        if (!isHidden()) listener.woken()
      }, { signal })
      listener.hidden(isHidden())
    },
    stop: async () => {
      abort.abort()
      clearInterval(timer)
    }
  }
}

/** Hooks that views share. */
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { EventType, Live, LiveState, Session } from '../session.ts'

/** The state of the stream, as it changes. */
export function useLiveState (live: Live): LiveState {
  const [state, setState] = useState(live.state)
  useEffect(() => {
    setState(live.state)
    return live.onState(() => { setState(live.state) })
  }, [live])
  return state
}

export type Loaded<T> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed', readonly error: unknown }
  | { readonly kind: 'loaded', readonly value: T }

/**
 * What a call answers; asked again after an interruption, after these events, and by the function that comes back.
 * Old values stay while new ones are on their way. `key` says which call it is.
 */
export function useLoaded<T> (session: Session, key: string, call: (signal: AbortSignal) => Promise<T>, again: readonly EventType[] = []): readonly [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<{ readonly key: string, readonly state: Loaded<T> }>({ key, state: { kind: 'loading' } })
  const [round, setRound] = useState(0)
  const reload = useCallback(() => { setRound((last) => last + 1) }, [])
  useEffect(() => {
    const abort = new AbortController()
    call(abort.signal).then(
      (value) => { if (!abort.signal.aborted) setLoaded({ key, state: { kind: 'loaded', value } }) },
      (error: unknown) => { if (!abort.signal.aborted) setLoaded((last) => last.key === key && last.state.kind === 'loaded' ? last : { key, state: { kind: 'failed', error } }) }
    )
    return () => { abort.abort() }
  }, [session, key, round])
  const types = again.join(',')
  useEffect(() => session.live.subscribe(['events:dropped', ...again], reload), [session, types])
  return [loaded.key === key ? loaded.state : { kind: 'loading' }, reload]
}

/** One pin as it lives: its options, what every peer says of it, and the progress here. */
import { useEffect, useState } from 'preact/hooks'
import type { PinInfoShort } from '../../../../src/pin/pin-info.ts'
import type { Pin } from '../../../../src/pin/pin.ts'
import type { PinProgress } from '../../../../src/tracker/tracker.ts'
import { useLoaded } from '../../ui/hooks.ts'
import type { Loaded } from '../../ui/hooks.ts'
import type { Session } from '../../session.ts'
import { toneOf } from '../../ui/status.tsx'

export type Statuses = ReadonlyMap<string, PinInfoShort>

export interface PinLife {
  readonly pin: Loaded<Pin>
  readonly isGone: boolean
  readonly statuses: Loaded<Statuses>
  /** Of the peer that is asked. */
  readonly progress: PinProgress | undefined
  readonly reload: () => void
}

/** What other peers do is not announced here: they are asked again while something is unsettled, ever more rarely. */
const againAfter = [700, 1_500, 3_000, 6_000, 12_000] as const

/** Somebody works on it, or has not heard of it yet: `unpinned` of a pin that is there. */
const isUnsettled = (statuses: Statuses): boolean => [...statuses.values()].some(({ status }) => toneOf(status) === 'busy' || status === 'unpinned')

export function usePinLife (session: Session, cid: string): PinLife {
  const { client, live } = session
  const [pin, reloadPin] = useLoaded(session, cid, async (signal) => await client.pinGet(cid, { signal }))
  const [statuses, reloadStatuses] = useLoaded(session, cid, async (signal): Promise<Statuses> => (await client.status(cid, { signal })).peerMap)
  const [isGone, setIsGone] = useState(false)
  const [progress, setProgress] = useState<PinProgress>()
  const [changed, setChanged] = useState<Statuses>(new Map())
  const [round, setRound] = useState(0)
  useEffect(() => live.subscribe(['pin:added', 'pin:removed', 'status:changed', 'pin:progressed'], (event) => {
    switch (event.type) {
      case 'pin:added':
        if (event.data.cid.toString() !== cid) return undefined
        setIsGone(false)
        setRound(0)
        reloadPin()
        return reloadStatuses()
      case 'pin:removed': return event.data === cid ? setIsGone(true) : undefined
      case 'pin:progressed': return event.data.cid.toString() === cid ? setProgress(event.data) : undefined
      case 'status:changed': {
        const { data } = event
        if (data.cid.toString() !== cid) return undefined
        setChanged((last) => new Map(last).set(data.peer.toString(), data))
        if (toneOf(data.status) !== 'busy') setProgress(undefined)
        return setRound(0)
      }
    }
  }), [session, cid])
  useEffect(() => { setChanged(new Map()) }, [statuses])
  const merged: Loaded<Statuses> = statuses.kind === 'loaded' ? { kind: 'loaded', value: new Map([...statuses.value, ...changed]) } : statuses
  const goesOn = merged.kind === 'loaded' && isUnsettled(merged.value)
  useEffect(() => {
    if (!goesOn) return undefined
    const timer = setTimeout(() => { setRound(round + 1); reloadStatuses() }, againAfter[Math.min(round, againAfter.length - 1)])
    return () => { clearTimeout(timer) }
  }, [goesOn, round, statuses])
  return { pin, isGone, statuses: merged, progress, reload: () => { reloadPin(); reloadStatuses() } }
}

/** The log of this visit: it fills while the page is open, whatever view is shown. */
import { useEffect, useState } from 'preact/hooks'
import { membersOf } from '../../members.ts'
import type { PinProgress } from '../../../../src/tracker/tracker.ts'
import type { Session } from '../../session.ts'
import { EventLog, lineOf } from './log.ts'
import type { LogLine } from './log.ts'

/** Transfers that made no progress for so long are over, in ms. */
const quiet = 30_000
const maxTransfers = 100

export interface Transfer extends PinProgress { readonly name: string, readonly time: number }

class Recorder {
  readonly log = new EventLog()
  readonly transfers = new Map<string, Transfer>()
  readonly #listeners = new Set<() => void>()
  #drawing = false

  constructor (session: Session) {
    const members = membersOf(session)
    session.live.subscribe(['pin:added', 'pin:removed', 'status:changed', 'peer:connected', 'peer:disconnected', 'alert:raised', 'events:dropped', 'pin:progressed'], (event) => {
      if (event.type === 'pin:progressed') this.#progressed(event.data)
      else if (event.type === 'status:changed' && event.data.status !== 'pinning') this.transfers.delete(event.data.cid.toString())
      const line = lineOf(event, (id) => members.nameOf(id))
      if (line !== undefined) this.log.add(line, Date.now())
      this.#changed()
    })
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  #progressed (progress: PinProgress): void {
    const cid = progress.cid.toString()
    this.transfers.delete(cid)
    this.transfers.set(cid, { ...progress, name: '', time: Date.now() })
    for (const [key, { time }] of this.transfers) if (this.transfers.size > maxTransfers || Date.now() - time > quiet) this.transfers.delete(key)
  }

  /** Once a frame at most, however many events come. */
  #changed (): void {
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      for (const listener of this.#listeners) listener()
    })
  }
}

const recorders = new WeakMap<Session, Recorder>()

/** Starts to record with the first call; the shell makes it. */
export function recorderOf (session: Session): Recorder {
  const recorder = recorders.get(session) ?? new Recorder(session)
  recorders.set(session, recorder)
  return recorder
}

export function useLog (session: Session, paused: boolean): { readonly lines: readonly LogLine[], readonly transfers: readonly Transfer[], readonly clear: () => void } {
  const recorder = recorderOf(session)
  const [, setRound] = useState(0)
  const [shown, setShown] = useState(recorder.log.lines)
  useEffect(() => {
    if (paused) return undefined
    setShown(recorder.log.lines)
    return recorder.onChange(() => {
      setShown(recorder.log.lines)
      setRound((round) => round + 1)
    })
  }, [recorder, paused])
  return {
    lines: shown, transfers: [...recorder.transfers.values()].toReversed(),
    clear: () => { recorder.log.clear(); setShown([]) }
  }
}

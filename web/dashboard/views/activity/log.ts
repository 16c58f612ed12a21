/** What happened lately, as lines that people read. */
import type { ApiEvent } from '../../../../src/api/events.ts'
import type { Tone } from '../../ui/status.tsx'
import { formatCount, shorten } from '../../ui/format.ts'
import { wordOf } from '../../ui/status.tsx'

export interface LogLine {
  readonly key: number
  /** Unix ms, of this browser. */
  readonly time: number
  readonly tone: Tone
  readonly text: string
  /** Of the pin it is about. */
  readonly cid?: string | undefined
}

/** Lines kept; the oldest go first. */
export const maxLines = 500

type Told = Pick<LogLine, 'tone' | 'text' | 'cid'>

const pinText = (cid: string, name: string): string => name === '' ? shorten(cid) : `“${name}”`

/** Undefined for what is shown elsewhere: progress. */
export function lineOf (event: ApiEvent, nameOf: (peer: string) => string): Told | undefined {
  const peer = (id: string): string => nameOf(id) === '' ? `peer ${shorten(id, 0, 8)}` : nameOf(id)
  switch (event.type) {
    case 'pin:added': {
      const cid = event.data.cid.toString()
      return { tone: 'idle', text: `${pinText(cid, event.data.name)} is in the pinset`, cid }
    }
    case 'pin:removed': return { tone: 'idle', text: `${shorten(event.data)} left the pinset` }
    case 'status:changed': {
      const { cid, name, status, error } = event.data
      const isBad = error !== '' || status === 'pin_error' || status === 'unpin_error'
      return { tone: isBad ? 'bad' : status === 'pinned' ? 'good' : 'busy', text: `${pinText(cid.toString(), name)}: ${wordOf(status)}${error === '' ? '' : `, ${error}`}`, cid: cid.toString() }
    }
    case 'peer:connected': return { tone: 'good', text: `${peer(event.data)} connected` }
    case 'peer:disconnected': return { tone: 'busy', text: `${peer(event.data)} disconnected` }
    case 'alert:raised': return { tone: 'bad', text: `${peer(event.data.peer.toString())} told no ${event.data.name} any more` }
    case 'events:dropped': return { tone: 'busy', text: `${formatCount(event.data)} events were too many to show` }
    default: return undefined
  }
}

/** Adding is cheap, as a sync brings many thousand; lines are made into a list only to be shown. */
export class EventLog {
  #kept: LogLine[] = []
  #next = 0

  /** Newest first. */
  get lines (): readonly LogLine[] { return this.#kept.slice(-maxLines).reverse() }

  add (told: Told, time: number): void {
    this.#kept.push({ ...told, key: this.#next++, time })
    if (this.#kept.length >= 2 * maxLines) this.#kept = this.#kept.slice(-maxLines)
  }

  clear (): void { this.#kept = [] }
}

/** A BroadcastChannel that carries tab messages only. */
import { decodeTabMessage } from './messages.ts'
import type { TabMessage } from './messages.ts'

/** The part of a BroadcastChannel that is used. */
export type ChannelLike = Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>

export interface TabChannel {
  readonly send: (message: TabMessage) => void
  readonly listen: (listener: (message: TabMessage) => void) => () => void
  readonly close: () => void
}

export function tabChannel (name: string, open: (name: string) => ChannelLike = (channel) => new BroadcastChannel(channel)): TabChannel {
  const channel = open(name)
  const listeners = new Set<(message: TabMessage) => void>()
  let closed = false
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = decodeTabMessage(data)
    if (message !== undefined) for (const listener of listeners) listener(message)
  }
  return {
    send: (message) => { if (!closed) channel.postMessage(message) },
    listen: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    close: () => {
      closed = true
      channel.close()
    }
  }
}

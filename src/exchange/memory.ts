/** Block exchange in memory, for tests: members read each other's blocks directly. */
import type { BlockExchange, FetchOptions, LocalBlocks } from './exchange.ts'
import type { Clock } from '../component.ts'
import type { Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { systemClock } from '../component.ts'

export interface MemoryExchangeOptions {
  readonly clock?: Clock | undefined
  /** Pause in ms before everybody is asked again. @default 10 */
  readonly retryInterval?: number | undefined
  /** Time in ms that one answer takes. @default 0 */
  readonly latency?: number | undefined
}

/** The place where members of one network meet to exchange blocks. */
export interface MemoryExchange {
  /** A member that serves `blocks`, and fetches from members its transport is connected with. */
  join: (transport: Pick<Transport, 'peerId' | 'connectedPeers'>, blocks: LocalBlocks) => BlockExchange
}

export function createMemoryExchange ({ clock = systemClock, retryInterval = 10, latency = 0 }: MemoryExchangeOptions = {}): MemoryExchange {
  const serving = new Map<string, LocalBlocks>()

  async function ask (peer: PeerId, cid: CID, options: FetchOptions): Promise<Uint8Array | undefined> {
    const blocks = serving.get(peer.toString())
    if (blocks === undefined) return undefined
    if (latency > 0) await clock.sleep(latency, options)
    return await blocks.get(cid, options)
  }

  return {
    join: (transport, blocks) => {
      const stopped = new AbortController()
      return {
        start: async () => { serving.set(transport.peerId.toString(), blocks) },
        stop: async () => {
          serving.delete(transport.peerId.toString())
          stopped.abort(new Error('exchange stopped'))
        },
        fetch: async (cid, options = {}) => {
          const signal = options.signal === undefined ? stopped.signal : AbortSignal.any([options.signal, stopped.signal])
          while (true) {
            signal.throwIfAborted()
            const connected = transport.connectedPeers()
            const preferred = (options.from ?? []).filter((peer) => connected.some((other) => other.equals(peer)))
            for (const peer of [...preferred, ...connected]) {
              const bytes = await ask(peer, cid, { signal })
              signal.throwIfAborted()
              if (bytes !== undefined) return bytes
            }
            await clock.sleep(retryInterval, { signal })
          }
        }
      }
    }
  }
}

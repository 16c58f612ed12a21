/** One CRDT member whose network the test plays. */
import type { FetchOptions } from '../../src/exchange/exchange.ts'
import type { CrdtConsensus, CrdtConsensusOptions } from '../../src/consensus/crdt/crdt-consensus.ts'
import type { DeltaBlock } from '../../src/crdt/block.ts'
import type { Store } from '../../src/store/store.ts'
import type { PubSubMessage } from '../../src/transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { onTestFinished } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { decodeBroadcast, encodeBroadcast } from '../../src/crdt/broadcast.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import type { Measures } from '../../src/observations/measures.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { ManualClock, testPeer } from '../contract/values.ts'

export interface LonePeer {
  readonly consensus: CrdtConsensus
  readonly clock: ManualClock
  readonly store: Store
  readonly measures: Measures
  /** Blocks that others have, by CID. */
  readonly network: Map<string, Uint8Array>
  /** CIDs asked for, in order. */
  readonly fetched: string[]
  /** Fetches going on, and the most there ever were. */
  readonly fetching: { now: number, most: number }
  /** Heads announced, message by message. */
  readonly sent: string[][]
  readonly told: string[]
  /** Lets others announce heads; false when the message is refused. */
  readonly hear: (heads: readonly CID[], from?: PeerId) => boolean
  readonly hearBytes: (bytes: Uint8Array, from?: PeerId) => boolean
  /** Somebody connects. */
  readonly meet: () => void
  readonly has: (...blocks: readonly DeltaBlock[]) => void
}

export interface LoneOptions extends CrdtConsensusOptions {
  readonly store?: Store
  readonly random?: () => number
  /** Runs inside `publish`, before it resolves. */
  readonly onPublish?: (heads: readonly CID[]) => Promise<void>
}

export async function openLonePeer ({ store = new MemoryStore(), random = () => 0.5, onPublish, ...options }: LoneOptions = {}): Promise<LonePeer> {
  const clock = new ManualClock()
  const measures = newMeasures()
  const network = new Map<string, Uint8Array>()
  const fetched: string[] = []
  const fetching = { now: 0, most: 0 }
  const sent: string[][] = []
  const told: string[] = []
  let onConnect: (() => void) | undefined
  let subscription: { readonly handler: (message: PubSubMessage) => void, readonly validate: ((message: PubSubMessage) => boolean) | undefined } | undefined
  const consensus = createCrdtConsensus({
    store,
    onConnect: (listener) => {
      onConnect = listener
      return () => { onConnect = undefined }
    },
    exchange: { start: async () => {}, stop: async () => {}, fetch: async (cid, fetchOptions) => await fetch(cid, fetchOptions) },
    pubsub: {
      publish: async (_topic, data) => {
        const heads = decodeBroadcast(data)
        await onPublish?.(heads)
        sent.push(heads.map(String))
      },
      subscribe: (_topic, handler, validate) => {
        subscription = { handler, validate }
        return () => { subscription = undefined }
      }
    },
    monitor: { latestValid: () => [] },
    peerId: testPeer(1),
    hooks: { pinned: ({ name }) => { told.push(`pinned ${name}`) }, unpinned: (cid) => { told.push(`unpinned ${cid}`) } },
    clock,
    measures,
    logger: silentLogger,
    random
  }, options)
  await consensus.start()
  onTestFinished(() => consensus.stop())

  async function fetch (cid: CID, { signal }: FetchOptions = {}): Promise<Uint8Array> {
    fetched.push(cid.toString())
    fetching.now++
    fetching.most = Math.max(fetching.most, fetching.now)
    try {
      await Promise.resolve()
      const bytes = network.get(cid.toString())
      if (bytes !== undefined) return bytes
      const { promise, reject } = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => { reject(signal.reason) }, { once: true })
      return await promise
    } finally {
      fetching.now--
    }
  }

  function hearBytes (data: Uint8Array, from: PeerId = testPeer(2)): boolean {
    const message = { from, topic: consensus.topic, data }
    if (subscription === undefined || subscription.validate?.(message) === false) return false
    subscription.handler(message)
    return true
  }

  return {
    consensus, clock, store, measures, network, fetched, fetching, sent, told, hearBytes,
    hear: (heads, from) => hearBytes(encodeBroadcast(heads), from),
    meet: () => { onConnect?.() },
    has: (...blocks) => { for (const { cid, bytes } of blocks) network.set(cid.toString(), bytes) }
  }
}

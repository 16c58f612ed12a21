/**
 * How long a fresh Node member takes for the pinset of another one, over TCP on loopback, both on LevelDB and in one process.
 * `batch`: pins in one delta.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { openLevelStore } from '../../node/store/level-store.ts'
import { nodeTransports } from '../../node/transport/node-transports.ts'
import { silentLogger, startAll, stopAll, systemClock } from '../../src/component.ts'
import type { Startable } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import type { CrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { encodePin } from '../../src/pin/pin-proto.ts'
import { pinWith } from '../../src/pin/pin.ts'
import type { Store } from '../../src/store/store.ts'
import { createLibp2pTransport } from '../../src/transport/libp2p.ts'
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import { CID } from 'multiformats/cid'
import { freshCid, median } from './load.ts'

interface Member { readonly store: Store, readonly transport: Libp2pTransport, readonly consensus: CrdtConsensus, readonly parts: readonly Startable[] }

const secret = 'ab'.repeat(32)

async function openMember (folder: string): Promise<Member> {
  const store = await openLevelStore(folder)
  const logger = silentLogger
  const listen = [multiaddr('/ip4/127.0.0.1/tcp/0')]
  const transport = await createLibp2pTransport({ privateKey: await generateKeyPair('Ed25519'), logger, ...nodeTransports({ listen, secret }) }, { listen, secret, agentVersion: 'bench' })
  const exchange = bitswapExchange({ transport, logger, blocks: { get: async (cid) => await consensus.blocks.get(cid) } })
  const consensus = createCrdtConsensus({
    store, exchange, pubsub: transport.pubsub, monitor: { latestValid: () => [] }, peerId: transport.peerId, clock: systemClock, logger,
    hooks: { pinned: () => {}, unpinned: () => {} }, onConnect: (listener) => transport.onConnect(listener), streams: transport
  })
  return { store, transport, consensus, parts: [transport, exchange, consensus] }
}

/** Writes pins into a store that no member has open, `batch` of them in each delta; everywhere, or one copy each at `holder`. */
export async function fillStore (folder: string, pins: number, batch: number, holder?: PeerId): Promise<void> {
  const where = holder === undefined ? { replicationFactorMin: -1, replicationFactorMax: -1 } : { replicationFactorMin: 1, replicationFactorMax: 1, allocations: [holder] }
  const store = await openLevelStore(folder)
  const replica = new Replica({ store, logger: silentLogger.forComponent('bench') })
  await replica.open()
  for (let done = 0; done < pins; done += batch) {
    const operations = Array.from({ length: Math.min(batch, pins - done) }, (_, index) => {
      const pin = pinWith(CID.parse(freshCid()), { name: `pin ${done + index}`, ...where })
      return { kind: 'put', key: cidKey(pin.cid), value: encodePin(pin), pin } as const
    })
    await replica.commit(() => operations)
  }
  await store.close()
}

export interface SyncFigures {
  /** From the connection of a fresh member until it has every pin. */
  readonly seconds: number
  /** Processor time of both members together. */
  readonly processor: number
}

async function syncOnce (source: Member, pins: number): Promise<SyncFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
  const member = await openMember(folder)
  try {
    await startAll(member.parts)
    const start = performance.now()
    const usage = process.cpuUsage()
    const [address] = source.transport.addresses()
    if (address === undefined) throw new Error('the source has no address')
    await member.transport.connect(address)
    while (member.consensus.log.pinset.count() < pins || member.consensus.progress().known !== member.consensus.progress().synced) await new Promise((resolve) => setTimeout(resolve, 20))
    const { user, system } = process.cpuUsage(usage)
    return { seconds: (performance.now() - start) / 1000, processor: (user + system) / 1e6 }
  } finally {
    await stopAll(member.parts)
    await member.store.close()
    await rm(folder, { recursive: true })
  }
}

/** Medians for a pinset of this size. */
export async function benchSync (pins: number, rounds: number, batch: number): Promise<SyncFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
  await fillStore(folder, pins, batch)
  const source = await openMember(folder)
  try {
    await startAll(source.parts)
    const runs: SyncFigures[] = []
    for (let round = 0; round < rounds; round++) runs.push(await syncOnce(source, pins))
    return { seconds: median(runs.map(({ seconds }) => seconds)), processor: median(runs.map(({ processor }) => processor)) }
  } finally {
    await stopAll(source.parts)
    await source.store.close()
    await rm(folder, { recursive: true })
  }
}

/** The figures of each size as lines to print. */
export async function syncLines (sizes: readonly number[], rounds: number, batch: number): Promise<readonly string[]> {
  const lines: string[] = []
  for (const pins of sizes) {
    const { seconds, processor } = await benchSync(pins, rounds, batch)
    lines.push(`${pins.toLocaleString('en')} pins, ${batch} a delta: synced in ${seconds.toFixed(2)} s (median of ${rounds}), ${Math.round(pins / seconds).toLocaleString('en')} pins/s; ${processor.toFixed(2)} s of processor for both members`)
  }
  return lines
}

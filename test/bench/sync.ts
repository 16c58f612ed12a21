/**
 * node test/bench/sync.ts [--pins 20000,100000] [--rounds 3] [--batch 1]
 * How long a fresh Node member takes for the pinset of another one, over TCP on loopback, both on LevelDB. `batch`: pins in one delta.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
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

/** Writes pins into a store that no member has open, `batch` of them in each delta. */
export async function fillStore (folder: string, pins: number, batch: number): Promise<void> {
  const store = await openLevelStore(folder)
  const replica = new Replica({ store, logger: silentLogger.forComponent('bench') })
  await replica.open()
  for (let done = 0; done < pins; done += batch) {
    const operations = Array.from({ length: Math.min(batch, pins - done) }, (_, index) => {
      const pin = pinWith(CID.parse(freshCid()), { name: `pin ${done + index}`, replicationFactorMin: -1, replicationFactorMax: -1 })
      return { kind: 'put', key: cidKey(pin.cid), value: encodePin(pin), pin } as const
    })
    await replica.commit(() => operations)
  }
  await store.close()
}

/** Seconds from the connection of a fresh member until it has every pin. */
async function syncOnce (source: Member, pins: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
  const member = await openMember(folder)
  try {
    await startAll(member.parts)
    const start = performance.now()
    const [address] = source.transport.addresses()
    if (address === undefined) throw new Error('the source has no address')
    await member.transport.connect(address)
    while (member.consensus.log.pinset.count() < pins || member.consensus.progress().known !== member.consensus.progress().synced) await new Promise((resolve) => setTimeout(resolve, 20))
    return (performance.now() - start) / 1000
  } finally {
    await stopAll(member.parts)
    await member.store.close()
    await rm(folder, { recursive: true })
  }
}

/** Medians in seconds for a pinset of this size. */
export async function benchSync (pins: number, rounds: number, batch: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
  await fillStore(folder, pins, batch)
  const source = await openMember(folder)
  try {
    await startAll(source.parts)
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) seconds.push(await syncOnce(source, pins))
    return median(seconds)
  } finally {
    await stopAll(source.parts)
    await source.store.close()
    await rm(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { pins: { type: 'string', default: '20000,100000' }, rounds: { type: 'string', default: '3' }, batch: { type: 'string', default: '1' } } })
  for (const pins of values.pins.split(',').map(Number)) {
    const seconds = await benchSync(pins, Number(values.rounds), Number(values.batch))
    console.log(`${pins.toLocaleString('en')} pins, ${values.batch} a delta: synced in ${seconds.toFixed(2)} s (median of ${values.rounds}), ${Math.round(pins / seconds).toLocaleString('en')} pins/s`)
  }
}

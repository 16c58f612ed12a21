/** The peer itself, in the tab that runs it: the core of every peer on this browser's storage and transports. */
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createApi } from '../src/api/api.ts'
import type { Api } from '../src/api/api.ts'
import { ipfsSources } from '../src/cluster/ipfs-sources.ts'
import { memberComponents } from '../src/cluster/member.ts'
import { createPeer } from '../src/cluster/peer.ts'
import type { Peer } from '../src/cluster/peer.ts'
import { errorText, startAll, stopAll } from '../src/component.ts'
import type { AbortOptions, ComponentLogger, Startable } from '../src/component.ts'
import { informers } from '../src/informer/index.ts'
import { contentAudit } from '../src/ipfs/audit.ts'
import { HeliaConnector } from '../src/ipfs/helia.ts'
import { Bootstrap } from '../src/transport/bootstrap.ts'
import { createLibp2pTransport } from '../src/transport/libp2p.ts'
import type { Libp2pTransport } from '../src/transport/libp2p.ts'
import { version } from '../src/version.ts'
import { kuboNetwork } from './ipfs/kubo-network.ts'
import { knownAddresses, keepAddresses } from './known-addresses.ts'
import { watchLife } from './life.ts'
import { databaseNames } from './profile.ts'
import type { Profile } from './profile.ts'
import { openIdbBlocks } from './store/idb-blocks.ts'
import { openIdbStore } from './store/idb-store.ts'
import { webListen, webTransports } from './transport/web-transports.ts'
import type { WebPeerOptions } from './web-peer.ts'

export interface RunningPeer {
  readonly peer: Peer
  readonly api: Api
  readonly transport: Libp2pTransport
  readonly stop: () => Promise<void>
}

export interface RunOptions extends Pick<WebPeerOptions, 'name' | 'storageMax' | 'keepEverywhere' | 'iceServers'> {
  readonly profile: Profile
  readonly logger: ComponentLogger
  /** Called once when what the peer stands on is gone. */
  readonly onLost: (error: Error) => void
}

/** A tab dials members that may be far, and others through them. */
const dialTimeout = 10_000
/** Connections with which a tab looks for no further members by itself. */
const enoughNeighbours = 8
/** Hidden pages run timers once a minute: two of those may be missed. In ms. */
const hiddenTtl = 180_000
/** How often a lonely tab looks for members, in ms. */
const lookInterval = 5_000

/** Opens the databases and starts the peer; a failing step undoes those before it. */
export async function runPeer (options: RunOptions, abort?: AbortOptions): Promise<RunningPeer> {
  const { profile: { privateKey, link, databases }, logger, storageMax, iceServers, onLost } = options
  const names = databaseNames(databases)
  const lost = { onClosed: onLost }
  const opened: Startable[] = []
  const keep = <T>(part: T, close: (part: T) => Promise<void>): T => {
    opened.push({ start: async () => {}, stop: async () => { await close(part) } })
    return part
  }
  const keepOpen = <T extends { close: () => Promise<void> }>(database: T): T => keep(database, async () => { await database.close() })
  try {
    const [state, pins, storage] = await Promise.all([
      openIdbStore(names.state, lost).then(keepOpen),
      openIdbStore(names.pins, lost).then(keepOpen),
      openIdbBlocks(names.blocks, { ...lost, storageMax, logger }).then(keepOpen)
    ])
    const self = peerIdFromPrivateKey(privateKey)
    const transport = await createLibp2pTransport({ privateKey, logger, ...webTransports({ iceServers }) }, {
      listen: webListen, secret: link.secret, agentVersion: `pinswarm/${version}`, dialTimeout, seek: enoughNeighbours, pubsub: { floodPublish: true }
    })
    let running: Peer | undefined
    /** The browser slows this page's timers down. */
    let slow = false
    const network = await kuboNetwork({ logger, sources: () => running === undefined ? [] : ipfsSources(running) })
    const connector = new HeliaConnector({ storage, store: pins, network, logger }, { collectWhenFull: true })
    const bootstrap = new Bootstrap({ transport, logger }, { peerAddresses: link.addresses, knownAddresses: await knownAddresses(state), lowWater: enoughNeighbours, dialTimeout, interval: lookInterval, priorityInterval: 60_000 })
    const peer = createPeer(memberComponents({
      transport, store: state, connector, bootstrap, logger,
      contentStore: { kind: 'tab', persisted: async () => await navigator.storage.persisted() },
      informers: [...link.allowLightPeers ? [informers.disk()] : [], informers.pinqueue()]
    }, { crdt: { clusterName: link.clusterName, trustedPeers: link.trustedPeers } }), {
      peername: options.name ?? `tab-${self.toString().slice(-6)}`,
      followerMode: link.role === 'reader',
      lightPeer: { keepEverywhere: options.keepEverywhere ?? true },
      allowLightPeers: link.allowLightPeers,
      connectSwarmsDelay: 0,
      leastMetricTtl: () => slow ? hiddenTtl : 0
    })
    running = peer
    const audit = contentAudit({
      storage, store: pins, logger,
      onLost: async (cid) => await peer.recover(cid, { local: true }),
      isWanted: async (cid) => peer.pinCount() === 0 || await peer.consensus.log.pinset.has(cid)
    })
    const life = watchLife({
      woken: () => {
        transport.forgetPauses()
        bootstrap.lookNow()
      },
      hidden: (isHidden) => {
        if (slow === isHidden) return
        slow = isHidden
        // Before the timers are slowed down: members are to know how long to wait for the next word.
        peer.announce().catch((error: unknown) => { logger.forComponent('tab').debug('could not announce itself: %s', errorText(error)) })
      }
    })
    const parts = [peer, keepAddresses(state, transport), life, audit]
    await startAll(parts, abort)
    for (const part of parts) keep(part, async () => { await part.stop() })
    const api = createApi(peer, { invitation: () => link })
    keep(api, async () => { api.close() })
    return { peer, transport, api, stop: async () => { await stopAll(opened) } }
  } catch (error) {
    await stopAll(opened).catch(() => {})
    throw error
  }
}

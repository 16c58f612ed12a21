/** The node that speaks bitswap with the kubo of members: outside the private network, listening nowhere. Loaded when it is first needed. */
import type { ComponentLogger } from '../../src/component.ts'
import type { BitswapComponents } from '../../src/exchange/bitswap.ts'
import type { ContentLink } from '../../src/ipfs/source-network.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { Libp2pByteStream } from '../../src/transport/libp2p-stream.ts'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'

export interface KuboLinkComponents {
  readonly key: PrivateKey
  readonly logger: ComponentLogger
  readonly webRtc: boolean
}

const maxConnections = 100

export async function openKuboLink ({ key, logger, webRtc }: KuboLinkComponents): Promise<ContentLink> {
  const node = await createLibp2p({
    privateKey: key,
    addresses: { listen: [] },
    transports: [webSockets(), ...webRtc ? [webRTCDirect({ rtcConfiguration: { iceServers: [] } })] : []],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // Browsers' default refuses members in the local network.
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { maxConnections },
    services: { identify: identify(), ping: ping() }
  })
  const exchange = bitswapExchange({ transport: streamsOf(node), logger, blocks: { get: async () => undefined } })
  try {
    await exchange.start()
  } catch (error) {
    await node.stop()
    throw error
  }
  return {
    addresses: () => [],
    peers: () => node.getPeers(),
    dial: async (addresses, options) => { await node.dial([...addresses], options) },
    get: async (cid, options) => await exchange.fetch(cid, options),
    stop: async () => { try { await exchange.stop() } finally { await node.stop() } }
  }
}

const uncounted = { in: (): void => {}, out: (): void => {} }

/** What the exchange needs of a transport. */
function streamsOf (node: Libp2p): BitswapComponents['transport'] {
  const listen = (event: 'peer:connect' | 'peer:disconnect', listener: (peer: PeerId) => void): (() => void) => {
    const onEvent = ({ detail }: CustomEvent<PeerId>): void => { listener(detail) }
    node.addEventListener(event, onEvent)
    return () => { node.removeEventListener(event, onEvent) }
  }
  return {
    connectedPeers: () => node.getPeers(),
    onConnect: (listener) => listen('peer:connect', listener),
    onDisconnect: (listener) => listen('peer:disconnect', listener),
    openStream: async (peer, protocol, options) => {
      const [connection] = node.getConnections(peer)
      if (connection === undefined) throw new Error(`${peer.toString()} is not connected`)
      return new Libp2pByteStream(await connection.newStream(protocol, options?.signal === undefined ? {} : { signal: options.signal }), peer, uncounted)
    },
    handle: async (protocol, handler, { maxInboundStreams = 1024 } = {}) => {
      await node.handle(protocol, (stream, { remotePeer }) => { handler(new Libp2pByteStream(stream, remotePeer, uncounted)) }, { maxInboundStreams })
    },
    unhandle: async (protocol) => { await node.unhandle(protocol) },
    // Kubos are no members: the stream that broke a rule has ended, and that is all.
    penalize: () => {}
  }
}

/** The node that speaks bitswap with the kubo of members: outside the private network, listening nowhere. Loaded when it is first needed. */
import type { ComponentLogger } from '../../src/component.ts'
import type { ContentLink } from '../../src/ipfs/source-network.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { createLibp2pTransport } from '../../src/transport/libp2p.ts'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import type { PrivateKey } from '@libp2p/interface'

export interface KuboLinkComponents {
  readonly key: PrivateKey
  readonly logger: ComponentLogger
  readonly webRtc: boolean
}

export async function openKuboLink ({ key, logger, webRtc }: KuboLinkComponents): Promise<ContentLink> {
  const transport = await createLibp2pTransport({
    privateKey: key, logger,
    transports: [webSockets(), ...webRtc ? [webRTCDirect()] : []]
  }, { secret: '', listen: [], dialTimeout: 10_000, highWater: 100, lowWater: 50 })
  const exchange = bitswapExchange({ transport, logger, blocks: { get: async () => undefined } })
  await transport.start()
  try {
    await exchange.start()
  } catch (error) {
    await transport.stop()
    throw error
  }
  return {
    addresses: () => [],
    peers: () => transport.connectedPeers(),
    dial: async (addresses, options) => { await Promise.any(addresses.map((address) => transport.connect(address, options))) },
    get: async (cid, options) => await exchange.fetch(cid, options),
    stop: async () => { try { await exchange.stop() } finally { await transport.stop() } }
  }
}

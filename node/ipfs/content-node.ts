/**
 * The second, unprotected libp2p node that carries only content (design.md). `private`: it listens nowhere and dials the kubo
 * of members, and only once something is missing. `public`: Helia's usual place in the public IPFS network.
 */
import { HeliaBlockstore } from './helia-blockstore.ts'
import { SourceNetwork } from '../../src/ipfs/source-network.ts'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { ComponentLogger } from '../../src/component.ts'
import type { ContentNetwork } from '../../src/ipfs/helia.ts'
import type { ContentLink } from '../../src/ipfs/source-network.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface ContentNodeComponents {
  readonly key: PrivateKey
  readonly storage: BlockStorage
  readonly logger: ComponentLogger
}

export interface ContentNodeOptions {
  readonly network: 'private' | 'public'
  /** Where members say that their IPFS listens; each ends in /p2p/<id>. @default nowhere */
  readonly sources?: (() => readonly Multiaddr[]) | undefined
}

/** Addresses that this node's transports can dial. */
const isDialable = (address: Multiaddr): boolean => {
  const names = address.getComponents().map(({ name }) => name)
  return names.includes('tcp') && !names.includes('p2p-circuit') && !names.includes('tls')
}

/** Starts with the first need. */
export function contentNode (components: ContentNodeComponents, { network, sources }: ContentNodeOptions): ContentNetwork {
  const { key, logger } = components
  return new SourceNetwork({ id: peerIdFromPrivateKey(key), logger, isDialable, open: () => open(components, network) }, { open: network === 'public', sources })
}

async function open ({ key, storage, logger }: ContentNodeComponents, network: ContentNodeOptions['network']): Promise<ContentLink> {
  const { publicHelia, privateHelia } = await import('./helia-nodes.ts')
  const blockstore = new HeliaBlockstore(storage)
  const node = await (network === 'public' ? publicHelia(key, blockstore) : privateHelia(key, blockstore)).start()
  logger.forComponent('ipfs-network').info('content node %s has started (%s network)', node.libp2p.peerId, network)
  return {
    addresses: () => node.libp2p.getMultiaddrs(),
    peers: () => node.libp2p.getPeers(),
    dial: async (addresses, options) => { await node.libp2p.dial([...addresses], options) },
    get: async (cid, options) => {
      for await (const bytes of node.blockstore.get(cid, options)) return bytes
      throw new Error(`no bytes for ${cid}`)
    },
    stop: async () => { await node.stop() }
  }
}

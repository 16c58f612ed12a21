/** The two Helia nodes that content travels through. Loaded when the first is needed: helia and libp2p take a second to import. */
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createHelia, createHeliaLight } from 'helia'
import { sha512 } from 'multiformats/hashes/sha2'
import type { HeliaWithLibp2p } from '@helia/libp2p'
import type { PrivateKey } from '@libp2p/interface'
import type { Blockstore } from 'interface-blockstore'

type Node = HeliaWithLibp2p<Record<string, unknown>>

/** Listens nowhere, looks for nobody: it knows only whom it is told to dial. */
export const privateHelia = (privateKey: PrivateKey, blockstore: Blockstore): Node => withBitswap(withLibp2pLight(createHeliaLight({ blockstore, hashers: [sha512] }), {
  privateKey,
  addresses: { listen: [] },
  transports: [tcp(), webSockets()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { maxConnections: 100 },
  services: { identify: identify(), ping: ping() }
}))

/** Helia as its authors ship it: DHT, delegated routing, bootstrappers, trustless gateways. */
export const publicHelia = (privateKey: PrivateKey, blockstore: Blockstore): Node => createHelia({ blockstore, libp2p: { config: 'merge', privateKey } }) as unknown as Node

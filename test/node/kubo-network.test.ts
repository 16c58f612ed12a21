/** The tab's way to the kubo of members, against peers of an open network on loopback; with a real kubo where there is an `ipfs` in PATH. */
import { silentLogger } from '../../src/component.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { MemoryBlockStorage } from '../../src/ipfs/block-storage.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import { KuboConnector } from '../../src/ipfs/kubo.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { createLibp2pTransport } from '../../src/transport/libp2p.ts'
import { isBrowserDialable, kuboNetwork } from '../../web/ipfs/kubo-network.ts'
import { nodeKuboPost } from '../../node/ipfs/kubo-post.ts'
import { putAll, sampleDag } from '../contract/ipfs-connector.ts'
import { hasKubo, startKubo } from './kubo-daemon.ts'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished } from 'vitest'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { Multiaddr } from '@multiformats/multiaddr'

const peer = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

/** Serves blocks as a kubo with a `/ws` listener does. */
async function openServer (blocks: readonly Block[]): Promise<Multiaddr> {
  const transport = await createLibp2pTransport({ privateKey: await generateKeyPair('Ed25519'), transports: [webSockets()], logger: silentLogger }, { secret: '', listen: [multiaddr('/ip4/127.0.0.1/tcp/0/ws')] })
  const exchange = bitswapExchange({ transport, logger: silentLogger, blocks: { get: async (cid) => blocks.find((block) => block.cid.equals(cid))?.bytes } })
  await transport.start()
  await exchange.start()
  onTestFinished(async () => { await exchange.stop(); await transport.stop() })
  const [address] = transport.addresses()
  if (address === undefined) throw new Error('no address')
  return address
}

async function tab (sources: () => readonly Multiaddr[]): Promise<HeliaConnector> {
  const network = await kuboNetwork({ sources, logger: silentLogger, secure: false, webRtc: false })
  const connector = new HeliaConnector({ storage: new MemoryBlockStorage(), store: new MemoryStore(), network, logger: silentLogger }, { pinTimeout: 20_000 })
  onTestFinished(() => connector.stop())
  return connector
}

it('pins what the kubo of a member has', async () => {
  const { root, blocks } = await sampleDag('in a kubo')
  const address = await openServer(blocks)
  const connector = await tab(() => [multiaddr(`/ip4/127.0.0.1/tcp/1/p2p/${peer}`), address])
  await connector.pin(pinWith(root.cid))
  for (const { cid, bytes } of blocks) expect(await connector.blockGetLocal(cid)).toEqual(bytes)
  expect((await connector.swarmPeers()).length).toBe(1)
})

it('waits for a member that announces its kubo later, and takes the origins of a pin', async () => {
  const [one, other] = [await sampleDag('announced later'), await sampleDag('of an origin')]
  const known: Multiaddr[] = []
  const connector = await tab(() => known)
  const pinning = connector.pin(pinWith(one.root.cid))
  known.push(await openServer(one.blocks))
  await pinning
  await connector.pin(pinWith(other.root.cid, { origins: [await openServer(other.blocks)] }))
})

it('does nothing where no address can be dialled', async () => {
  const { root } = await sampleDag('nowhere')
  const connector = await tab(() => [multiaddr(`/ip4/127.0.0.1/tcp/4001/p2p/${peer}`)])
  await expect(connector.pin(pinWith(root.cid), { signal: AbortSignal.timeout(300) })).rejects.toThrow(/timeout/)
  expect(await connector.swarmPeers()).toEqual([])
})

it('dials what a browser can', () => {
  const dialable = (text: string, { secure = true, webRtc = true } = {}): boolean => isBrowserDialable(multiaddr(`${text}/p2p/${peer}`), { secure, webRtc })
  const hash = 'uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g'
  expect(dialable('/dns4/kubo.example/tcp/443/wss')).toBe(true)
  expect(dialable('/ip4/1.2.3.4/tcp/443/tls/sni/a.libp2p.direct/ws')).toBe(true)
  expect(dialable('/ip4/1.2.3.4/tcp/4001/ws')).toBe(false)
  expect(dialable('/ip4/1.2.3.4/tcp/4001/ws', { secure: false })).toBe(true)
  expect(dialable('/ip4/127.0.0.1/tcp/4001/ws')).toBe(true)
  expect(dialable(`/ip4/1.2.3.4/udp/4001/webrtc-direct/certhash/${hash}`)).toBe(true)
  expect(dialable(`/ip4/1.2.3.4/udp/4001/webrtc-direct/certhash/${hash}`, { webRtc: false })).toBe(false)
  expect(dialable('/ip4/1.2.3.4/udp/4001/webrtc-direct')).toBe(false)
  expect(dialable('/ip4/1.2.3.4/tcp/4001')).toBe(false)
  expect(dialable('/ip4/1.2.3.4/udp/4001/quic-v1')).toBe(false)
  expect(dialable(`/dns4/relay.example/tcp/443/wss/p2p/${peer}/p2p-circuit`)).toBe(false)
})

it.runIf(hasKubo)('pins from a real kubo over WebSocket', async () => {
  const daemon = await startKubo()
  const { post, close } = nodeKuboPost()
  const kubo = new KuboConnector(daemon.api, { logger: silentLogger }, { post })
  onTestFinished(async () => { await kubo.stop(); close(); await daemon.stop() })
  const { root, blocks } = await sampleDag('in a real kubo')
  await putAll(kubo, blocks)
  const { addresses } = await kubo.id()
  const connector = await tab(() => addresses)
  await connector.pin(pinWith(root.cid))
  for (const { cid, bytes } of blocks) expect(await connector.blockGetLocal(cid)).toEqual(bytes)
})

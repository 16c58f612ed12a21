/** Members of a private network on loopback, for tests. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { ComponentLogger } from '../../src/component.ts'
import type { Libp2pTransport, Libp2pTransportOptions } from '../../src/transport/libp2p.ts'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { nodeTransports } from '../../node/transport/node-transports.ts'
import type { NodeTransportOptions } from '../../node/transport/node-transports.ts'
import { silentLogger } from '../../src/component.ts'
import { webRtcTransports } from '../../src/transport/webrtc.ts'
import { createLibp2pTransport } from '../../src/transport/libp2p.ts'

export const secret = '0123456789abcdef'.repeat(4)

/** A UDP port nobody has at this moment. */
export async function freeUdpPort (): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/** The library takes a free TCP port for a free UDP port. */
const withUdpPort = async (address: Multiaddr): Promise<Multiaddr> => address.toString().includes('/udp/0/') ? multiaddr(address.toString().replace('/udp/0/', `/udp/${await freeUdpPort()}/`)) : address

/** A member that listens on loopback over TCP, or as told; not started. */
export async function newMember (options: Partial<Libp2pTransportOptions> = {}, logger: ComponentLogger = silentLogger, parts: Partial<NodeTransportOptions> = {}): Promise<Libp2pTransport> {
  const listen = await Promise.all((options.listen ?? [multiaddr('/ip4/127.0.0.1/tcp/0')]).map(withUdpPort))
  const { transports, ...others } = nodeTransports({ listen, secret: options.secret ?? secret, ...parts })
  // Node peers only listen by webrtc-direct; here they stand for tabs as well.
  const [, direct] = webRtcTransports({ certificate: parts.certificate })
  return await createLibp2pTransport(
    { ...others, transports: [...transports.slice(0, -1), direct], privateKey: await generateKeyPair('Ed25519'), logger },
    { secret, dialTimeout: 5000, pubsub: { heartbeatInterval: 200 }, ...options, listen })
}

export const webSocketListen = [multiaddr('/ip4/127.0.0.1/tcp/0/ws')]
export const webRtcDirectListen = [multiaddr('/ip4/127.0.0.1/udp/0/webrtc-direct')]

/** A member as a tab is one: nobody can dial it, and it has no services that find others. */
export async function newHiddenMember (options: Partial<Libp2pTransportOptions> = {}, listen = [multiaddr('/p2p-circuit'), multiaddr('/webrtc')]): Promise<Libp2pTransport> {
  const { transports } = nodeTransports({ listen, secret })
  return await createLibp2pTransport({ transports, privateKey: await generateKeyPair('Ed25519'), logger: silentLogger }, { secret, dialTimeout: 5000, pubsub: { heartbeatInterval: 200 }, ...options, listen })
}

import type { Libp2pTransportOptions } from '../../src/transport/libp2p.ts'
import { transportContract } from '../contract/transport.ts'
import { newMember, webSocketListen } from './network.ts'

const openWith = (options: Partial<Libp2pTransportOptions>) => async (count: number) => await Promise.all(Array.from({ length: count }, async () => {
  const member = await newMember(options)
  await member.start()
  return member
}))

transportContract('libp2p over TCP with a secret', openWith({}))
transportContract('libp2p over WebSocket with a secret', openWith({ listen: webSocketListen }))
transportContract('libp2p over TCP in an open swarm', openWith({ secret: '' }))

import { transportContract } from '../contract/transport.ts'
import { newMember, webRtcDirectListen } from './network.ts'

transportContract('libp2p over webrtc-direct with a secret', async (count) => await Promise.all(Array.from({ length: count }, async () => {
  const member = await newMember({ listen: webRtcDirectListen })
  await member.start()
  return member
})))

import { transportContract } from '../contract/transport.ts'
import { newMember, webRtcDirectListen } from './network.ts'

// node-datachannel 0.33.4 locks up or crashes when a process dials by WebRTC after it stopped to listen: no peer does that, one process is one peer.
transportContract('libp2p over webrtc-direct with a secret', async (count) => await Promise.all(Array.from({ length: count }, async () => {
  const member = await newMember({ listen: webRtcDirectListen })
  await member.start()
  return member
})), { dialsAfterStop: false })

/** A program of its own: an unmodified libp2p that listens for browsers without any secret and says what it got to see, a line of JSON each. */
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { freeUdpPort } from '../../node/network.ts'

const say = (line: object): void => { process.stdout.write(`${JSON.stringify(line)}\n`) }

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws', `/ip4/127.0.0.1/udp/${await freeUdpPort()}/webrtc-direct`] },
  transports: [webSockets(), webRTCDirect({ rtcConfiguration: { iceServers: [] } })], connectionEncrypters: [noise()], streamMuxers: [yamux()],
  services: { identify: identify(), ping: ping(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
})
for (const protocol of ['/ipfscluster/1.0/rpc', '/ipfs/bitswap/1.2.0', '/pinswarm/content/1.0.0', '/pinswarm/sync/1.0.0']) await node.handle(protocol, () => { say({ opened: protocol }) })
node.services.pubsub.subscribe('ipfs-cluster')
node.services.pubsub.addEventListener('subscription-change', ({ detail }) => { say({ subscribed: detail.subscriptions.map(({ topic }) => topic) }) })
node.addEventListener('peer:identify', ({ detail }) => { say({ identified: detail.protocols }) })
say({ addresses: node.getMultiaddrs().map(String) })

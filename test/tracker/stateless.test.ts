import { statelessTracker } from '../../src/tracker/stateless.ts'
import { trackerContract } from '../contract/tracker.ts'
import { testPeer } from '../contract/values.ts'

const identity = () => ({ peerName: 'one', ipfsId: testPeer(101), ipfsAddresses: [] })

trackerContract('stateless', ({ pinset, connector, clock, maxPinQueueSize, concurrentPins }) =>
  statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity }, { maxPinQueueSize, concurrentPins }))

// What others count on, a light peer does like any other.
trackerContract('stateless, of a light peer', ({ pinset, connector, clock, maxPinQueueSize, concurrentPins }) =>
  statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity }, { maxPinQueueSize, concurrentPins, light: { keepEverywhere: true } }),
{ replicationFactorMin: 1, replicationFactorMax: 1, allocations: [testPeer(1)] })

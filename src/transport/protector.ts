/** Which protector guards the private swarm. */

// @libp2p/pnet 3.0.27 dies or stalls under bulk load: its cipher's one wasm memory grows until it is exhausted,
// and it puts a whole write buffer into one WebSocket message. Once a release passes test/node/transport-bulk.test.ts,
// change this line to: export { pnetProtector as connectionProtector } from './pnet.ts'
export { pskProtector as connectionProtector } from './psk.ts'

/** Pins without end and says which pins are acknowledged, until it is killed. */
import { openLevelStore } from '../../node/store/level-store.ts'
import { silentLogger, systemClock } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { testCid, testPeer } from '../contract/values.ts'

const [folder = '', round = '0'] = process.argv.slice(2)
const store = await openLevelStore(folder)
const consensus = createCrdtConsensus({
  store,
  exchange: { start: async () => {}, stop: async () => {}, fetch: async () => { throw new Error('nobody is there') } },
  pubsub: { publish: async () => {}, subscribe: () => () => {} },
  monitor: { latestValid: () => [] },
  peerId: testPeer(1),
  hooks: { pinned: () => {}, unpinned: () => {} },
  clock: systemClock,
  logger: silentLogger
}, { sync: true })
await consensus.start()
let next = Number(round) * 1_000_000
await Promise.all(Array.from({ length: 16 }, async () => {
  while (true) {
    const number = next++
    await consensus.log.put(pinWith(testCid(number), { name: `pin ${number}`, replicationFactorMin: -1, replicationFactorMax: -1 }))
    process.send?.(number)
  }
}))

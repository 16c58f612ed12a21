import { consensusContract } from '../contract/consensus.ts'
import { openCrdtCluster } from './crdt-peers.ts'

consensusContract('crdt', async (count, options) => (await openCrdtCluster(count, { consensus: { ...options } })).members)
consensusContract('crdt, in bulk', async (count, options) => (await openCrdtCluster(count, { bulk: true, consensus: { ...options } })).members)

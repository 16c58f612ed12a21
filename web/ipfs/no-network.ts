/** A tab's place in the IPFS network beyond the cluster: none. Content comes from members. */
import type { PeerId } from '@libp2p/interface'
import type { ContentNetwork } from '../../src/ipfs/helia.ts'

export const noNetwork = (self: PeerId): ContentNetwork => ({
  id: async () => ({ id: self, addresses: [], error: '' }),
  fetch: async (cid, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => { reject(signal?.reason) }
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    return await promise
  },
  connect: async () => {},
  peers: () => [],
  stop: async () => {}
})

/** Blocks of content that the cluster keeps, for reading it back. */
import type { AbortOptions } from '../component.ts'
import type { BlockExchange } from '../exchange/exchange.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { CID } from 'multiformats/cid'

/** From our IPFS; what it does not hold, from whoever is faster: its own network or the other members. */
export function blockSource (connector: Pick<IpfsConnector, 'blockGet' | 'blockGetLocal'>, members: Pick<BlockExchange, 'fetch'> | undefined) {
  return async (cid: CID, options: AbortOptions = {}): Promise<Uint8Array> => {
    if (members === undefined) return await connector.blockGet(cid, options)
    const here = await connector.blockGetLocal(cid, options)
    if (here !== undefined) return here
    const decided = new AbortController()
    const signal = options.signal === undefined ? decided.signal : AbortSignal.any([decided.signal, options.signal])
    try {
      return await Promise.any([members.fetch(cid, { signal }), connector.blockGet(cid, { signal })])
    } catch (error) {
      // Both failed: the IPFS says it best.
      throw error instanceof AggregateError ? error.errors.at(-1) : error
    } finally {
      decided.abort(new Error('the block has come from elsewhere'))
    }
  }
}

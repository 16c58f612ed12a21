/** `/dnsaddr/<name>`: a name that stands for whole addresses. */
import type { AbortOptions } from '../component.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import { logger } from '@libp2p/logger'
import { dnsaddrResolver } from 'libp2p'

export type NameResolver = (address: Multiaddr, options: AbortOptions) => Promise<readonly Multiaddr[]>

export interface ResolveOptions extends AbortOptions {
  readonly onFailure?: ((address: Multiaddr, error: unknown) => void) | undefined
}

/** Names may lead to further names, but not without end. */
const depthLimit = 4
const answerLimit = 32

const log = logger('pinswarm:dnsaddr')
const byDns: NameResolver = async (address, { signal }) => await dnsaddrResolver.resolve(address, { log, ...signal === undefined ? {} : { signal } })

/** The same list with each `/dnsaddr` address replaced by those it stands for; what does not resolve is left out and reported. */
export async function resolveNames (addresses: readonly Multiaddr[], resolve: NameResolver = byDns, options: ResolveOptions = {}, depth = 0): Promise<readonly Multiaddr[]> {
  const lists = await Promise.all(addresses.map(async (address) => {
    if (address.getComponents()[0]?.name !== 'dnsaddr') return [address]
    if (depth === depthLimit) return []
    try {
      const found = await resolve(address, options)
      return await resolveNames(found.slice(0, answerLimit), resolve, options, depth + 1)
    } catch (error) {
      options.onFailure?.(address, error)
      return []
    }
  }))
  return lists.flat()
}

/** The kinds of server the bench can start or is told of. */
import { join } from 'node:path'
import { createPeerProcess } from '../processes.ts'
import { createGoPeer, newSecret } from '../interop/programs.ts'
import { call } from './load.ts'
import { profiling } from './profile.ts'
import type { Kind, Opening, Server } from './server.ts'
import { startStandIn } from './stand-in-process.ts'
import type { StandIn } from './stand-in-process.ts'
import { fillStore } from './sync.ts'

/** Pings as rare as by default, and no talk: what costs nothing in production should cost nothing here. */
const quiet = { CLUSTER_MONITORPINGINTERVAL: '15s', IPFS_CLUSTER_LOG_LEVEL: 'error' }

const labelOf = (kind: string, { role }: Opening): string => role === undefined ? kind : `${kind}, ${role}`
const joining = ({ join: address }: Opening): NodeJS.ProcessEnv => address === undefined ? {} : { CLUSTER_PEERADDRESSES: address }

/** The first address by TCP of a peer, with its identity. */
async function addressOf (base: string): Promise<string> {
  const { addresses } = JSON.parse((await call(base, 'GET', '/id')).body) as { addresses: readonly string[] }
  const address = addresses.find((each) => /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//.test(each))
  if (address === undefined) throw new Error(`${base} has no address by TCP`)
  return address
}

/** Closes what is open at this moment. */
const open = new Set<() => Promise<void>>()

/** Ends every process the bench has started: for whoever interrupts it. */
export async function closeAll (): Promise<void> { await Promise.all([...open].map(async (close) => { await close() })) }

/** Starts a peer; ends it, and the stand-in, when that fails and at `close`. */
async function opened (label: string, standIn: StandIn | undefined, peer: { readonly base: string, readonly pid: () => number, readonly start: () => Promise<void>, readonly stop: () => Promise<void>, readonly remove: () => Promise<void>, readonly log: () => string }): Promise<Server> {
  const start = async (): Promise<number> => {
    const begin = performance.now()
    await peer.start()
    return performance.now() - begin
  }
  const close = async (): Promise<void> => {
    open.delete(close)
    await peer.stop()
    await standIn?.stop()
    await peer.remove()
  }
  open.add(close)
  try { await start() } catch (error) { await close(); throw error }
  return { label, base: peer.base, pid: peer.pid, log: peer.log, close, control: { start, stop: peer.stop, address: async () => await addressOf(peer.base), standIn } }
}

/** `npm run build` makes it; without types to strip it starts faster, and is what users run. */
export const builtProgram = join(import.meta.dirname, '../../dist/bin/ipfs-cluster-service.js')

/** Ours: from the sources, or from another program. */
export const ours = (program?: string): Kind => ({
  name: 'ours', controlled: true, ours: true,
  open: async (opening = {}) => {
    const standIn = opening.helia === true ? undefined : await startStandIn()
    const peer = await createPeerProcess({ name: 'bench', secret: opening.secret ?? newSecret(), ipfs: standIn?.port ?? 'helia', program, env: { ...quiet, ...joining(opening), ...opening.profile === undefined ? {} : profiling(opening.profile) } })
    if (opening.unbatched !== undefined) await fillStore(join(peer.folder, 'leveldb'), opening.unbatched, 1)
    return await opened(labelOf('ours', opening), standIn, peer)
  }
})

export const go: Kind = {
  name: 'Go', controlled: true, ours: false,
  open: async (opening = {}) => {
    const standIn = await startStandIn()
    const peer = await createGoPeer({ name: 'bench', secret: opening.secret ?? newSecret(), kuboApiPort: standIn.port, env: { ...quiet, ...joining(opening) } })
    return await opened(labelOf('Go', opening), standIn, peer)
  }
}

/** A server that runs already: its pinset grows with each round, and nobody restarts it. */
export const given = (name: string, base: string, pid: number | undefined): Kind => ({
  name, controlled: false, ours: false,
  open: async () => ({ label: name, base, pid: pid === undefined ? undefined : () => pid, close: async () => {} })
})

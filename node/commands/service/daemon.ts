/** `ipfs-cluster-service daemon` (cli.md B): runs the peer of a folder. */
import { parsePeers } from '../../setup.ts'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { runPeer } from './run-peer.ts'

export interface DaemonFlags {
  readonly bootstrap?: string
  readonly trust?: boolean
  readonly stats?: boolean
  readonly tracing?: boolean
}

export async function daemon (context: ServiceContext, flags: DaemonFlags): Promise<void> {
  const log = context.logger.forComponent('service')
  if (flags.tracing === true) log.warn('--tracing has no effect: tracing is not available here')
  const bootstrap = await doing('parsing --bootstrap', () => parsePeers(flags.bootstrap ?? '', '--bootstrap'))
  await runPeer(context, { bootstrap, trust: flags.trust !== false, stats: flags.stats })
}

/** Runs a peer until a signal ends it: what `daemon` and `npm start` share. */
import type { Multiaddr } from '@multiformats/multiaddr'
import { errorText } from '../../../src/component.ts'
import type { Config } from '../../../src/config/config.ts'
import { version } from '../../../src/version.ts'
import { createNodePeer } from '../../peer.ts'
import type { NodePeer } from '../../peer.ts'
import { loadFolder } from '../../folder.ts'
import { FolderLockedError } from '../../lock.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'

export interface RunOptions {
  /** Members to join through. */
  readonly bootstrap: readonly Multiaddr[]
  /** Trust them, too. */
  readonly trust: boolean
  /** Serve figures to Prometheus, whatever the configuration says. @default as configured */
  readonly stats?: boolean | undefined
  /** Called once the peer takes part in the cluster. */
  readonly onReady?: (peer: NodePeer) => void
}

/** The same signal again within this time, in ms, is the echo of the first. */
const echoTime = 250

/** Resolves when the peer has stopped in order. */
export async function runPeer (context: ServiceContext, options: RunOptions): Promise<void> {
  const { folder, logger, environment } = context
  const log = logger.forComponent('service')
  log.info('Initializing. For verbose output run with "-l debug". Please wait...')
  const { config, identity } = await doing('loading configurations', async () => await loadFolder(folder, environment, logger.forComponent('config')))
  logger.hide(config.cluster.secret)
  const abort = new AbortController()
  let first: { readonly signal: string, readonly at: number } | undefined
  const off = context.onSignal((signal) => {
    // npm passes on the Ctrl-C that the terminal already sent to everybody
    if (first?.signal === signal && performance.now() - first.at < echoTime) return
    if (first !== undefined) {
      context.tell('\nStopping now, without waiting for running work. What was acknowledged is on disk.\n')
      context.exitNow(1)
    }
    first = { signal, at: performance.now() }
    log.info(`got ${signal}: shutting down. A second one ends the program at once`)
    abort.abort(new Error(`stopped by ${signal}`))
  })
  try {
    const peer = await startPeer(context, config, identity, options, abort.signal)
    if (peer === undefined) return
    try {
      await serve(peer, context, options, abort.signal)
    } finally {
      await peer.stop().catch((error: unknown) => { log.error('the peer did not stop cleanly', error) })
      log.info('Cluster shutdown complete')
    }
  } finally { off() }
}

const withStats = (config: Config): Config => ({ ...config, observations: { ...config.observations, metrics: { ...config.observations.metrics, enableStats: true } } })

type Loaded = Awaited<ReturnType<typeof loadFolder>>

/** The running peer; undefined when a signal came first. */
async function startPeer (context: ServiceContext, config: Loaded['config'], identity: Loaded['identity'], options: RunOptions, signal: AbortSignal): Promise<NodePeer | undefined> {
  const { folder, logger } = context
  try {
    const peer = await createNodePeer({ folder: folder.path, config, identity, logger, configure: (loaded) => options.stats === true ? withStats(loaded) : loaded, bootstrap: options.bootstrap, trustBootstrap: options.trust })
    await peer.start({ signal })
    return peer
  } catch (error) {
    if (signal.aborted) return undefined
    if (error instanceof FolderLockedError) throw new CommandError('obtaining execution lock', error)
    throw new CommandError('starting cluster', error)
  }
}

async function serve (peer: NodePeer, { logger }: ServiceContext, options: RunOptions, signal: AbortSignal): Promise<void> {
  const log = logger.forComponent('cluster')
  log.info(`IPFS Cluster v${version} listening on:`)
  for (const address of peer.addresses()) log.info(`        ${address.toString()}`)
  const authenticated = peer.config.api.restapi?.basicAuthCredentials === null ? '' : ' - authenticated'
  for (const address of peer.restAddresses()) logger.forComponent('restapi').info(`RESTAPI (HTTP${authenticated}): ${address}`)
  const stopped = Promise.withResolvers<void>()
  const onAbort = (): void => { stopped.resolve() }
  if (signal.aborted) return
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await peer.ready({ signal })
    options.onReady?.(peer)
  } catch (error) {
    if (!signal.aborted) throw new CommandError('starting cluster', errorText(error))
  }
  await stopped.promise
}

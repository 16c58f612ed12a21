/** A peer is ready once its IPFS has answered (wire.md §6.1). */
import { errorText } from '../component.ts'
import type { PeerContext } from './components.ts'
import type { MetricsPublisher } from './metrics.ts'

/** Ms between two tries. */
const retryInterval = 1_000
/** Tries between two lines in the log. */
const logEvery = 60

/** Resolves once the IPFS told who it is; rejects with the signal's reason. There is no time limit. */
export async function waitForIpfs ({ clock, log }: Pick<PeerContext, 'clock' | 'log'>, metrics: MetricsPublisher, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted()
    try {
      await metrics.refreshIdentity({ signal })
      log.info('IPFS is ready. Peer ID:', metrics.identity.ipfsId?.toString())
      return
    } catch (error) {
      signal.throwIfAborted()
      if (attempt % logEvery === 0) log.warn('waiting for IPFS, which does not answer:', errorText(error))
    }
    await clock.sleep(retryInterval, { signal })
  }
}

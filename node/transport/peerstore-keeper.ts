/** Keeps the `peerstore` file up to date while the peer runs, so that a killed one finds the others again (Go writes it at a clean stop only). */
import { every, systemClock } from '../../src/component.ts'
import { writePeerstore } from './peerstore-file.ts'
import type { Logger, Startable } from '../../src/component.ts'
import type { KnownPeer } from '../../src/transport/transport.ts'

/** Ms from the start to the first write, and between later ones. */
const firstWrite = 5_000
const interval = 60_000

export interface PeerstoreKeeperParts {
  readonly path: string
  readonly known: () => Promise<readonly KnownPeer[]>
  /** Only a peer that took part knows better than the file. */
  readonly isReady: () => boolean
  readonly log: Logger
}

/** Writes soon after the start, every minute and at the stop. */
export function keepPeerstore ({ path, known, isReady, log }: PeerstoreKeeperParts): Startable {
  const abort = new AbortController()
  let running = Promise.resolve()
  let written = ''
  const write = async (): Promise<void> => {
    if (!isReady()) return
    const peers = await known()
    const now = JSON.stringify(peers.map(({ addresses }) => addresses.map(String)))
    if (peers.length === 0 || now === written) return
    await writePeerstore(path, peers)
    written = now
  }
  return {
    start: async () => {
      let wait = firstWrite
      running = every(systemClock, () => {
        const next = wait
        wait = interval
        return next
      }, write, { signal: abort.signal, onError: (error) => { log.warn('could not write the peerstore', error) } })
    },
    stop: async () => {
      abort.abort(new Error('the peer stops'))
      await running
      await write()
    }
  }
}

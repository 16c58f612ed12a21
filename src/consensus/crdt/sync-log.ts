/** Lines in the log while much of the pinset is still to come, and one at the end. */
import type { Clock, Logger } from '../../component.ts'
import type { ConsensusProgress } from '../consensus.ts'

/** Ms between two looks. */
const interval = 5_000
/** Fewer missing blocks are everyday life, as long as they come. */
const few = 32
/** Looks in a row after which a standstill is told again. */
const patience = 12

interface Components {
  readonly clock: Clock
  readonly logger: Logger
  readonly progress: () => ConsensusProgress
}

/** Looks until the signal fires; it never rejects. */
export async function logProgress ({ clock, logger, progress }: Components, signal: AbortSignal): Promise<void> {
  let last = progress()
  let began: number | undefined
  let told = false
  let still = 0
  while (true) {
    try { await clock.sleep(interval, { signal }) } catch { return }
    const now = progress()
    const missing = now.known - now.synced
    const came = now.synced - last.synced
    last = now
    if (missing === 0) {
      if (told && began !== undefined) logger.info(`in sync: ${now.synced} blocks, after ${Math.round((clock.now() - began) / 1000)} s`)
      began = undefined
      told = false
      still = 0
      continue
    }
    // What is missing at one look only was on its way.
    if (began === undefined) {
      began = clock.now()
      continue
    }
    still = came === 0 ? still + 1 : 0
    if (came === 0 ? still % patience !== 2 : missing < few) continue
    told = true
    const line = `synced ${now.synced} of ${now.known} blocks, ${Math.round(came * 1000 / interval)} a second`
    logger[came === 0 ? 'warn' : 'info'](came === 0 ? `${line}: nothing comes` : line, 'heads', now.heads, 'queue', now.queue, 'wanted', now.wanted)
  }
}

/** `ipfs-cluster-service state cleanup`: the peer forgets the pinset. */
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { withState } from './open-state.ts'
import { confirm } from './prompt.ts'

export async function stateCleanup (context: ServiceContext, force: boolean): Promise<void> {
  if (!force && !await confirm(context, 'The peer state will be removed.  Existing pins may be lost.')) return
  await withState(context, async (state) => { await doing('cleaning the state', async () => { await state.clear() }) })
  context.logger.forComponent('service').info('data correctly cleaned up')
}

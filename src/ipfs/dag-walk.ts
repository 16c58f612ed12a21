/** Visits the blocks of a DAG, each once, several at a time. */
import { linksOf } from './block.ts'
import { blockKey } from './block-storage.ts'
import type { AbortOptions } from '../component.ts'
import type { CID } from 'multiformats/cid'

export interface WalkOptions extends AbortOptions {
  /** Links to follow from the root; negative: all. */
  readonly maxDepth: number
  /** Blocks asked for at the same time. @default 32 */
  readonly concurrency?: number | undefined
  /** Go on past a block that does not parse. @default false */
  readonly ignoreBroken?: boolean | undefined
  /** Called before a block is asked for; the key is its `blockKey`. */
  readonly onVisit?: ((key: string) => void) | undefined
  /** Called after each block; `blocks` counts them. */
  readonly onBlock?: ((blocks: number, bytes: Uint8Array) => void) | undefined
}

interface Step { readonly cid: CID, readonly depth: number }

/** Depth first, so that what waits stays small. The first failure ends the walk; a block that `get` does not have is passed over. */
export async function walkDag (root: CID, get: (cid: CID, options: AbortOptions) => Promise<Uint8Array | undefined>, options: WalkOptions): Promise<void> {
  const { maxDepth, concurrency = 32, onVisit, onBlock } = options
  const controller = new AbortController()
  const onAbort = (): void => { controller.abort(options.signal?.reason) }
  if (options.signal?.aborted === true) onAbort()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const depths = new Map<string, number>()
  const stack: Step[] = []
  let active = 0
  let blocks = 0
  let failure: { readonly error: unknown } | undefined
  let wake = Promise.withResolvers<void>()

  const add = (cid: CID, depth: number): void => {
    const key = blockKey(cid)
    const known = depths.get(key)
    // A limited walk comes back to what it first met further down.
    if (known !== undefined && (maxDepth < 0 || known <= depth)) return
    depths.set(key, depth)
    onVisit?.(key)
    stack.push({ cid, depth })
  }
  const links = (cid: CID, bytes: Uint8Array): readonly CID[] => {
    try {
      return linksOf(cid, bytes)
    } catch (error) {
      if (options.ignoreBroken === true) return []
      throw error
    }
  }
  const visit = async ({ cid, depth }: Step): Promise<void> => {
    try {
      const bytes = await get(cid, { signal: controller.signal })
      if (bytes !== undefined) {
        onBlock?.(++blocks, bytes)
        if (maxDepth < 0 || depth < maxDepth) for (const link of links(cid, bytes).toReversed()) add(link, depth + 1)
      }
    } catch (error) {
      failure ??= { error }
      controller.abort(error)
    }
    active--
    wake.resolve()
  }

  add(root, 0)
  try {
    while (active > 0 || (stack.length > 0 && failure === undefined)) {
      while (active < concurrency && failure === undefined && !controller.signal.aborted) {
        const step = stack.pop()
        if (step === undefined) break
        active++
        void visit(step)
      }
      if (active === 0) break
      await wake.promise
      wake = Promise.withResolvers<void>()
    }
    if (failure !== undefined) throw failure.error
    options.signal?.throwIfAborted()
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * The way back from records that do not fit together: everything but the blocks is thrown away and merged anew. The blocks are moved
 * aside first, under keys in the order of their places, so that what is under the blocks' own keys is what is merged: whenever this is
 * cut off, the next start begins it again and loses nothing.
 */
import type { Layout } from './layout.ts'
import type { Logger } from '../../component.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import type { Store, StoreOperation } from '../../store/store.ts'
import { base16 } from 'multiformats/bases/base16'
import { errorText } from '../../component.ts'
import { readBlock } from '../../crdt/block.ts'
import { prefixRange } from '../../store/store.ts'
import { placeOf } from './block-order.ts'

/** Blocks of one step: their bytes and their merge are in memory together. */
const stepBlocks = 1000

/** Resolves with the number of blocks that are aside; broken ones are dropped, and missed by those that link to them. */
export async function setAside (store: Store, layout: Layout, logger: Logger): Promise<number> {
  for await (const chunk of store.entries(prefixRange(layout.blocks))) {
    const operations: StoreOperation[] = []
    for (const [key, bytes] of chunk) {
      const place = placeIn(key, bytes, layout, logger)
      if (place !== undefined) operations.push({ type: 'put', key: layout.aside + place, value: bytes })
      operations.push({ type: 'del', key })
    }
    await store.batch(operations)
  }
  for await (const keys of store.keys(prefixRange(layout.all))) {
    await store.batch(keys.filter((key) => key !== layout.format && !key.startsWith(layout.aside)).map((key) => ({ type: 'del', key })))
  }
  let count = 0
  for await (const keys of store.keys(prefixRange(layout.aside))) count += keys.length
  return count
}

function placeIn (key: string, bytes: Uint8Array, layout: Layout, logger: Logger): string | undefined {
  try {
    const { cid, id, delta } = readBlock(bytes)
    if (layout.block(id) === key) return base16.baseEncode(placeOf(delta.priority, cid.multihash.digest))
    logger.error('a stored block is damaged and left out', key)
  } catch (error) {
    logger.error('a stored block is damaged and left out', key, errorText(error))
  }
  return undefined
}

/** The blocks that are aside, parents first; what was yielded is merged when the next step is asked for. */
export async function * blocksAside (store: Store, layout: Layout): AsyncGenerator<readonly DeltaBlock[]> {
  for await (const chunk of store.entries(prefixRange(layout.aside))) {
    for (let from = 0; from < chunk.length; from += stepBlocks) {
      const step = chunk.slice(from, from + stepBlocks)
      yield step.map(([, bytes]) => readBlock(bytes))
      await store.batch(step.map(([key]) => ({ type: 'del', key })))
    }
  }
}

/** Reads a UnixFS file in order, a bounded number of blocks ahead of the reader. (ipfs-unixfs-exporter reads all of it ahead.) */
import { DecodeError } from '../errors.ts'
import { unixFsNode } from './unixfs-node.ts'
import type { FilePart } from './unixfs-node.ts'
import type { AbortOptions } from '../component.ts'
import type { BlockGet } from './resolve.ts'

/** Bytes from `start` up to, and without, `end`. */
export interface ByteSpan { readonly start: bigint, readonly end: bigint }

/** Blocks asked for ahead of the one that is read. */
const readAhead = 8

interface Step extends FilePart {
  /** Where this part begins in the file. */
  readonly at: bigint
  block?: Promise<Uint8Array>
}

export async function * fileContent (root: FilePart, span: ByteSpan, blockGet: BlockGet, options: AbortOptions): AsyncGenerator<Uint8Array> {
  const abort = new AbortController()
  const onAbort = (): void => { abort.abort(options.signal?.reason) }
  if (options.signal?.aborted === true) onAbort()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const stack: Step[] = [{ ...root, at: 0n }]
  try {
    while (stack.length > 0) {
      for (const step of stack.slice(-readAhead)) {
        if (step.block !== undefined) continue
        step.block = blockGet(step.cid, { signal: abort.signal })
        // Its failure counts when its turn comes.
        step.block.catch(() => {})
      }
      const step = stack.pop()
      if (step?.block === undefined) continue
      const { bytes, children } = contentOf(step, await step.block)
      if (bytes.length > 0) yield * within(bytes, step.at, span)
      stack.push(...children.filter(({ at, size }) => size > 0n && at < span.end && at + size > span.start).toReversed())
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    abort.abort(new Error('the file is not read any further'))
  }
}

function * within (bytes: Uint8Array, at: bigint, { start, end }: ByteSpan): Generator<Uint8Array> {
  const from = start > at ? Number(start - at) : 0
  const to = end < at + BigInt(bytes.length) ? Number(end - at) : bytes.length
  if (from < to) yield bytes.subarray(from, to)
}

/** A part must be as long as the node above it says: positions depend on it. */
function contentOf ({ cid, size, at }: Step, block: Uint8Array): { readonly bytes: Uint8Array, readonly children: readonly Step[] } {
  const node = unixFsNode(cid, block)
  if (node.kind !== 'raw' && node.kind !== 'file') throw new DecodeError(`block ${cid} is not part of a file`)
  if (size !== (node.kind === 'raw' ? BigInt(node.bytes.length) : node.size)) throw new DecodeError(`block ${cid} is not as long as the file says`)
  const children: Step[] = []
  let next = at + BigInt(node.bytes.length)
  for (const part of node.kind === 'file' ? node.parts : []) {
    children.push({ ...part, at: next })
    next += part.size
  }
  return { bytes: node.bytes, children }
}

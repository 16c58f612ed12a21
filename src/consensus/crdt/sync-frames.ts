/**
 * Frames of `/pinswarm/sync/1.0.0`, which brings a member of ours the part of the DAG that it lacks, in one stream.
 * The asker sends one frame, what it has: for each range of priorities where it ends, how many blocks are in it, and the exclusive or
 * of their hashes. Behind the last range it has nothing. The answer is a plan, then blocks by rising priority, then an end; or a refusal.
 */
import { concat } from '../../bytes.ts'
import { maxBlockBytes } from '../../crdt/limits.ts'
import { DecodeError } from '../../errors.ts'
import { frame } from '../../frames.ts'

export const syncProtocol = '/pinswarm/sync/1.0.0'

/** The blocks of a range: those with a priority up to `upTo` that are in no range before. */
export interface RangeSummary {
  readonly upTo: number
  readonly blocks: number
  /** Exclusive or of the blocks' hashes. */
  readonly hash: Uint8Array
}

export type SyncAnswer =
  /** How many blocks follow, apart from heads; a few more when the member hears of new ones meanwhile. */
  | { readonly kind: 'plan', readonly blocks: number }
  /** Blocks that the asker may merge before what is below them. */
  | { readonly kind: 'heads', readonly blocks: readonly Uint8Array[] }
  | { readonly kind: 'blocks', readonly blocks: readonly Uint8Array[] }
  | { readonly kind: 'end' }
  /** It lacks blocks itself, or serves too many others. */
  | { readonly kind: 'refusal' }

const kinds = ['plan', 'heads', 'blocks', 'end', 'refusal'] as const
export const maxRanges = 256
export const hashLength = 32
const rangeLength = 8 + 4 + hashLength
export const maxSyncRequest = 1 + maxRanges * rangeLength
/** Bytes of blocks after which a frame is sent. */
export const blocksPerFrame = 256 * 1024
/** One block may be as long as any, and comes alone then. */
export const maxSyncAnswer = 1 + 4 + blocksPerFrame + maxBlockBytes
/** Blocks that one plan can hold. */
const maxPlan = 0xffff_ffff
const version = 1

export function encodeSyncRequest (ranges: readonly RangeSummary[]): Uint8Array {
  const body = new Uint8Array(1 + ranges.length * rangeLength)
  const view = new DataView(body.buffer)
  body[0] = version
  for (const [index, { upTo, blocks, hash }] of ranges.entries()) {
    const at = 1 + index * rangeLength
    view.setBigUint64(at, BigInt(upTo))
    view.setUint32(at + 8, blocks)
    body.set(hash, at + 12)
  }
  return frame([body])
}

/** Ranges rise. Throws DecodeError. */
export function decodeSyncRequest (body: Uint8Array): readonly RangeSummary[] {
  if (body[0] !== version || (body.length - 1) % rangeLength !== 0 || body.length > maxSyncRequest) throw new DecodeError('sync request: wrong length')
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const ranges: RangeSummary[] = []
  for (let at = 1; at < body.length; at += rangeLength) {
    const upTo = Number(view.getBigUint64(at))
    if (!Number.isSafeInteger(upTo) || upTo <= (ranges.at(-1)?.upTo ?? -1)) throw new DecodeError('sync request: ranges out of order')
    ranges.push({ upTo, blocks: view.getUint32(at + 8), hash: body.slice(at + 12, at + rangeLength) })
  }
  return ranges
}

export function encodeSyncAnswer (answer: SyncAnswer): Uint8Array {
  const kind = Uint8Array.of(kinds.indexOf(answer.kind))
  if (answer.kind === 'plan') return frame([kind, uint32(Math.min(maxPlan, answer.blocks))])
  if (answer.kind === 'end' || answer.kind === 'refusal') return frame([kind])
  return frame([kind, concat(answer.blocks.flatMap((bytes) => [uint32(bytes.length), bytes]))])
}

/** Blocks are views of the body. Throws DecodeError. */
export function decodeSyncAnswer (body: Uint8Array): SyncAnswer {
  const kind = kinds[body[0] ?? -1]
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  if (kind === 'heads' || kind === 'blocks') return { kind, blocks: decodeBlocks(body, view) }
  if (kind === 'plan' && body.length === 5) return { kind, blocks: view.getUint32(1) }
  if ((kind === 'end' || kind === 'refusal') && body.length === 1) return { kind }
  throw new DecodeError('sync answer: unknown kind')
}

function decodeBlocks (body: Uint8Array, view: DataView): readonly Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (let at = 1; at < body.length;) {
    const length = at + 4 <= body.length ? view.getUint32(at) : 0
    if (length === 0 || length > maxBlockBytes || at + 4 + length > body.length) throw new DecodeError('sync answer: wrong length of a block')
    blocks.push(body.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  if (blocks.length === 0) throw new DecodeError('sync answer: no blocks')
  return blocks
}

function uint32 (value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

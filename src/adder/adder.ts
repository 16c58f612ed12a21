/** Adding content: UnixFS (or CAR) import whose blocks stream to all allocations, then a pin of the root (behaviour.md §4, rest-api.md §5). */
import type { AbortOptions } from '../component.ts'
import type { PinOptions } from '../pin/pin.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** One entry of what is added, depth first; directories may be implied by paths. */
export type AddEntry =
  | { readonly kind: 'file', readonly path: string, readonly content: AsyncIterable<Uint8Array> }
  | { readonly kind: 'directory', readonly path: string }
  | { readonly kind: 'symlink', readonly path: string, readonly target: string }

export interface AddOptions extends AbortOptions {
  readonly pin: PinOptions
  /** @default 'unixfs' */
  readonly format?: 'unixfs' | 'car' | undefined
  /** @default 'balanced' */
  readonly layout?: 'balanced' | 'trickle' | undefined
  /** size-N, rabin[-min-avg-max] or buzhash. @default 'size-262144' */
  readonly chunker?: string | undefined
  /** Multihash name. @default 'sha2-256' */
  readonly hash?: string | undefined
  /** @default 0 */
  readonly cidVersion?: 0 | 1 | undefined
  /** @default cidVersion > 0 */
  readonly rawLeaves?: boolean | undefined
  /** @default false */
  readonly wrapWithDirectory?: boolean | undefined
  /** Emit progress objects. @default false */
  readonly progress?: boolean | undefined
  /** Blocks go only to this peer's IPFS. @default false */
  readonly local?: boolean | undefined
  /** Store the blocks, pin nothing. @default false */
  readonly noPin?: boolean | undefined
}

/** Progress (no cid, bytes read of that file so far) or a finished node; the last one is the root. */
export interface Added {
  readonly name: string
  readonly cid?: CID | undefined
  /** Bytes read so far (progress only), or the sum of block sizes (CAR). */
  readonly bytes?: number | undefined
  /** Cumulative DAG size. */
  readonly size?: number | undefined
  readonly allocations: readonly PeerId[]
}

export interface Adder {
  add: (entries: AsyncIterable<AddEntry>, options: AddOptions) => AsyncIterable<Added>
}

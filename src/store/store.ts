/** An ordered key-value store with atomic batches. Keys are ASCII, ordered bytewise. */
import type { AbortOptions } from '../component.ts'

export type StoreOperation = { readonly type: 'put', readonly key: string, readonly value: Uint8Array } | { readonly type: 'del', readonly key: string }

export interface StoreRange extends AbortOptions {
  /** Keys from here on, inclusive. */
  gte?: string | undefined
  gt?: string | undefined
  /** Keys before this, exclusive. */
  lt?: string | undefined
  reverse?: boolean | undefined
  limit?: number | undefined
}

export interface BatchOptions extends AbortOptions {
  /** Also survive power loss (fsync), not only a killed process. @default false */
  sync?: boolean | undefined
}

export interface Store {
  get: (key: string, options?: AbortOptions) => Promise<Uint8Array | undefined>
  /** One answer per key, in order. */
  getMany: (keys: readonly string[], options?: AbortOptions) => Promise<ReadonlyArray<Uint8Array | undefined>>
  has: (key: string, options?: AbortOptions) => Promise<boolean>
  /** One answer per key, in order; values are not read. */
  hasMany: (keys: readonly string[], options?: AbortOptions) => Promise<readonly boolean[]>
  /** All or nothing, and durable against a kill of the process when it resolves. */
  batch: (operations: readonly StoreOperation[], options?: BatchOptions) => Promise<void>
  /** Range reads come in chunks (up to about 1000 items), over a snapshot taken at the first read. */
  entries: (range: StoreRange) => AsyncIterable<ReadonlyArray<readonly [key: string, value: Uint8Array]>>
  keys: (range: StoreRange) => AsyncIterable<readonly string[]>
  values: (range: StoreRange) => AsyncIterable<readonly Uint8Array[]>
  /** Batches may be missing here and there, not only the last ones: after a power loss, or where the store dropped what was damaged. @default false */
  readonly mayHaveGaps?: boolean | undefined
  /** To be called after a batch failed, before reading what the next one builds on: afterwards the failed one is there or not, and stays so. */
  readonly mend?: (() => Promise<void>) | undefined
  close: () => Promise<void>
}

/** The range of all keys that begin with `prefix`. */
export const prefixRange = (prefix: string): { gte: string, lt: string } => ({ gte: prefix, lt: prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1) })

/** Bounds on everything that other peers send: nothing larger is decoded. */

/** Bytes of a delta after which it is committed (wire.md §3.6). */
export const maxDeltaBytes = 1024 * 1024
/** Bytes of a block: what bitswap carries, and a little for its frame. */
export const maxBlockBytes = 2 * 1024 * 1024 + 4096
/** Elements and tombstones of one delta together. The smallest honest one has about 40 bytes. */
export const maxDeltaEntries = 65_536
/** Heads of one block or one broadcast. */
export const maxLinks = 8192
/** Bytes of a broadcast. */
export const maxBroadcastBytes = 1024 * 1024
/** Bytes of a key or an id as text. */
export const maxKeyLength = 1024
/** Priorities beyond would not be exact numbers; honest ones count blocks. */
export const maxPriority = Number.MAX_SAFE_INTEGER - 1

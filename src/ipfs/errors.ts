/** Errors of the IPFS connectors; their texts end up in `pin_error` (behaviour.md §5). */
import type { CID } from 'multiformats/cid'

/** No new block arrived within `pin_timeout`; the text begins as Go's does. */
export class PinTimeoutError extends Error {
  override name = 'PinTimeoutError'
  /** `timeout` in ms. */
  constructor (cid: CID, timeout: number, options?: ErrorOptions) {
    super(`context canceled: pinning ${cid} made no progress for ${timeout / 1000} s`, options)
  }
}

/** Neither here nor with anybody who was asked. */
export class BlockNotFoundError extends Error {
  override name = 'BlockNotFoundError'
  constructor (cid: CID, options?: ErrorOptions) { super(`block ${cid} was not found`, options) }
}

/** The embedded store would grow beyond `StorageMax`. */
export class StorageFullError extends Error {
  override name = 'StorageFullError'
  /** Both in bytes. */
  constructor (used: bigint, storageMax: bigint) {
    super(`the IPFS store is full: ${used} of StorageMax ${storageMax} bytes are used`)
  }
}

/** `unpin_disable` is set. */
export class UnpinDisabledError extends Error {
  override name = 'UnpinDisabledError'
  constructor () { super('ipfs unpinning is disallowed by configuration on this peer') }
}

/** Bytes that do not hash to the CID they came under. */
export class BlockMismatchError extends Error {
  override name = 'BlockMismatchError'
  constructor (cid: CID) { super(`the bytes do not match ${cid}`) }
}

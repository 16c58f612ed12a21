/** What can go wrong with a store, whatever keeps it. */

/** `locked`: another process has it open; `damaged`: its files do not fit together; `closed`: used before open or after close; `full`: no room to write. */
export type StoreErrorReason = 'locked' | 'damaged' | 'closed' | 'full' | 'unavailable'

export class StoreError extends Error {
  override name = 'StoreError'
  readonly reason: StoreErrorReason
  constructor (reason: StoreErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

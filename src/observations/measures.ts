/** What a peer counts of its own work: plain numbers, changed where the work is done and read by whoever serves them. */

export interface Measures {
  /** Requests to the IPFS to pin something. */
  pinRequests: number
  pinErrors: number
  /** Items pinned on the IPFS: counted by each full listing of it, and one more or less with each pin and unpin between. */
  ipfsPins: number
  /** Requests to the IPFS to store blocks. */
  blockPuts: number
  blockPutErrors: number
  blocksAdded: number
  bytesAdded: number
  /** Weight that the disk informer gave its last metric. */
  diskWeight: number
  /** Deltas that this peer wrote. */
  commits: number
  /** Pins and unpins in them. */
  committedChanges: number
}

/** Everything at zero. */
export const newMeasures = (): Measures => ({ pinRequests: 0, pinErrors: 0, ipfsPins: 0, blockPuts: 0, blockPutErrors: 0, blocksAdded: 0, bytesAdded: 0, diskWeight: 0, commits: 0, committedChanges: 0 })

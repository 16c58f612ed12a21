/** Tracker statuses: what a peer says of one pin (rest-api.md §3.3). Bit values travel on RPC. */
export const trackerStatusBits = {
  undefined: 0, cluster_error: 2, pin_error: 4, unpin_error: 8, pinned: 16, pinning: 32, unpinning: 64, unpinned: 128, remote: 256, pin_queued: 512, unpin_queued: 1024, sharded: 2048, unexpectedly_unpinned: 4096
} as const
export type TrackerStatus = keyof typeof trackerStatusBits

/** Bits of statuses; 0 matches everything. */
export type StatusFilter = number
const composites = { error: 14, queued: 1536 } as const

const names = Object.keys(trackerStatusBits) as TrackerStatus[]
const byBits = new Map<number, TrackerStatus>(names.map((name) => [trackerStatusBits[name], name]))

/** The status of these bits; unknown bits are `undefined`. */
export const statusFromBits = (bits: number): TrackerStatus => byBits.get(bits) ?? 'undefined'

export const matchesFilter = (status: TrackerStatus, filter: StatusFilter): boolean => filter === 0 || trackerStatusBits[status] === 0 || (trackerStatusBits[status] & filter) !== 0

/** Comma list of status names and `error`, `queued`; blanks are dropped, unknown names ignored. 0 when none is known. */
export function parseStatusFilter (text: string): StatusFilter {
  let filter = 0
  for (const name of text.replaceAll(' ', '').split(',')) {
    if (Object.hasOwn(trackerStatusBits, name)) filter |= trackerStatusBits[name as TrackerStatus]
    else if (Object.hasOwn(composites, name)) filter |= composites[name as keyof typeof composites]
  }
  return filter
}

/** The comma list `parseStatusFilter` reads. */
export const formatStatusFilter = (filter: StatusFilter): string => names.filter((name) => (trackerStatusBits[name] & filter) !== 0).join(',')

import { expect, it } from 'vitest'
import { clusterMetrics } from '../../src/observations/cluster-metrics.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import goMetrics from '../vectors/observations/go-metrics.json' with { type: 'json' }
import type { Readings } from '../../src/observations/cluster-metrics.ts'

const nothing: Readings = { measures: newMeasures(), sync: { heads: 0, height: 0, synced: 0, known: 0, queue: 0, wanted: 0, dirty: false, pins: 0, pinQueued: 0, pinning: 0, pinError: 0 }, bandwidth: new Map() }

it('has names, types and texts of Go', () => {
  const ours = new Map(clusterMetrics.map(({ name, type, help }) => [name, { name, type, help }]))
  expect(goMetrics).toHaveLength(12)
  for (const metric of goMetrics) expect(ours.get(metric.name)).toEqual(metric)
})

it('names each metric once, as Prometheus allows', () => {
  expect(new Set(clusterMetrics.map(({ name }) => name)).size).toBe(clusterMetrics.length)
  for (const { name, help } of clusterMetrics) expect([name, help].join(' ')).toMatch(/^ipfscluster_[a-z_]+ [^\n\\]+$/)
})

it('starts at zero', () => {
  for (const { name, read } of clusterMetrics) {
    const now = read(nothing)
    expect(typeof now === 'number' ? now : now.size, name).toBe(0)
  }
})

it('shows each figure under one name', () => {
  const measures = { pinRequests: 1, pinErrors: 2, ipfsPins: 3, blockPuts: 4, blockPutErrors: 5, blocksAdded: 6, bytesAdded: 7, diskWeight: -8, commits: 9, committedChanges: 10 }
  const sync = { heads: 11, height: 12, synced: 13, known: 14, queue: 15, wanted: 16, dirty: true, pins: 17, pinQueued: 18, pinning: 19, pinError: 20 }
  const bandwidth = new Map([['/a', { totalIn: 21n, totalOut: 22n, rateIn: 0, rateOut: 0 }], ['/b', { totalIn: 2n ** 40n, totalOut: 0n, rateIn: 0, rateOut: 0 }]])
  expect(Object.fromEntries(clusterMetrics.map(({ name, read }) => [name.replace('ipfscluster_', ''), read({ measures, sync, bandwidth })]))).toEqual({
    pins_pin_add: 1, pins_pin_add_errors: 2, pins_ipfs_pins: 3, blocks_put: 4, blocks_put_errors: 5, blocks_added: 6, blocks_added_size: 7, informer_disk: -8, crdt_commits: 9, crdt_committed_changes: 10,
    crdt_heads: 11, crdt_height: 12, crdt_blocks_synced: 13, crdt_blocks_known: 14, crdt_queue: 15, crdt_blocks_wanted: 16, crdt_dirty: 1, pins: 17, pins_pin_queued: 18, pins_pinning: 19, pins_pin_error: 20,
    received_bytes: new Map([['/a', 21], ['/b', 2 ** 40]]), sent_bytes: new Map([['/a', 22], ['/b', 0]])
  })
})

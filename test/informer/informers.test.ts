import { describe, expect, it } from 'vitest'
import { diskInformer } from '../../src/informer/disk.ts'
import { informers } from '../../src/informer/index.ts'
import { pinQueueInformer } from '../../src/informer/pin-queue.ts'
import { tagsInformer } from '../../src/informer/tags.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import { informerContract } from '../contract/informer.ts'
import type { RepoStat } from '../../src/cluster/types.ts'

const disk = (repoSize: bigint, storageMax: bigint) => ({ repoStat: async (): Promise<RepoStat> => ({ repoSize, storageMax }) })
const parts = { connector: disk(40n, 100n), pinQueueSize: () => 3 }

for (const [name, factory] of Object.entries(informers)) informerContract(name, () => factory()(parts))
informerContract('disk by repository size', () => informers.disk({ metricType: 'reposize' })(parts))

describe('disk informer', () => {
  it('tells the free space', async () => {
    expect(await diskInformer({ connector: disk(40n, 100n) }).metrics()).toEqual([{ name: 'freespace', value: '60', weight: 60n, partitionable: false, valid: true }])
  })

  it('is not valid when nothing is left', async () => {
    for (const full of [100n, 130n]) {
      expect(await diskInformer({ connector: disk(full, 100n) }).metrics()).toEqual([{ name: 'freespace', value: '0', weight: 0n, partitionable: false, valid: false }])
    }
  })

  it('tells the repository size as a burden', async () => {
    expect(await diskInformer({ connector: disk(40n, 100n) }, { metricType: 'reposize' }).metrics()).toEqual([{ name: 'reposize', value: '40', weight: -40n, partitionable: false, valid: true }])
  })

  it('fails when the IPFS does', async () => {
    const connector = { repoStat: async () => { throw new Error('no IPFS') } }
    await expect(diskInformer({ connector }).metrics()).rejects.toThrow('no IPFS')
  })

  it('keeps its last weight as a figure', async () => {
    const measures = newMeasures()
    let stat: () => Promise<RepoStat> = disk(40n, 100n).repoStat
    const parts = { connector: { repoStat: async () => await stat() }, measures }
    await diskInformer(parts).metrics()
    expect(measures.diskWeight).toBe(60)
    await diskInformer(parts, { metricType: 'reposize' }).metrics()
    expect(measures.diskWeight).toBe(-40)
    stat = async () => { throw new Error('no IPFS') }
    await expect(diskInformer(parts).metrics()).rejects.toThrow('no IPFS')
    expect(measures.diskWeight).toBe(0)
  })
})

describe('tags informer', () => {
  it('gives a partitionable metric per tag', async () => {
    expect(await tagsInformer({ tags: { group: 'eu', rack: '7' } }).metrics()).toEqual([
      { name: 'tag:group', value: 'eu', weight: 0n, partitionable: true, valid: true },
      { name: 'tag:rack', value: '7', weight: 0n, partitionable: true, valid: true }
    ])
  })

  it('gives none without tags', async () => { expect(await tagsInformer({ tags: {} }).metrics()).toEqual([]) })
})

describe('pin queue informer', () => {
  const weights = async (queue: number, weightBucketSize: number): Promise<ReadonlyArray<string | bigint | undefined>> => {
    const [metric] = await pinQueueInformer({ pinQueueSize: () => queue }, { weightBucketSize }).metrics()
    return [metric?.value, metric?.weight]
  }

  it('weighs in buckets, toward zero', async () => {
    expect(await weights(9, 10)).toEqual(['9', 0n])
    expect(await weights(25, 10)).toEqual(['25', -2n])
  })

  it('weighs each pin without buckets', async () => { expect(await weights(25, 0)).toEqual(['25', -25n]) })
})

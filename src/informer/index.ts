/** All informers by their configuration name; a new one is its own file and one line here. */
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { Measures } from '../observations/measures.ts'
import type { Informer } from './informer.ts'
import { diskInformer } from './disk.ts'
import type { DiskInformerOptions } from './disk.ts'
import { pinQueueInformer } from './pin-queue.ts'
import type { PinQueueInformerOptions } from './pin-queue.ts'
import { tagsInformer } from './tags.ts'
import type { TagsInformerOptions } from './tags.ts'

/** What the peer hands to informers. */
export interface InformerParts {
  readonly connector: Pick<IpfsConnector, 'repoStat'>
  readonly pinQueueSize: () => number
  readonly measures?: Measures | undefined
}

/** Made by the peer once the parts exist. */
export type InformerFactory = (parts: InformerParts) => Informer

export const informers = {
  disk: (options?: DiskInformerOptions): InformerFactory => (parts) => diskInformer(parts, options),
  pinqueue: (options?: PinQueueInformerOptions): InformerFactory => (parts) => pinQueueInformer(parts, options),
  tags: (options?: TagsInformerOptions): InformerFactory => () => tagsInformer(options)
} as const

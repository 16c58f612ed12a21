/** The embedded IPFS of a Node peer: blocks, pins and identity in one folder. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { contentNode } from './content-node.ts'
import { FileBlocks } from './file-blocks.ts'
import { ipfsIdentity } from './ipfs-identity.ts'
import { pinsFolder } from './pins-folder.ts'
import { openLevelStore } from '../store/level-store.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import type { ComponentLogger } from '../../src/component.ts'
import type { HeliaOptions, MemberBlocks } from '../../src/ipfs/helia.ts'
import type { Measures } from '../../src/observations/measures.ts'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface HeliaNodeComponents {
  readonly logger: ComponentLogger
  readonly members?: MemberBlocks | undefined
  readonly measures?: Measures | undefined
}

export interface HeliaNodeOptions extends HeliaOptions {
  /** Bytes. @default 10 GB */
  readonly storageMax?: bigint | undefined
  /** What is acknowledged survives power loss, not only a kill of the process. @default true */
  readonly sync?: boolean | undefined
  /** `private`: content moves between members, and from the kubo of members that announce one. `public`: also on the public IPFS network. @default 'private' */
  readonly network?: 'private' | 'public' | undefined
  /** Where members say that their IPFS listens. @default nowhere */
  readonly sources?: (() => readonly Multiaddr[]) | undefined
}

/** Opens the folder (and makes it where it is missing); `stop` of the connector closes it. */
export async function openHelia (folder: string, { logger, members, measures }: HeliaNodeComponents, options: HeliaNodeOptions = {}): Promise<HeliaConnector> {
  await mkdir(folder, { recursive: true })
  const key = await ipfsIdentity(join(folder, 'identity.json'))
  const store = await openLevelStore(pinsFolder(folder))
  try {
    const storage = await FileBlocks.open(join(folder, 'blocks'), options.storageMax ?? 10_000_000_000n, logger.forComponent('helia'), options.sync ?? true)
    const network = contentNode({ key, storage, logger }, { network: options.network ?? 'private', sources: options.sources })
    return new HeliaConnector({ storage, store, network, members, measures, logger }, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

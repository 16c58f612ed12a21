/** Where the embedded IPFS keeps its pins: a file of its own, so that commands need not load Helia. */
import { join } from 'node:path'

/** `folder`: `ipfs_connector.helia.folder`. */
export const pinsFolder = (folder: string): string => join(folder, 'pins')

import { MemoryBlockStorage } from '../../src/ipfs/block-storage.ts'
import { blockStorageContract } from '../contract/block-storage.ts'

blockStorageContract('memory', async (storageMax) => new MemoryBlockStorage(storageMax))

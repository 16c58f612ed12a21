import { MemoryStore } from '../../src/store/memory.ts'
import { storeContract } from '../contract/store.ts'

storeContract('memory', async () => new MemoryStore())

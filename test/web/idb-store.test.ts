/** The store on a real IndexedDB. */
import { openIdbStore } from '../../web/store/idb-store.ts'
import { storeContract } from '../contract/store.ts'

let serial = 0
const newName = (): string => `test-store-${Date.now()}-${serial++}`

storeContract('IndexedDB', async () => await openIdbStore(newName()))

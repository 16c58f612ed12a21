/** Our block storage as Helia's blockstore: what its bitswap fetches lands here, and what others ask it for comes from here. */
import { concat } from '../../src/bytes.ts'
import { NotFoundError } from '@libp2p/interface'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { Blockstore, InputPair, Pair } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'

export class HeliaBlockstore implements Blockstore {
  readonly #storage: BlockStorage

  constructor (storage: BlockStorage) { this.#storage = storage }

  async has (cid: CID): Promise<boolean> { return await this.#storage.has(cid) }

  async put (cid: CID, value: InputPair['bytes']): Promise<CID> {
    await this.#storage.put({ cid, bytes: await joined(value) })
    return cid
  }

  async * putMany (source: Iterable<InputPair> | AsyncIterable<InputPair>): AsyncGenerator<CID> {
    for await (const { cid, bytes } of source) yield await this.put(cid, bytes)
  }

  async * get (cid: CID): AsyncGenerator<Uint8Array> {
    const bytes = await this.#storage.get(cid)
    if (bytes === undefined) throw new NotFoundError(`block ${cid} is not here`)
    yield bytes
  }

  async * getMany (source: Iterable<CID> | AsyncIterable<CID>): AsyncGenerator<Pair> {
    for await (const cid of source) yield { cid, bytes: this.get(cid) }
  }

  async * getAll (): AsyncGenerator<Pair> { yield * this.getMany(this.#storage.all()) }

  async delete (cid: CID): Promise<void> { await this.#storage.delete(cid) }

  async * deleteMany (source: Iterable<CID> | AsyncIterable<CID>): AsyncGenerator<CID> {
    for await (const cid of source) {
      await this.delete(cid)
      yield cid
    }
  }
}

async function joined (value: InputPair['bytes']): Promise<Uint8Array> {
  if (value instanceof Uint8Array) return value
  const parts: Uint8Array[] = []
  for await (const part of value) parts.push(part)
  return concat(parts)
}

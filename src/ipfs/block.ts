/** What a block is worth without its origin: does it hash to its CID, and what does it link to. */
import { DecodeError } from '../errors.ts'
import { blake2b } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { sha3_256, sha3_512, keccak_256 } from '@noble/hashes/sha3.js'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { equals } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256, sha512 } from 'multiformats/hashes/sha2'

/** Biggest block that is taken from or given to the network, in bytes. */
export const maxBlockSize = 4 * 1024 * 1024

type Digest = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** Digest functions by multihash code; identity is compared as it is. */
const digests: ReadonlyMap<number, Digest> = new Map<number, Digest>([
  [0x00, (bytes) => bytes],
  [0x12, async (bytes) => (await sha256.digest(bytes)).digest],
  [0x13, async (bytes) => (await sha512.digest(bytes)).digest],
  [0x14, sha3_512], [0x16, sha3_256], [0x1b, keccak_256], [0x1e, (bytes) => blake3(bytes)],
  [0xb220, (bytes) => blake2b(bytes, { dkLen: 32 })], [0xb240, (bytes) => blake2b(bytes, { dkLen: 64 })]
])

/** True where the bytes hash to the CID; a hash function that is not known is a DecodeError. */
export async function matchesCid (cid: CID, bytes: Uint8Array): Promise<boolean> {
  const digest = digests.get(cid.multihash.code)
  if (digest === undefined) throw new DecodeError(`${cid} is of an unknown hash function (0x${cid.multihash.code.toString(16)})`)
  return equals(await digest(bytes), cid.multihash.digest)
}

/** The block that an identity CID carries in itself. */
export const inlineBlock = (cid: CID): Uint8Array | undefined => cid.multihash.code === 0 ? cid.multihash.digest : undefined

const dagJsonCode = 0x0129

/** The CIDs a block links to, in order, each once. Codecs that carry no links have none; a codec that is not known is taken as opaque. */
export function linksOf (cid: CID, bytes: Uint8Array): readonly CID[] {
  try {
    switch (cid.code) {
      case raw.code: return []
      case dagPb.code: return distinct(dagPb.decode(bytes).Links.map((link) => link.Hash))
      case dagCbor.code: return distinct(cidsIn(dagCbor.decode(bytes)))
      case dagJsonCode: return distinct(cidsInJson(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))))
      default: return []
    }
  } catch (error) {
    throw new DecodeError(`block ${cid} does not parse`, { cause: error })
  }
}

function distinct (cids: readonly CID[]): readonly CID[] {
  if (cids.length < 2) return cids
  const seen = new Map<string, CID>()
  for (const cid of cids) if (!seen.has(cid.toString())) seen.set(cid.toString(), cid)
  return [...seen.values()]
}

const childrenOf = (value: object): readonly unknown[] => Array.isArray(value) ? value as unknown[] : Object.values(value)

/** Without recursion: the depth of the value is up to who made it. */
function cidsIn (root: unknown): CID[] {
  const found: CID[] = []
  const stack: unknown[] = [root]
  while (stack.length > 0) {
    const value = stack.pop()
    const cid = CID.asCID(value)
    if (cid !== null) found.push(cid)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) stack.push(...childrenOf(value).toReversed())
  }
  return found
}

/** dag-json writes a link as `{"/": "<cid>"}`. */
function cidsInJson (root: unknown): CID[] {
  const found: CID[] = []
  const stack: unknown[] = [root]
  while (stack.length > 0) {
    const value = stack.pop()
    if (typeof value !== 'object' || value === null) continue
    const slash = (value as Readonly<Record<string, unknown>>)['/']
    if (typeof slash === 'string' && Object.keys(value).length === 1) found.push(CID.parse(slash))
    else stack.push(...childrenOf(value).toReversed())
  }
  return found
}

/** Blocks of the Merkle-CRDT: a delta, and links to the heads its author knew (wire.md §3.3). */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import * as dagPb from '@ipld/dag-pb'
import { sha256 } from '@noble/hashes/sha2.js'
import { equals } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'
import { multihashKey } from '../pin/keys.ts'
import { compareBytes } from '../bytes.ts'
import { DeltaSchema, ElementSchema, type Delta as DeltaMessage } from './crdt_pb.ts'
import { countFields } from './fields.ts'
import { maxBlockBytes, maxDeltaEntries, maxKeyLength, maxLinks, maxPriority } from './limits.ts'

/** A key with a value; its id is the block's and does not travel. */
export interface Element { readonly key: string, readonly value: Uint8Array }

/** Takes away the element of `key` that the block with this id added. */
export interface Tombstone { readonly key: string, readonly id: string }

/** One change. Tombstones take effect before elements. */
export interface Delta {
  readonly elements: readonly Element[]
  readonly tombstones: readonly Tombstone[]
  /** Height of the block in the DAG; the first has 1. */
  readonly priority: number
}

export interface DeltaBlock {
  readonly cid: CID
  /** `/` and base32 of the multihash: the id of the elements that it adds. */
  readonly id: string
  readonly links: readonly CID[]
  readonly delta: Delta
  readonly bytes: Uint8Array
}

const sha256Code = 0x12

/** Bytes of the delta as protobuf. */
export const encodeDelta = ({ elements, tombstones, priority }: Delta): Uint8Array => toBinary(DeltaSchema, create(DeltaSchema, {
  elements: elements.map(({ key, value }) => create(ElementSchema, { key, value })),
  tombstones: tombstones.map(({ key, id }) => create(ElementSchema, { key, id })),
  priority: BigInt(priority)
}))

/** The block that carries this delta on top of these heads. */
export function encodeBlock (delta: Delta, heads: readonly CID[]): DeltaBlock {
  const links = heads.toSorted((one, other) => compareBytes(one.bytes, other.bytes))
  const bytes = dagPb.encode({ Data: encodeDelta(delta), Links: links.map((Hash) => ({ Hash, Name: '', Tsize: 0 })) })
  const cid = CID.createV1(dagPb.code, createDigest(sha256Code, sha256(bytes)))
  return { cid, id: multihashKey(cid), links, delta, bytes }
}

/** Reads and verifies a block. Throws DecodeError when it is not what `cid` names, breaks the format or a bound. */
export function decodeBlock (cid: CID, bytes: Uint8Array): DeltaBlock {
  if (bytes.length > maxBlockBytes) throw new DecodeError(`block ${cid} of ${bytes.length} bytes`)
  if (cid.code !== dagPb.code || cid.multihash.code !== sha256Code) throw new DecodeError(`block ${cid} is not dag-pb with sha2-256`)
  if (!equals(cid.multihash.digest, sha256(bytes))) throw new DecodeError(`block ${cid} has other bytes`)
  return readVerified(cid, bytes)
}

/** Reads the block that these bytes are. Throws DecodeError when they break the format or a bound. */
export function readBlock (bytes: Uint8Array): DeltaBlock {
  if (bytes.length > maxBlockBytes) throw new DecodeError(`block of ${bytes.length} bytes`)
  return readVerified(CID.createV1(dagPb.code, createDigest(sha256Code, sha256(bytes))), bytes)
}

function readVerified (cid: CID, bytes: Uint8Array): DeltaBlock {
  try {
    const node = dagPb.decode(bytes)
    if (node.Links.length > maxLinks) throw new DecodeError(`${node.Links.length} links`)
    // Links become copies, so that a CID that is kept does not keep the block.
    const links = node.Links.map((link) => CID.decode(link.Hash.bytes.slice()))
    return { cid, id: multihashKey(cid), links, delta: decodeDelta(node.Data ?? new Uint8Array(0)), bytes }
  } catch (error) {
    throw new DecodeError(`block ${cid}: ${errorText(error)}`, { cause: error })
  }
}

/** Priority of the delta in a block's bytes; undefined when they are no block. */
export function blockPriority (bytes: Uint8Array): number | undefined {
  try {
    return Number(parse(dagPb.decode(bytes).Data ?? new Uint8Array(0)).priority)
  } catch {
    return undefined
  }
}

/** Entries with a key or id that can name no pin or block are left out: they could never be seen in a pinset. */
export function decodeDelta (bytes: Uint8Array): Delta {
  if (countFields(bytes, [1, 2], maxDeltaEntries) > maxDeltaEntries) throw new DecodeError('delta of too many entries')
  const message = parse(bytes)
  if (message.priority > BigInt(maxPriority)) throw new DecodeError('delta with a priority out of range')
  const elements: Element[] = []
  for (const element of message.elements) {
    const key = cleanName(element.key)
    if (key !== undefined) elements.push({ key, value: element.value.slice() })
  }
  const tombstones: Tombstone[] = []
  for (const tombstone of message.tombstones) {
    const [key, id] = [cleanName(tombstone.key), cleanName(tombstone.id)]
    if (key !== undefined && id !== undefined) tombstones.push({ key, id })
  }
  return { elements, tombstones, priority: Number(message.priority) }
}

function parse (bytes: Uint8Array): DeltaMessage {
  try {
    return fromBinary(DeltaSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw new DecodeError(`not a delta: ${errorText(error)}`, { cause: error })
  }
}

/** `/` and base32, with the path cleaned as the Go peers clean keys; undefined when it is not one such name. */
function cleanName (name: string): string | undefined {
  if (name.length > maxKeyLength) return undefined
  if (/^\/[A-Z2-7]+$/.test(name)) return name
  const [first, ...more] = name.split('/').filter((part) => part !== '' && part !== '.')
  return first !== undefined && more.length === 0 && /^[A-Z2-7]+$/.test(first) ? `/${first}` : undefined
}

/** Bitswap messages as values, and their bytes (wire.md §3.6 "Serving blocks"). */
import type { Message } from './bitswap_pb.ts'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { CID } from 'multiformats/cid'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { countFields } from '../crdt/fields.ts'
import { DecodeError } from '../errors.ts'
import { Message_BlockPresenceSchema, Message_BlockPresenceType, Message_BlockSchema, Message_Wantlist_EntrySchema, Message_Wantlist_WantType, Message_WantlistSchema, MessageSchema } from './bitswap_pb.ts'

/** Versions of the protocol, best first. */
export const bitswapProtocols = ['/ipfs/bitswap/1.2.0', '/ipfs/bitswap/1.1.0', '/ipfs/bitswap/1.0.0', '/ipfs/bitswap'] as const
export type BitswapProtocol = typeof bitswapProtocols[number]

/** Most bytes of one message, both ways. */
export const maxMessageSize = 4_194_304
/** Most wants that one message carries or that are taken from one. */
export const maxWants = 1024
const maxPresences = 16_384
const maxBlocks = 16_384
/** Entries of a wantlist that are looked at; what is beyond `maxWants` has to be said again. */
const maxEntries = 16_384
/** Bytes of a CID of somebody else's. */
const maxCidBytes = 168

export interface WantEntry {
  readonly cid: CID
  /** `have`: only say whether it is there. */
  readonly want: 'block' | 'have' | 'cancel'
  readonly sendDontHave?: boolean | undefined
  readonly priority?: number | undefined
}

export interface BlockEntry {
  /** The CID without its digest: version, codec, hash function, digest length. */
  readonly prefix: Uint8Array
  readonly data: Uint8Array
}

export interface BitswapMessage {
  readonly wants: readonly WantEntry[]
  /** The wants replace all earlier ones. */
  readonly full: boolean
  readonly blocks: readonly BlockEntry[]
  readonly haves: readonly CID[]
  readonly dontHaves: readonly CID[]
}

export const emptyMessage: BitswapMessage = { wants: [], full: false, blocks: [], haves: [], dontHaves: [] }

/** What Go asks with: the highest. */
const usualPriority = 0x7fffffff

const wantType = { block: Message_Wantlist_WantType.BLOCK, have: Message_Wantlist_WantType.HAVE, cancel: Message_Wantlist_WantType.BLOCK } as const

/** The bytes for a peer of that version: before 1.2.0 there are neither presences nor wants to know, before 1.1.0 no prefixes. */
export function encodeMessage (message: BitswapMessage, protocol: BitswapProtocol = bitswapProtocols[0]): Uint8Array<ArrayBuffer> {
  const current = protocol === '/ipfs/bitswap/1.2.0'
  const prefixed = current || protocol === '/ipfs/bitswap/1.1.0'
  const presence = (type: Message_BlockPresenceType) => (cid: CID) => create(Message_BlockPresenceSchema, { cid: cid.bytes, type })
  return toBinary(MessageSchema, create(MessageSchema, {
    wantlist: create(Message_WantlistSchema, {
      full: message.full,
      entries: message.wants.map(({ cid, want, sendDontHave = false, priority = usualPriority }) => create(Message_Wantlist_EntrySchema, {
        block: cid.bytes, cancel: want === 'cancel', priority: want === 'cancel' ? 0 : priority,
        ...current ? { wantType: wantType[want], sendDontHave } : {}
      }))
    }),
    ...prefixed
      ? { payload: message.blocks.map(({ prefix, data }) => create(Message_BlockSchema, { prefix, data })) }
      : { blocks: message.blocks.map(({ data }) => data) },
    ...current ? { blockPresences: [...message.haves.map(presence(Message_BlockPresenceType.HAVE)), ...message.dontHaves.map(presence(Message_BlockPresenceType.DONT_HAVE))] } : {}
  })) as Uint8Array<ArrayBuffer>
}

/** Throws DecodeError; what a message may hold is bounded. */
export function decodeMessage (bytes: Uint8Array): BitswapMessage {
  checkCounts(bytes)
  const { wantlist, blocks, payload, blockPresences } = parse(bytes)
  if (blockPresences.length > maxPresences || payload.length + blocks.length > maxBlocks) throw new DecodeError('bitswap message: too many entries')
  return {
    full: wantlist?.full ?? false,
    wants: (wantlist?.entries ?? []).slice(0, maxWants).map(({ block, cancel, wantType, sendDontHave, priority }) =>
      ({ cid: decodeCid(block), want: cancel ? 'cancel' : wantType === Message_Wantlist_WantType.HAVE ? 'have' : 'block', sendDontHave, priority })),
    blocks: [...blocks.map((data) => ({ prefix: prefixV0, data })), ...payload.map(({ prefix, data }) => ({ prefix, data }))],
    haves: blockPresences.filter(({ type }) => type === Message_BlockPresenceType.HAVE).map(({ cid }) => decodeCid(cid)),
    dontHaves: blockPresences.filter(({ type }) => type === Message_BlockPresenceType.DONT_HAVE).map(({ cid }) => decodeCid(cid))
  }
}

/** Before anything becomes an object: the smallest entry has two bytes. */
function checkCounts (bytes: Uint8Array): void {
  const few = countFields(bytes, [1], 1) <= 1 && countFields(bytes, [2, 3, 4], maxBlocks) <= maxBlocks
  if (!few || countWants(bytes) > maxEntries) throw new DecodeError('bitswap message: too many entries')
}

function countWants (bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1 && wireType === WireType.LengthDelimited) return countFields(reader.bytes(), [1], maxEntries)
    reader.skip(wireType, field)
  }
  return 0
}

function parse (bytes: Uint8Array): Message {
  try {
    return fromBinary(MessageSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw new DecodeError('bitswap message: not a message', { cause: error })
  }
}

function decodeCid (bytes: Uint8Array): CID {
  if (bytes.byteLength > maxCidBytes) throw new DecodeError('bitswap message: a CID that is too long')
  try {
    // A copy: what is remembered must not keep the whole message.
    return CID.decode(bytes.slice())
  } catch (error) {
    throw new DecodeError('bitswap message: not a CID', { cause: error })
  }
}

const prefixV0 = Uint8Array.of(0, 0x70, 0x12, 0x20)

/** The part of a CID that goes with its block; of a version 0 CID it is spelled out. */
export const prefixOf = (cid: CID): Uint8Array => cid.version === 0 ? prefixV0 : cid.bytes.subarray(0, cid.bytes.byteLength - cid.multihash.digest.byteLength)

const hashers = new Map([sha256, sha512].map((hasher) => [hasher.code as number, hasher]))

/** The multihash of the data by the hash function that the prefix names; undefined for one we do not compute. */
export async function hashBlock ({ prefix, data }: BlockEntry): Promise<Uint8Array | undefined> {
  const parts = varints(prefix)
  const [, , code, length] = parts
  const hasher = hashers.get(code ?? -1)
  if (hasher === undefined || parts.length !== 4) return undefined
  const { bytes, digest } = await hasher.digest(data)
  return digest.byteLength === length ? bytes : undefined
}

/** Unsigned varints; empty when one is cut off or too long. */
function varints (bytes: Uint8Array): readonly number[] {
  const numbers: number[] = []
  let value = 0
  let factor = 1
  for (const byte of bytes) {
    value += (byte & 0x7f) * factor
    factor *= 128
    if (factor > 2 ** 42) return []
    if (byte < 0x80) {
      numbers.push(value)
      value = 0
      factor = 1
    }
  }
  return factor === 1 ? numbers : []
}

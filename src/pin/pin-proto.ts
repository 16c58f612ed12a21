/** The value of a pin in the pinset: protobuf, byte for byte as the Go peers write it (wire.md §3.4). */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'
import { nilList, nilMap } from './nil.ts'
import { multiaddrFromBytes, peerIdFromBytes, peerIdToBytes } from './peer-ids.ts'
import { modeOf, pinTypes, type Pin } from './pin.ts'
import { MetadataSchema, PinOptionsSchema, PinSchema, type Pin as PinMessage, type Pin_PinType, type PinOptions as PinOptionsMessage } from './pin_pb.ts'

const maxPinBytes = 2 * 1024 * 1024
const maxEntries = 65_536
/** Last second of year 9999: later times have no RFC 3339 form. */
const maxSeconds = 253_402_300_799

const noBytes = new Uint8Array(0)
const textEncoder = new TextEncoder()
const seconds = (ms: number | undefined): bigint => ms === undefined || ms < 0 ? 0n : BigInt(Math.floor(ms / 1000))

/** Byte order of UTF-8, as Go sorts strings. */
export function compareText (a: string, b: string): number {
  const [left, right] = [textEncoder.encode(a), textEncoder.encode(b)]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i] as number) - (right[i] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Bytes of the pin's value. Mode and user allocations are not stored; times keep whole seconds. */
export function encodePin (pin: Pin): Uint8Array {
  const metadata = Object.entries(pin.metadata)
  if (metadata.length > 1) metadata.sort(([a], [b]) => compareText(a, b))
  return toBinary(PinSchema, create(PinSchema, {
    Cid: pin.cid.bytes,
    Type: pinTypes.indexOf(pin.type) as Pin_PinType,
    Allocations: pin.allocations.map(peerIdToBytes),
    MaxDepth: pin.maxDepth,
    Reference: pin.reference?.bytes ?? noBytes,
    Options: {
      ReplicationFactorMin: pin.replicationFactorMin,
      ReplicationFactorMax: pin.replicationFactorMax,
      Name: pin.name,
      ShardSize: BigInt(pin.shardSize),
      PinUpdate: pin.pinUpdate?.bytes ?? noBytes,
      ExpireAt: seconds(pin.expireAt),
      Origins: pin.origins.map((origin) => origin.bytes),
      SortedMetadata: metadata.map(([Key, Value]) => create(MetadataSchema, { Key, Value }))
    },
    Timestamp: seconds(pin.timestamp)
  }))
}

export interface DecodePinOptions {
  /** The CID of the key the value is stored under: it wins over the one inside, which may then be bad or absent. */
  readonly cid?: CID | undefined
}

/** The pin these bytes hold. Throws DecodeError. */
export function decodePin (bytes: Uint8Array, options: DecodePinOptions = {}): Pin {
  if (bytes.length > maxPinBytes) throw new DecodeError(`pin of ${bytes.length} bytes`)
  const message = parse(bytes)
  const pinOptions = message.Options ?? create(PinOptionsSchema)
  for (const list of [message.Allocations, pinOptions.Origins, pinOptions.SortedMetadata]) {
    if (list.length > maxEntries) throw new DecodeError(`pin with a list of ${list.length} entries`)
  }
  return {
    replicationFactorMin: pinOptions.ReplicationFactorMin,
    replicationFactorMax: pinOptions.ReplicationFactorMax,
    name: pinOptions.Name,
    mode: modeOf(message.MaxDepth),
    shardSize: safeNumber(pinOptions.ShardSize, Number.MAX_SAFE_INTEGER, 'shard size'),
    userAllocations: nilList,
    expireAt: milliseconds(pinOptions.ExpireAt, 'expiry'),
    metadata: metadataOf(pinOptions),
    pinUpdate: cidOrUnset(pinOptions.PinUpdate),
    origins: pinOptions.Origins.map(multiaddrFromBytes),
    cid: options.cid ?? cidOf(message.Cid),
    type: pinTypes[message.Type] ?? 'bad-type',
    allocations: message.Allocations.map(peerIdFromBytes),
    maxDepth: message.MaxDepth,
    reference: cidOrUnset(message.Reference),
    timestamp: milliseconds(message.Timestamp, 'timestamp')
  }
}

function parse (bytes: Uint8Array): PinMessage {
  try {
    return fromBinary(PinSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw new DecodeError(`not a pin: ${errorText(error)}`, { cause: error })
  }
}

/** A copy, so that a small CID does not keep the whole message alive. */
function cidOf (bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes.slice())
  } catch (error) {
    throw new DecodeError(`pin with an invalid CID: ${errorText(error)}`, { cause: error })
  }
}

function cidOrUnset (bytes: Uint8Array): CID | undefined {
  if (bytes.length === 0) return undefined
  try { return CID.decode(bytes.slice()) } catch { return undefined }
}

function safeNumber (value: bigint, max: number, what: string): number {
  if (value > BigInt(max)) throw new DecodeError(`pin with a ${what} out of range`)
  return Number(value)
}

const milliseconds = (value: bigint, what: string): number | undefined => value === 0n ? undefined : safeNumber(value, maxSeconds, what) * 1000

/** The deprecated map first, the sorted list on top. */
function metadataOf (options: PinOptionsMessage): Readonly<Record<string, string>> {
  const entries: Array<[string, string]> = Object.entries(options.Metadata)
  for (const { Key, Value } of options.SortedMetadata) entries.push([Key, Value])
  return entries.length === 0 ? nilMap : Object.fromEntries(entries)
}

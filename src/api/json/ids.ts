/** Identifiers inside JSON: CIDs, peer IDs and multiaddrs. */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { InvalidValueError, DecodeError } from '../../errors.ts'
import { decodeCid } from '../cid.ts'
import { asList, asObject, asText } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** Never the empty text: Go's decoder refuses it, so an unknown ID is left out. */
export const optionalId = (id: PeerId | undefined): string | undefined => id?.toString()
export const idsToJson = (ids: readonly PeerId[]): Json => ids.map((id) => id.toString())
export const addressesToJson = (addresses: readonly Multiaddr[]): Json => addresses.map((address) => address.toString())

export function peerIdOf (value: Json | undefined, at: string): PeerId {
  try { return peerIdFromString(asText(value, at)) } catch (cause) { throw new InvalidValueError(at, 'not a peer ID', { cause }) }
}
export const optionalPeerIdOf = (value: Json | undefined, at: string): PeerId | undefined => value == null ? undefined : peerIdOf(value, at)
export const peerIdsOf = (value: Json | undefined, at: string): readonly PeerId[] => asList(value, at).map((item) => peerIdOf(item, at))

export function addressOf (value: Json | undefined, at: string): Multiaddr {
  try { return multiaddr(asText(value, at)) } catch (cause) { throw new InvalidValueError(at, 'not a multiaddr', { cause }) }
}
/** Addresses with protocols that are not known here are left out: one of them must not hide a whole peer. */
export const addressesOf = (value: Json | undefined, at: string): readonly Multiaddr[] => asList(value, at).flatMap((item) => {
  const text = asText(item, at)
  try { return [multiaddr(text)] } catch { return [] }
})

export function cidOf (value: Json | undefined, at: string): CID {
  try { return decodeCid(asText(value, at)) } catch (cause) {
    if (cause instanceof DecodeError) throw new InvalidValueError(at, cause.message, { cause })
    throw cause
  }
}
export const optionalCidOf = (value: Json | undefined, at: string): CID | undefined => value == null ? undefined : cidOf(value, at)

/** Entries of an object used as a map; null is empty. */
export const entriesOf = (value: Json | undefined, at: string): ReadonlyArray<readonly [string, Json]> =>
  value == null ? [] : Object.entries(asObject(value, at) as Readonly<Record<string, Json>>)

/** A map as an object with sorted keys, as Go writes maps. */
export const mapToJson = <V>(map: ReadonlyMap<string, V>, encode: (value: V) => Json): JsonObject =>
  Object.fromEntries([...map].toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map(([key, value]) => [key, encode(value)]))

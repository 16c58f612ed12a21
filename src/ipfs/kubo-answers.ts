/** Kubo's JSON answers, named field by field. */
import { DecodeError, InvalidValueError } from '../errors.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { textKey } from '../pin/keys.ts'
import type { IpfsId, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** A field of an answer, or undefined where the answer is no object or lacks it. */
const field = (value: unknown, name: string): unknown => typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined

function text (value: unknown, name: string): string {
  const found = field(value, name)
  if (typeof found !== 'string') throw new DecodeError(`IPFS answered without ${name}`)
  return found
}

const list = (value: unknown, name: string): readonly unknown[] => {
  const found = field(value, name)
  return Array.isArray(found) ? found as unknown[] : []
}

function named<T> (what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new DecodeError(`IPFS answered a ${what} that does not parse`, { cause: error })
  }
}

const cidFrom = (value: string): CID => named('CID', () => CID.parse(value))
const peerFrom = (value: string): PeerId => named('peer ID', () => peerIdFromString(value))
const maxUint64 = 2n ** 64n - 1n

export const decodeId = (value: unknown): IpfsId => ({
  id: peerFrom(text(value, 'ID')),
  addresses: list(value, 'Addresses').flatMap((address) => typeof address === 'string' ? addressFrom(address) : []),
  error: ''
})

/** Kubo may know transports that we do not: such an address is left out. */
const addressFrom = (value: string): readonly Multiaddr[] => {
  try { return [multiaddr(value)] } catch { return [] }
}

const bytesOf = (value: unknown, name: string): bigint => {
  const found = field(value, name)
  if (typeof found !== 'number' || !(found >= 0)) throw new DecodeError(`IPFS answered without ${name}`)
  const count = BigInt(Math.floor(found))
  return count > maxUint64 ? maxUint64 : count
}

export const decodeRepoStat = (value: unknown): RepoStat => ({ repoSize: bytesOf(value, 'RepoSize'), storageMax: bytesOf(value, 'StorageMax') })

/** One line of `pin/ls?stream=true`. */
export const decodePinLine = (value: unknown): { readonly cid: CID, readonly type: string } => ({ cid: cidFrom(text(value, 'Cid')), type: text(value, 'Type') })

/** The key of the pin in one line of `pin/ls?stream=true`. */
export const decodePinKey = (value: unknown): string => named('CID', () => textKey(text(value, 'Cid')))

/** One line of `pin/add?progress=true`; the last one has the pins. */
export function decodePinProgress (value: unknown): { readonly done: boolean, readonly blocks: number, readonly bytes: number | undefined } {
  const blocks = field(value, 'Progress')
  const bytes = field(value, 'Bytes')
  return { done: Array.isArray(field(value, 'Pins')), blocks: typeof blocks === 'number' ? blocks : 0, bytes: typeof bytes === 'number' ? bytes : undefined }
}

/** How many pins an answer of `pin/add` tells of. */
export const decodePinCount = (value: unknown): number => list(value, 'Pins').length

/** One line of `repo/gc?stream-errors=true`. */
export function decodeGcLine (value: unknown): RepoGcKey {
  const link = field(field(value, 'Key'), '/')
  const error = field(value, 'Error')
  return { key: typeof link === 'string' ? cidFrom(link) : undefined, error: typeof error === 'string' ? error : '' }
}

export const decodeSwarmPeers = (value: unknown): readonly PeerId[] => list(value, 'Peers').map((peer) => peerFrom(text(peer, 'Peer')))

/** The CID in `{"Path":"/ipfs/<cid>"}`. */
export function decodeResolved (value: unknown): CID {
  const path = text(value, 'Path')
  const cid = path.split('/')[2]
  if (cid === undefined) throw new InvalidValueError('path', `IPFS resolved to ${path}`)
  return cidFrom(cid)
}

/** The CID of a block that `block/put` stored. */
export const decodeBlockPut = (value: unknown): CID => cidFrom(text(value, 'Key'))

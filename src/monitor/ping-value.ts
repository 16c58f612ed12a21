/** The JSON that a `ping` metric carries (wire.md §4); absent fields are unknown. */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { DecodeError } from '../errors.ts'
import { stringifyGo } from '../pin/go-json.ts'
import { nilList } from '../pin/nil.ts'
import type { PingValue } from './metric.ts'
import type { PeerId } from '@libp2p/interface'

const maxPingLength = 256 * 1024
const maxAddresses = 1024

/** JSON of a ping's value: each field is left out when empty. */
export const encodePingValue = ({ peerName, ipfsId, ipfsAddresses, light }: PingValue): string => stringifyGo({
  ...(peerName === '' ? {} : { peer_name: peerName }),
  ...(ipfsId === undefined ? {} : { ipfs_id: ipfsId.toString() }),
  ...(ipfsAddresses.length === 0 ? {} : { ipfs_addresses: ipfsAddresses.map(String) }),
  ...(light === true ? { light: true } : {})
})

/** What a ping says. Throws DecodeError when it is not a JSON object; an ID or an address that does not parse counts as absent. */
export function decodePingValue (text: string): PingValue {
  if (text.length > maxPingLength) throw new DecodeError(`ping value of ${text.length} characters`)
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError('ping value is not a JSON object')
  const { peer_name: peerName, ipfs_id: ipfsId, ipfs_addresses: addresses, light } = value as Readonly<Record<string, unknown>>
  return {
    peerName: typeof peerName === 'string' ? peerName : '',
    ipfsId: typeof ipfsId === 'string' ? parsePeerId(ipfsId) : undefined,
    ipfsAddresses: Array.isArray(addresses) ? addresses.slice(0, maxAddresses).flatMap(parseAddress) : nilList,
    ...light === true ? { light } : {}
  }
}

function parse (text: string): unknown {
  try { return JSON.parse(text) as unknown } catch (error) { throw new DecodeError('ping value is not JSON', { cause: error }) }
}

function parsePeerId (text: string): PeerId | undefined {
  try { return peerIdFromString(text) } catch { return undefined }
}

function parseAddress (value: unknown): Multiaddr[] {
  if (typeof value !== 'string' || !value.startsWith('/')) return []
  try { return [multiaddr(value)] } catch { return [] }
}

/**
 * A join link: everything a newcomer needs, in the fragment of a URL, which no server and no log ever sees.
 * `https://host/webui/#join=<base64url of JSON>`
 */
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { base64url } from 'multiformats/bases/base64'

/** `member` may change the pinset where it is trusted; `reader` only follows. */
export type JoinRole = 'member' | 'reader'

export interface JoinLink {
  readonly clusterName: string
  /** 64 hex characters; absent where the newcomer is to be asked for it. */
  readonly secret?: string | undefined
  /** Members to join through, best first; each ends in /p2p/<peer ID>. */
  readonly addresses: readonly Multiaddr[]
  readonly role: JoinRole
  /** `consensus.crdt.trusted_peers` for the newcomer. */
  readonly trustedPeers: '*' | readonly PeerId[]
  /** Tabs may be given allocations: `cluster.allow_light_peers`. */
  readonly allowLightPeers: boolean
}

/** A link that cannot be read; `message` says why, without the secret. */
export class InvalidJoinLinkError extends Error {
  override name = 'InvalidJoinLinkError'
}

const prefix = 'join='
const maxLength = 16_384
const maxAddresses = 64
const maxTrusted = 256

/** The fragment without its `#`. */
export function encodeJoinFragment ({ clusterName, secret, addresses, role, trustedPeers, allowLightPeers }: JoinLink): string {
  const fields = {
    v: 1, n: clusterName, ...secret === undefined ? {} : { s: secret }, a: addresses.map(String), r: role,
    ...trustedPeers === '*' ? {} : { t: trustedPeers.map(String) }, ...allowLightPeers ? { l: true } : {}
  }
  return prefix + base64url.baseEncode(new TextEncoder().encode(JSON.stringify(fields)))
}

/** Reads a whole link, or its fragment with or without `#`; undefined where there is no join link in it. Throws InvalidJoinLinkError. */
export function decodeJoinLink (text: string): JoinLink | undefined {
  const fragment = text.includes('#') ? text.slice(text.indexOf('#') + 1) : text
  if (!fragment.startsWith(prefix)) return undefined
  if (fragment.length > maxLength) throw new InvalidJoinLinkError(`the join link is longer than ${maxLength} characters`)
  const fields = parse(fragment.slice(prefix.length))
  const { v: version, n: clusterName, s: secret, a: addresses, r: role, t: trusted, l: light } = fields
  if (version !== 1) throw new InvalidJoinLinkError('the join link is of a version that this program does not know')
  if (typeof clusterName !== 'string' || clusterName === '' || clusterName.length > 256) throw new InvalidJoinLinkError('the join link names no cluster')
  if (secret !== undefined && (typeof secret !== 'string' || !/^[0-9a-f]{64}$/i.test(secret))) throw new InvalidJoinLinkError('the secret in the join link is not 64 hexadecimal characters')
  if (role !== 'member' && role !== 'reader') throw new InvalidJoinLinkError('the join link has no known role')
  return {
    clusterName, secret, role, allowLightPeers: light === true,
    addresses: list(addresses, 'addresses', maxAddresses, addressOf),
    trustedPeers: trusted === undefined ? '*' : list(trusted, 'trusted peers', maxTrusted, peerIdFromString)
  }
}

function parse (text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url.baseDecode(text))) as unknown
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  } catch {
    // The text may hold the secret: it stays out of the error.
  }
  throw new InvalidJoinLinkError('the join link is damaged: copy it again, whole')
}

function addressOf (text: string): Multiaddr {
  const address = multiaddr(text)
  if (!address.getComponents().some(({ name }) => name === 'p2p')) throw new TypeError('no peer ID')
  return address
}

function list<T> (value: unknown, what: string, limit: number, decode: (text: string) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > limit) throw new InvalidJoinLinkError(`the ${what} in the join link are not a list of at most ${limit}`)
  return value.map((item: unknown) => {
    try {
      return decode(item as string)
    } catch (error) {
      throw new InvalidJoinLinkError(`one of the ${what} in the join link is not valid`, { cause: error })
    }
  })
}

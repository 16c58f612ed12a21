/** The answer of `GET /invite`. */
import { DecodeError } from '../../errors.ts'
import { addressesOf } from './ids.ts'
import { asBoolean, asObject, asText } from './json.ts'
import type { JoinRole } from '../../join/join-link.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Json } from './json.ts'

/** A join link as a peer made it. */
export interface Invite {
  /** What follows `#` in the link: `<address of a dashboard>#<fragment>`. */
  readonly fragment: string
  /** False where it was not asked for, or this client may not have it: the newcomer is asked. */
  readonly hasSecret: boolean
  readonly role: JoinRole
  readonly clusterName: string
  readonly addresses: readonly Multiaddr[]
}

export function inviteFromJson (value: Json): Invite {
  const invite = asObject(value, 'invite')
  const fragment = asText(invite['fragment'], 'fragment')
  const role = asText(invite['role'], 'role')
  if (!fragment.startsWith('join=')) throw new DecodeError('fragment: no join link')
  if (role !== 'member' && role !== 'reader') throw new DecodeError('role: neither member nor reader')
  return { fragment, hasSecret: asBoolean(invite['has_secret'], 'has_secret'), role, clusterName: asText(invite['cluster_name'], 'cluster_name'), addresses: addressesOf(invite['addresses'], 'addresses') }
}

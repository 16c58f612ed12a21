/** Query strings of requests, from options. */
import { formatGoTime } from '../../pin/go-time.ts'
import type { JoinRole } from '../../join/join-link.ts'
import type { AddOptions } from '../../adder/adder.ts'

/** Anything whose text is the identifier: a CID, a PeerId, a Multiaddr, or the text itself. */
export interface Identifier { readonly toString: () => string }

/** Options of a pin as a request takes them; `Partial<PinOptions>` is one. */
export interface PinRequest {
  /** 0 = the cluster's default, -1 = everywhere. @default 0 */
  readonly replicationFactorMin?: number | undefined
  /** 0 = the cluster's default, -1 = everywhere. @default 0 */
  readonly replicationFactorMax?: number | undefined
  readonly name?: string | undefined
  /** @default 'recursive' */
  readonly mode?: 'recursive' | 'direct' | undefined
  readonly shardSize?: number | undefined
  readonly userAllocations?: readonly Identifier[] | undefined
  /** Unix ms. @default never */
  readonly expireAt?: number | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly pinUpdate?: Identifier | undefined
  readonly origins?: readonly Identifier[] | undefined
}

export type AddRequest = PinRequest & Pick<AddOptions, 'format' | 'layout' | 'chunker' | 'hash' | 'cidVersion' | 'rawLeaves' | 'wrapWithDirectory' | 'progress' | 'local' | 'noPin'>

const isText = ([, value]: readonly [string, string | undefined]): boolean => value !== undefined && value !== ''
const defined = (entries: ReadonlyArray<readonly [string, string | undefined]>): URLSearchParams =>
  new URLSearchParams(entries.filter(isText).map(([name, value]) => [name, value ?? '']))

const pinEntries = (pin: PinRequest): ReadonlyArray<readonly [string, string | undefined]> => [
  ['name', pin.name],
  ['mode', pin.mode],
  ['replication-min', pin.replicationFactorMin?.toString()],
  ['replication-max', pin.replicationFactorMax?.toString()],
  ['shard-size', pin.shardSize?.toString()],
  ['user-allocations', pin.userAllocations?.map(String).join(',')],
  ['expire-at', pin.expireAt === undefined ? undefined : formatGoTime(pin.expireAt)],
  ...Object.entries(pin.metadata ?? {}).map(([key, value]) => [`meta-${key}`, value] as const),
  ['pin-update', pin.pinUpdate?.toString()],
  ['origins', pin.origins?.map(String).join(',')]
]

export const pinQuery = (pin: PinRequest): URLSearchParams => defined(pinEntries(pin))

export const addQuery = (add: AddRequest): URLSearchParams => defined([
  ...pinEntries(add),
  ['format', add.format], ['layout', add.layout], ['chunker', add.chunker], ['hash', add.hash], ['cid-version', add.cidVersion?.toString()],
  ['raw-leaves', add.rawLeaves?.toString()], ['wrap-with-directory', add.wrapWithDirectory?.toString()], ['progress', add.progress?.toString()],
  ['local', add.local?.toString()], ['no-pin', add.noPin?.toString()], ['shard', 'false'], ['stream-channels', 'true']
])

/** What kind of join link. */
export interface InviteRequest {
  /** @default 'member' */
  readonly role?: JoinRole | undefined
  /** @default true */
  readonly secret?: boolean | undefined
}

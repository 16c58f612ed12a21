/** What this browser profile keeps of itself: who it is, and what it joined. */
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { sha256 } from '@noble/hashes/sha2.js'
import type { PrivateKey } from '@libp2p/interface'
import { base32 } from 'multiformats/bases/base32'
import { InvalidConfigError } from '../src/errors.ts'
import { decodeJoinLink, encodeJoinFragment } from '../src/join/join-link.ts'
import { InvalidJoinLinkError } from '../src/join/join-link.ts'
import type { JoinLink } from '../src/join/join-link.ts'
import type { Store } from '../src/store/store.ts'
import { NotJoinedError, SecretNeededError } from './errors.ts'
import { deleteDatabase } from './store/database.ts'
import { openIdbStore } from './store/idb-store.ts'
import type { WebPeerOptions } from './web-peer.ts'

export interface Profile {
  readonly privateKey: PrivateKey
  /** What to join, secret included. */
  readonly link: JoinLink & { readonly secret: string }
  /** Prefix of the databases of this cluster: two clusters never share a pinset. */
  readonly databases: string
  /** As it was given, now or before. */
  readonly name: string | undefined
}

const keys = { identity: 'identity', joined: 'joined', known: 'databases', name: 'name' } as const
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const databaseOf = (store: string): string => `${store}-profile`

/** Tabs that open at once make one identity, not two. */
const alone = async <T>(store: string, work: () => Promise<T>): Promise<T> => await navigator.locks.request(databaseOf(store), work) as T

async function open (store: string): Promise<Store> { return await openIdbStore(databaseOf(store)) }

/** Reads the profile, makes it where there is none, and keeps what was joined. Throws NotJoinedError, SecretNeededError, InvalidJoinLinkError. */
export async function loadProfile (store: string, options: ProfileOptions): Promise<Profile> {
  return await alone(store, async () => {
    const profile = await open(store)
    try {
      return await readProfile(profile, store, options)
    } finally {
      await profile.close()
    }
  })
}

type ProfileOptions = Pick<WebPeerOptions, 'join' | 'secret' | 'keepSecret' | 'name'>

async function readProfile (profile: Store, store: string, options: ProfileOptions): Promise<Profile> {
  const [key, kept, databases, named] = await profile.getMany([keys.identity, keys.joined, keys.known, keys.name])
  const before = kept === undefined ? undefined : decodeJoinLink(decoder.decode(kept))
  const link = withSecret(given(options.join) ?? before, options.secret, before)
  const privateKey = key === undefined ? await generateKeyPair('Ed25519') : privateKeyFromProtobuf(key)
  const prefix = `${store}-${clusterKey(link)}`
  const known = databases === undefined ? [] : decoder.decode(databases).split('\n')
  const saved = encodeJoinFragment(options.keepSecret === false ? { ...link, secret: undefined } : link)
  const name = options.name ?? (named === undefined ? undefined : decoder.decode(named))
  await profile.batch([
    { type: 'put', key: keys.identity, value: privateKeyToProtobuf(privateKey) },
    { type: 'put', key: keys.joined, value: encoder.encode(saved) },
    { type: 'put', key: keys.known, value: encoder.encode([...new Set([...known, prefix])].join('\n')) },
    ...name === undefined ? [] : [{ type: 'put', key: keys.name, value: encoder.encode(name) } as const]
  ])
  return { privateKey, link, databases: prefix, name }
}

/** What this profile joined, without the secret; undefined where it joined nothing. */
export async function joinedBefore (store: string): Promise<{ readonly link: Omit<JoinLink, 'secret'>, readonly hasSecret: boolean } | undefined> {
  const profile = await open(store)
  try {
    const kept = await profile.get(keys.joined)
    if (kept === undefined) return undefined
    const link = decodeJoinLink(decoder.decode(kept))
    if (link === undefined) return undefined
    const { secret, ...rest } = link
    return { link: rest, hasSecret: secret !== undefined }
  } finally {
    await profile.close()
  }
}

/** Databases of one cluster. */
export const databaseNames = (prefix: string): { readonly state: string, readonly pins: string, readonly blocks: string } =>
  ({ state: `${prefix}-state`, pins: `${prefix}-pins`, blocks: `${prefix}-blocks` })

/** Deletes everything this profile stored under this prefix, of every cluster it joined. */
export async function deleteProfile (store: string): Promise<void> {
  await alone(store, async () => {
    const profile = await open(store)
    const known = await profile.get(keys.known)
    await profile.close()
    const names = known === undefined ? [] : decoder.decode(known).split('\n').flatMap((prefix) => Object.values(databaseNames(prefix)))
    for (const name of [...names, databaseOf(store)]) await deleteDatabase(name)
  })
}

function given (join: WebPeerOptions['join']): JoinLink | undefined {
  if (typeof join !== 'string') return join
  if (join === '') return undefined
  const link = decodeJoinLink(join)
  if (link === undefined) throw new InvalidJoinLinkError('this is not a join link')
  return link
}

function withSecret (link: JoinLink | undefined, secret: string | undefined, before: JoinLink | undefined): Profile['link'] {
  if (link === undefined) throw new NotJoinedError()
  if (secret !== undefined && !/^[0-9a-f]{64}$/i.test(secret)) throw new InvalidConfigError('secret', 'must be 64 hexadecimal characters')
  // A link without a secret to the cluster that this profile is in already: the secret is here.
  const kept = before?.clusterName === link.clusterName ? before.secret : undefined
  const found = secret ?? link.secret ?? kept
  if (found === undefined) throw new SecretNeededError(link.clusterName)
  return { ...link, secret: found }
}

/** Tells clusters apart without telling the secret: a hash of it that nothing else uses. */
const clusterKey = ({ clusterName, secret }: Profile['link']): string =>
  base32.encode(sha256(encoder.encode(`pinswarm databases/1\n${clusterName}\n${secret.toLowerCase()}`)).subarray(0, 10)).slice(1)

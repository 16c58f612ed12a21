/** Who this peer is: `identity.json`, or `CLUSTER_ID` and `CLUSTER_PRIVATEKEY` (wire.md §1.3). */
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { base64pad } from 'multiformats/bases/base64'
import type { Environment } from '../src/config/config.ts'
import { isObject } from '../src/config/schema.ts'
import { parseDocument } from '../src/config/source.ts'
import { InvalidConfigError } from '../src/errors.ts'
import { readIfThere, writeWhole } from './files.ts'

export interface Identity {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
}

const identityOf = (privateKey: PrivateKey): Identity => ({ privateKey, peerId: peerIdFromPrivateKey(privateKey) })

/** A new Ed25519 identity. */
export const createIdentity = async (): Promise<Identity> => identityOf(await generateKeyPair('Ed25519'))

/** Standard base64 of the libp2p protobuf of the key; `at` names the value in errors, which never show it. */
export function decodeIdentity (id: string, key: string, at: string): Identity {
  let identity: Identity
  try {
    identity = identityOf(privateKeyFromProtobuf(base64pad.baseDecode(key)))
  } catch {
    throw new InvalidConfigError(`${at}.private_key`, 'not a base64 libp2p private key (Ed25519, RSA, secp256k1 or ECDSA)')
  }
  if (identity.peerId.toString() !== id) throw new InvalidConfigError(`${at}.id`, `${id} is not the ID of the private key beside it, which is ${identity.peerId.toString()}`)
  return identity
}

/** The identity in a file, with the environment put in place of its values; undefined when there is neither. */
export async function loadIdentity (path: string, environment: Environment): Promise<Identity | undefined> {
  const text = await readIfThere(path)
  const stored = text === undefined ? {} : parseDocument(text, 'identity.json')
  if (!isObject(stored)) return undefined
  const value = (key: 'id' | 'private_key', variable: string): string | undefined => {
    const given = environment[variable]
    if (given !== undefined && given !== '') return given
    const name = Object.keys(stored).findLast((candidate) => candidate.toLowerCase() === key)
    const found = name === undefined ? undefined : stored[name]
    if (found !== undefined && typeof found !== 'string') throw new InvalidConfigError(`identity.json.${key}`, 'expected a string')
    return found
  }
  const id = value('id', 'CLUSTER_ID')
  const key = value('private_key', 'CLUSTER_PRIVATEKEY')
  if (id === undefined && key === undefined && text === undefined) return undefined
  if (key === undefined) throw new InvalidConfigError('identity.json.private_key', 'the key is missing')
  if (id === undefined) throw new InvalidConfigError('identity.json.id', 'the key is missing')
  return decodeIdentity(id, key, 'identity.json')
}

/** The text of `identity.json`: 4 spaces, no line end, as Go writes it. */
export const identityText = ({ peerId, privateKey }: Identity): string => JSON.stringify({ id: peerId.toString(), private_key: base64pad.baseEncode(privateKeyToProtobuf(privateKey)) }, null, 4)

/** Readable for the owner only. */
export const saveIdentity = async (path: string, identity: Identity): Promise<void> => { await writeWhole(path, identityText(identity), 0o600) }

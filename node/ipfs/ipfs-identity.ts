/** The embedded IPFS's own identity: not the cluster peer's, so that nobody takes one for the other. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { base64pad } from 'multiformats/bases/base64'
import { InvalidValueError } from '../../src/errors.ts'
import type { PrivateKey } from '@libp2p/interface'

/** Reads the key from a file as kubo and cluster write it (`id`, `private_key` in base64), or makes both. */
export async function ipfsIdentity (path: string): Promise<PrivateKey> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text !== undefined) return decode(path, text)
  const key = await generateKeyPair('Ed25519')
  const file = { id: peerIdFromPrivateKey(key).toString(), private_key: base64pad.baseEncode(privateKeyToProtobuf(key)) }
  await writeFile(`${path}.tmp`, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.tmp`, path)
  return key
}

function decode (path: string, text: string): PrivateKey {
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value !== 'object' || value === null || !('private_key' in value) || typeof value.private_key !== 'string') throw new Error('private_key is missing')
    return privateKeyFromProtobuf(base64pad.baseDecode(value.private_key))
  } catch (error) {
    throw new InvalidValueError('private_key', `${path} is not an identity`, { cause: error })
  }
}

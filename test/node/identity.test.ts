import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIdentity, decodeIdentity, identityText, loadIdentity, saveIdentity } from '../../node/identity.ts'
import keys from '../vectors/wire/keys.json' with { type: 'json' }

let folder = ''
let path = ''
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'pinswarm-identity-')); path = join(folder, 'identity.json') })
afterEach(async () => { await rm(folder, { recursive: true, force: true }) })

const known = { id: keys.identity.peer_id, key: Buffer.from(keys.identity.private_key_protobuf_hex, 'hex').toString('base64') }

test('the identity of Go is read, and written as Go writes it', async () => {
  const identity = decodeIdentity(known.id, known.key, 'identity.json')
  expect(Buffer.from(identity.peerId.toMultihash().bytes).toString('hex')).toBe(keys.identity.peer_id_bytes_hex)
  await saveIdentity(path, identity)
  expect(await readFile(path, 'utf8')).toBe(`{\n    "id": "${known.id}",\n    "private_key": "${known.key}"\n}`)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await loadIdentity(path, {}))?.peerId.toString()).toBe(known.id)
})

test('a new one is Ed25519 and loads again', async () => {
  const identity = await createIdentity()
  expect(identity.privateKey.type).toBe('Ed25519')
  await writeFile(path, identityText(identity))
  expect((await loadIdentity(path, {}))?.peerId.equals(identity.peerId)).toBe(true)
})

test('keys of old clusters load', async () => {
  for (const type of ['RSA', 'secp256k1'] as const) {
    const key = type === 'RSA' ? await generateKeyPair('RSA', 2048) : await generateKeyPair('secp256k1')
    const id = peerIdFromPrivateKey(key).toString()
    expect(decodeIdentity(id, Buffer.from(privateKeyToProtobuf(key)).toString('base64'), 'x').peerId.toString(), type).toBe(id)
  }
})

test('the environment overrides the file', async () => {
  await saveIdentity(path, await createIdentity())
  expect((await loadIdentity(path, { CLUSTER_ID: known.id, CLUSTER_PRIVATEKEY: known.key }))?.peerId.toString()).toBe(known.id)
  await expect(loadIdentity(path, { CLUSTER_ID: known.id })).rejects.toThrow(`identity.json.id: ${known.id} is not the ID of the private key beside it`)
  expect((await loadIdentity(join(folder, 'none'), { CLUSTER_ID: known.id, CLUSTER_PRIVATEKEY: known.key }))?.peerId.toString()).toBe(known.id)
  expect(await loadIdentity(join(folder, 'none'), {})).toBeUndefined()
})

test('bad files name the key, and never show it', async () => {
  const other = identityText(await createIdentity())
  const cases: ReadonlyArray<readonly [string, string]> = [
    ['{', 'identity.json: not valid JSON'], ['[]', 'identity.json: expected an object'], ['{}', 'identity.json.private_key: the key is missing'], [JSON.stringify({ private_key: known.key }), 'identity.json.id: the key is missing'],
    [JSON.stringify({ id: known.id, private_key: 5 }), 'identity.json.private_key: expected a string'], [JSON.stringify({ id: known.id, private_key: `${known.key.slice(0, 20)}!` }), 'identity.json.private_key: not a base64 libp2p private key'],
    [JSON.stringify({ ...JSON.parse(other) as object, id: known.id }), 'identity.json.id:']
  ]
  for (const [text, message] of cases) {
    await writeFile(path, text)
    const error = await loadIdentity(path, {}).then(() => undefined, (reason: unknown) => reason as Error)
    expect(error?.name, text).toBe('InvalidConfigError')
    expect(error?.message).toContain(message)
    expect(error?.message).not.toContain(known.key.slice(0, 20))
  }
})

/** Making a new peer: configuration, identity and peerstore in its folder. */
import { randomBytes } from 'node:crypto'
import { access } from 'node:fs/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { applyEnvironment, configText, decodeConfig, defaultConfig, encodeConfig } from '../src/config/config.ts'
import type { Config, Environment } from '../src/config/config.ts'
import type { JsonObject } from '../src/config/schema.ts'
import { InvalidConfigError } from '../src/errors.ts'
import { writeWhole } from './files.ts'
import { createFolder, defaultPeerName } from './folder.ts'
import type { Folder } from './folder.ts'
import { createIdentity, loadIdentity, saveIdentity } from './identity.ts'
import type { Identity } from './identity.ts'
import { withRandomPorts } from './ports.ts'

export interface SetupOptions {
  /** What the new configuration uses as its IPFS. */
  readonly ipfs: 'ipfshttp' | 'helia'
  /** 64 hexadecimal characters. @default random */
  readonly secret?: string | undefined
  /** Members to know, and to trust, from the start. */
  readonly peers?: readonly Multiaddr[] | undefined
  /** @default false */
  readonly randomPorts?: boolean | undefined
  /** Put in place of the defaults, and so saved. */
  readonly environment?: Environment | undefined
  /** A datastore section of Go to write in place of ours. */
  readonly datastore?: string | undefined
  readonly warn?: ((message: string) => void) | undefined
}

export const exists = async (path: string): Promise<boolean> => await access(path).then(() => true, () => false)

/** The peer a multiaddress ends in. */
export function peerIdOf (address: Multiaddr): PeerId | undefined {
  const id = address.getComponents().findLast((part) => part.name === 'p2p')?.value
  return id === undefined ? undefined : peerIdFromString(id)
}

/** Comma-separated multiaddresses that each end in /p2p/<peer ID>; `what` names the flag in errors. */
export function parsePeers (text: string, what: string): readonly Multiaddr[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => {
    let address: Multiaddr
    try { address = multiaddr(part) } catch { throw new InvalidConfigError(what, `${JSON.stringify(part)} is not a multiaddress`) }
    if (peerIdOf(address) === undefined) throw new InvalidConfigError(what, `${part} does not end in /p2p/<peer ID>`)
    return address
  })
}

/** The document that `init` writes: defaults < environment < flags, validated whole. */
async function newDocument (options: SetupOptions): Promise<JsonObject> {
  const base = defaultConfig({ peername: defaultPeerName(), secret: randomBytes(32).toString('hex'), ipfs: options.ipfs })
  const ported = options.randomPorts === true ? await withRandomPorts(base) : base
  const document = applyEnvironment(encodeConfig(ported, options.datastore === undefined ? {} : { datastore: { [options.datastore]: {} } }), options.environment ?? {})
  const config = decodeConfig(document, { peername: defaultPeerName(), warn: options.warn ?? ((): void => {}) })
  const ids = (options.peers ?? []).flatMap((peer) => peerIdOf(peer) ?? [])
  const flagged: Config = {
    ...config,
    cluster: { ...config.cluster, secret: options.secret ?? config.cluster.secret },
    consensus: { crdt: { ...config.consensus.crdt, trustedPeers: ids.length > 0 ? ids : config.consensus.crdt.trustedPeers } }
  }
  const encoded = encodeConfig(flagged, document)
  decodeConfig(encoded, { peername: defaultPeerName(), warn: () => {} })
  return encoded
}

export interface SetupResult {
  readonly identity: Identity
  readonly newIdentity: boolean
  /** Lines of the peerstore. */
  readonly peers: number
}

const writeRest = async (folder: Folder, options: SetupOptions): Promise<SetupResult> => {
  const environment = options.environment ?? {}
  const stored = await exists(folder.identity) ? await loadIdentity(folder.identity, {}) : undefined
  const identity = stored ?? await loadIdentity(folder.identity, environment) ?? await createIdentity()
  if (stored === undefined) await saveIdentity(folder.identity, identity)
  const peers = options.peers ?? []
  if (peers.length > 0 || !await exists(folder.at('peerstore'))) await writeWhole(folder.at('peerstore'), peers.map((peer) => `${peer.toString()}\n`).join(''), 0o644)
  return { identity, newIdentity: stored === undefined, peers: peers.length }
}

/** Writes a fresh configuration, an identity unless there is one, and the peerstore. */
export async function setUpFolder (folder: Folder, options: SetupOptions): Promise<SetupResult> {
  const document = await newDocument(options)
  await createFolder(folder)
  await writeWhole(folder.config, configText(document), 0o600)
  return await writeRest(folder, options)
}

/** Writes a configuration that only says where the real one is. */
export async function setUpFromSource (folder: Folder, source: string, options: SetupOptions): Promise<SetupResult> {
  if (!/^https?:\/\//.test(source)) throw new InvalidConfigError('source', 'must be an http or https URL')
  await createFolder(folder)
  await writeWhole(folder.config, configText({ source }), 0o600)
  return await writeRest(folder, options)
}

/** The configuration folder: where it is, what is in it, and how it is made, read and written (config.md §1). */
import { chmod, mkdir } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { AbortOptions, Logger } from '../src/component.ts'
import { errorText } from '../src/component.ts'
import { applyEnvironment, configText, decodeConfig, encodeConfig } from '../src/config/config.ts'
import type { Config, Environment } from '../src/config/config.ts'
import { isObject } from '../src/config/schema.ts'
import type { Json, JsonObject } from '../src/config/schema.ts'
import { fetchSource, parseDocument, sourceOf } from '../src/config/source.ts'
import { codeOf, readIfThere, writeWhole } from './files.ts'
import { decodeIdentity, loadIdentity, saveIdentity } from './identity.ts'
import type { Identity } from './identity.ts'

export interface Folder {
  readonly path: string
  readonly config: string
  readonly identity: string
  /** A path from the configuration, relative to the folder. */
  readonly at: (path: string) => string
}

export const folderAt = (path: string): Folder => {
  const absolute = resolve(path)
  return { path: absolute, config: join(absolute, 'service.json'), identity: join(absolute, 'identity.json'), at: (relative) => resolve(absolute, relative) }
}

/** `IPFS_CLUSTER_PATH`, else `~/.ipfs-cluster`. */
export const defaultFolder = (environment: Environment): string => {
  const given = environment['IPFS_CLUSTER_PATH']
  return given === undefined || given === '' ? join(environment['HOME'] ?? homedir(), '.ipfs-cluster') : given
}

export const defaultPeerName = (): string => hostname()

export const createFolder = async (folder: Folder): Promise<void> => {
  if (await mkdir(folder.path, { recursive: true, mode: 0o700 }) !== undefined) await chmod(folder.path, 0o700)
}

/** Goes into `error loading configurations: …`. */
export class ConfigFileError extends Error {
  override name = 'ConfigFileError'
}

export interface Loaded {
  readonly config: Config
  readonly identity: Identity
  /** The file as it is, before the environment. */
  readonly document: JsonObject
}

async function readDocument (folder: Folder): Promise<JsonObject> {
  let text: string | undefined
  try { text = await readIfThere(folder.config) } catch (error) { throw new ConfigFileError(`open ${folder.config}: ${codeOf(error) ?? errorText(error)}`, { cause: error }) }
  if (text === undefined) throw new ConfigFileError(`open ${folder.config}: no such file or directory`)
  return parseDocument(text, 'service.json')
}

/** Configuration and identity of a folder, with the environment applied and everything validated. */
export async function loadFolder (folder: Folder, environment: Environment, log: Logger, options: AbortOptions & { readonly fetch?: typeof fetch } = {}): Promise<Loaded> {
  const document = await readDocument(folder)
  const source = sourceOf(document)
  const full = source === undefined ? document : await fetchSource(source, options)
  const { identity, rest } = await identityOf(folder, environment, full, log)
  const config = decodeConfig(applyEnvironment(rest, environment), { peername: defaultPeerName(), warn: (message) => { log.warn(message) } })
  return { config, identity, document }
}

/** The identity, and the document without the one that old configurations keep in `cluster`. */
async function identityOf (folder: Folder, environment: Environment, document: JsonObject, log: Logger): Promise<{ readonly identity: Identity, readonly rest: JsonObject }> {
  const { rest, id, key } = withoutLegacyIdentity(document)
  const stored = await loadIdentity(folder.identity, environment)
  if (stored !== undefined) return { identity: stored, rest }
  if (id === undefined || key === undefined) throw new ConfigFileError(`open ${folder.identity}: no such file or directory`)
  const identity = decodeIdentity(id, key, 'cluster')
  await saveIdentity(folder.identity, identity)
  log.warn(`NOTICE: identity information extracted from service.json and saved as ${folder.identity}`)
  return { identity, rest }
}

function withoutLegacyIdentity (document: JsonObject): { readonly rest: JsonObject, readonly id?: string, readonly key?: string } {
  const cluster = document['cluster']
  if (!isObject(cluster)) return { rest: document }
  const { id, private_key: key, ...others } = cluster
  if (typeof id !== 'string' || typeof key !== 'string') return { rest: document }
  return { rest: { ...document, cluster: others satisfies Json }, id, key }
}

/** Writes `service.json`, readable for the owner only, keeping what `original` has that we do not know. */
export const saveConfig = async (folder: Folder, config: Config, original?: JsonObject): Promise<void> => { await writeWhole(folder.config, configText(encodeConfig(config, original)), 0o600) }
